"""A library that several machines share, when processes are killed, servers restarted and networks cut.

Readers never see half of a batch, writers stop before they could disturb others, and nothing is lost.
"""

from __future__ import annotations

import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import count
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any

import pytest

from assistant import factory
from assistant.chat import Assistant
from assistant.errors import LibraryBusy, LibraryError, LibraryWriteError
from assistant.schema import Turn
from assistant.settings import Settings, load
from assistant.storage import catalog, catalog_schema
from assistant.storage.chroma_store import ChromaStore
from assistant.storage.index_ledger import IndexLedger
from assistant.storage.library import Library
from assistant.storage.postgres_word_vectors import PostgresWordVectors
from ingest import indexing, pipeline
from ingest.maintenance import removal, repair
from tests.chromas import ChromaProcess
from tests.conftest import BEES, SEEDS
from tests.everything import Everything, everything
from tests.fakes import WordHashEmbedder
from tests.labs import Lab, lab, wire_to
from tests.postgres import PostgresProcess, postgres_process
from tests.processes import MOMENTS, PROCESSES, exit_code, kill_after, start
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

PATHS = [SEEDS / "004_18424ad33afb765c.txt"]
# Small batches, so that an ingest has many steps to be interrupted between, and in.
BATCH = 2
OpenAt = Callable[[str], Library]


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresProcess]:
    """A server of these tests, which they may kill and must start again."""
    with postgres_process() as server:
        yield server


@pytest.fixture
def machines(settings: Settings, tmp_path: Path, postgres: PostgresProcess, chroma_server: ChromaProcess) -> Lab:
    return lab(tmp_path, postgres, chroma_server)


@pytest.fixture
def open_at(machines: Lab) -> Iterator[OpenAt]:
    """Opens the shared library on a machine."""
    opened: list[Library] = []

    def open_one(machine: str) -> Library:
        opened.append(factory.open_library(machines.at(machine), WordHashEmbedder()))
        return opened[-1]

    yield open_one
    for library in opened:
        library.close()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Everything:
    """What a library in a folder holds after an ingest that nothing happens to."""
    with closing(factory.open_library(load(home=tmp_path_factory.mktemp("plain")), WordHashEmbedder())) as library:
        pipeline.ingest(PATHS, library)
        return everything(library)


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "BATCH_SIZE", BATCH)


def assert_whole(library: Library) -> None:
    """Every paper that is shown is in all indexes, and a search meets no error."""
    shown = library.catalog.ledger.indexed_ids()
    indexes = library.fresh()
    assert shown <= indexes.store.paper_ids()
    assert shown <= indexes.words.paper_ids()
    assert shown <= indexes.lexicon.paper_ids()
    assert indexes.lexicon.paper_ids() <= library.catalog.ledger.indexed_ids()


def ingest_when_free(library: Library) -> None:
    """Ingest as soon as the server has noticed that the process which locked the library is gone."""
    done: list[object] = []

    def try_once() -> bool:
        with suppress(LibraryBusy):
            done.append(pipeline.ingest(PATHS, library))
        return bool(done)

    wait_until(try_once)


def completed(library: Library) -> Everything:
    ingest_when_free(library)
    assert library.compare() == {}
    return everything(library)


# What other processes do.


def ingest_and_die(where: dict[str, Any], step: str) -> None:
    """Ingest, and be killed after a function was called for the second time."""
    owner, name = STEPS[step]
    calls, real = count(1), getattr(owner, name)

    def die(*arguments: Any, **named: Any) -> Any:
        result = real(*arguments, **named)
        if next(calls) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, die)
    ingest(where)


def ingest(where: dict[str, Any]) -> None:
    indexing.BATCH_SIZE = BATCH
    with closing(factory.open_library(load(**where), WordHashEmbedder(), for_repair=True)) as library:
        pipeline.ingest(PATHS, library)


def ingest_timed(where: dict[str, Any], begun: Synchronized[float]) -> None:
    factory.open_library(load(**where), WordHashEmbedder()).close()
    begun.value = time.monotonic()
    ingest(where)


def at(machines: Lab, machine: str) -> dict[str, Any]:
    """What `load` is to be called with in another process."""
    values = {"database": machines.database, "store": machines.store, "library": machines.library}
    return {"home": machines.folder / machine, **values}


# Writers that are killed


STEPS = {
    "papers half written": (catalog, "insert_records"),
    "announced": (IndexLedger, "announce"),
    "in the store": (ChromaStore, "replace"),
    "in the word index": (PostgresWordVectors, "replace"),
    "marked": (IndexLedger, "mark_indexed"),
}


@pytest.mark.parametrize("step", STEPS)
def test_readers_see_no_half_batch_of_a_killed_writer_and_the_next_ingest_completes(
    step: str, machines: Lab, open_at: OpenAt, plain: Everything
) -> None:
    reader = open_at("reader")
    process = start(ingest_and_die, at(machines, "writer"), step)
    while process.is_alive():
        assert_whole(reader)
    assert process.exitcode == -signal.SIGKILL
    assert_whole(reader)
    assert not set(plain.papers) <= set(reader.catalog.papers.all())
    assert completed(reader) == plain


@pytest.mark.parametrize("moment", range(len(MOMENTS)))
def test_an_ingest_that_is_killed_at_a_random_moment_is_completed_on_another_machine(
    moment: int, machines: Lab, open_at: OpenAt, plain: Everything
) -> None:
    begun = PROCESSES.Value("d", 0.0)
    process = start(ingest_timed, at(machines, "writer"), begun)
    wait_until(lambda: bool(begun.value))
    reader = open_at("reader")
    ends = time.monotonic() + kill_after(moment, 4.0)
    while process.is_alive() and time.monotonic() < ends:
        assert_whole(reader)
    process.kill()
    process.join()
    assert_whole(reader)
    assert completed(reader) == plain


# The database server


def test_a_killed_database_is_one_clear_error_and_open_libraries_go_on_once_it_is_back(
    machines: Lab, open_at: OpenAt, postgres: PostgresProcess, plain: Everything, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = open_at("reader"), open_at("writer")
    kill_at_call(2, postgres, monkeypatch)
    with pytest.raises(LibraryWriteError, match=rf"PostgreSQL database postgres on 127\.0\.0\.1:{postgres.port}"):
        pipeline.ingest(PATHS, writer)
    with pytest.raises(LibraryError, match=r"catalog in the PostgreSQL .* cannot be read: .*is the server running"):
        reader.catalog.papers.count()
    with pytest.raises(LibraryError, match="is the server running"):
        reader.words.paper_ids()
    with pytest.raises(LibraryWriteError, match="is the server running"):
        pipeline.ingest(PATHS, writer)
    postgres.start()
    assert_whole(reader)
    assert completed(writer) == plain
    assert everything(reader) == plain


def kill_at_call(call: int, postgres: PostgresProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill the server when the indexes have taken so many batches, before they are marked."""
    calls, real = count(1), IndexLedger.mark_indexed

    def mark(ledger: IndexLedger, *papers: Any) -> None:
        if next(calls) == call:
            postgres.kill()
        real(ledger, *papers)

    monkeypatch.setattr(IndexLedger, "mark_indexed", mark)


def test_questions_are_answered_as_before_by_the_same_assistant_after_the_database_was_killed(
    machines: Lab, open_at: OpenAt, postgres: PostgresProcess, papers_file: Path
) -> None:
    library = open_at("reader")
    pipeline.ingest([papers_file], library)
    assistant = factory.open_assistant(machines.at("reader"), library)
    answer, ends = assistant.ask(BEES), threading.Event()
    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(ask_until, ends, assistant) for _ in range(2)]
        for end in (postgres.kill, postgres.stop):
            end()
            with pytest.raises(LibraryError, match="PostgreSQL database"):
                assistant.ask(BEES)
            postgres.start()
            again = assistant.ask(BEES)
            assert (again.text, again.citations) == (answer.text, answer.citations)
        ends.set()
    assert [each.result() for each in asking] == [{answer.text}] * 2


def ask_until(ends: threading.Event, assistant: Assistant) -> set[str]:
    """Ask again and again, and return the answers. Nothing but that the library cannot be asked may go wrong."""
    answers = set()
    while not ends.is_set():
        with suppress(LibraryError):
            answers.add(assistant.ask(BEES).text)
    return answers


def test_a_writer_that_lost_its_lock_stops_before_it_writes_more_and_disturbs_no_other(
    machines: Lab, open_at: OpenAt, postgres: PostgresProcess, plain: Everything
) -> None:
    first, second = open_at("first"), open_at("second")
    with first.writing():
        postgres.stop()
        postgres.start()
        with second.writing():
            papers, generation = second.catalog.papers.count(), second.catalog.ledger.generation
            with pytest.raises(LibraryWriteError, match=r"connection that locked it is lost, .*run the command again"):
                pipeline.store_records(records(), first.catalog, 1)
            with pytest.raises(LibraryWriteError, match="the connection that locked it is lost"):
                first.remove(["0" * 16])
            with pytest.raises(LibraryWriteError, match="the connection that locked it is lost"):
                indexing.index_papers(plain.papers[:2], first)
            assert (second.catalog.papers.count(), second.catalog.ledger.generation) == (papers, generation)
            assert second.catalog.ledger.all_ids() == set()
            pipeline.store_records(records(), second.catalog, 1)
    assert completed(first) == plain


def records() -> list[Any]:
    from ingest.reading import records_of
    from ingest.report import IngestReport

    return list(records_of(PATHS[0], IngestReport()))


def test_the_lock_is_taken_only_after_what_a_lost_writer_had_begun_is_written(
    machines: Lab, open_at: OpenAt, plain: Everything
) -> None:
    first, second = open_at("first"), open_at("second")
    has_lock = threading.Event()

    def write() -> int:
        with second.writing():
            has_lock.set()
            return second.catalog.records.next_run()

    with ThreadPoolExecutor(1) as pool:
        with first.catalog._database.writing() as connection:  # of a writer whose lock is gone already
            waiting = pool.submit(write)
            assert not has_lock.wait(0.3)
            catalog_schema.write_fact(connection, "run", 41)
        assert waiting.result() == 42


# The network


def test_a_cut_network_is_an_error_after_a_bounded_time_and_mended_without_reopening(
    machines: Lab, postgres: PostgresProcess, papers_file: Path
) -> None:
    with wire_to(postgres.port) as wire:
        far = Lab(machines.folder, f"{postgres.address.replace(str(postgres.port), str(wire.port))}?connect_timeout=2",
                  machines.store, machines.library)  # fmt: skip
        settings = far.at("far", database_timeout=1.0)
        with closing(factory.open_library(settings, WordHashEmbedder())) as library:
            pipeline.ingest([papers_file], library)
            assistant = factory.open_assistant(settings, library)
            answer = assistant.ask(BEES)
            for _ in range(2):
                wire.cut()
                with pytest.raises(LibraryError, match=r"cannot be read: .*(no answer within 1 seconds|timeout)"):
                    assistant.ask(BEES)
                with pytest.raises(LibraryWriteError, match=r"cannot be written: .*(no answer within|timeout)"):
                    pipeline.ingest([papers_file], library)
                wire.mend()
                assert assistant.ask(BEES).text == answer.text
            with library.writing():
                wire.cut()
                with pytest.raises(LibraryWriteError, match="cannot be written"):
                    library.remove([answer.citations[0].paper.id])
                wire.mend()
                with pytest.raises(LibraryWriteError, match="cannot be written: the connection that locked it is lost"):
                    library.remove([answer.citations[0].paper.id])
            assert library.compare() == {}


# Several writers


def test_a_second_writer_is_turned_away_at_once_with_the_remedy(machines: Lab, open_at: OpenAt) -> None:
    first, second = open_at("first"), open_at("second")
    with first.writing():
        with pytest.raises(LibraryBusy, match=r"another process is writing to .*; wait until it has finished"):
            pipeline.ingest(PATHS, second)
        with pytest.raises(LibraryBusy):
            factory.reset_indexes(machines.at("second"))
    with second.writing():
        pass


def test_turns_that_two_machines_write_to_one_conversation_at_the_same_time_all_stay(
    machines: Lab, open_at: OpenAt, papers_file: Path
) -> None:
    library = open_at("one")
    pipeline.ingest([papers_file], library)
    settings = machines.at("one")
    answer = factory.open_assistant(settings, library).ask(BEES)
    with (
        closing(factory.open_conversations(settings)) as one,
        closing(factory.open_conversations(machines.at("two"))) as two,
        ThreadPoolExecutor(4) as pool,
    ):
        begun = one.begin().id
        written = pool.map(
            lambda number: (one, two)[number % 2].append(begun, [Turn(f"question {number}", answer)], settings),
            range(20),
        )
        numbers = sorted(number for numbers in written for number in numbers)
        turns = two.turns(begun)
        assert [turn.id for turn in turns] == numbers
        assert {turn.turn.question for turn in turns} == {f"question {number}" for number in range(20)}


# Readers beside a reindex


def test_a_reader_beside_a_reindex_has_the_old_or_the_new_state_or_is_told_to_reindex(
    machines: Lab, open_at: OpenAt, papers_file: Path
) -> None:
    library = open_at("reader")
    pipeline.ingest([papers_file], library)
    assistant = factory.open_assistant(machines.at("reader"), library)
    answer, ends = assistant.ask(BEES), threading.Event()
    epoch = library.catalog.changes.state().generation

    def ask() -> set[str]:
        seen = set()
        while not ends.is_set():
            try:
                seen.add(assistant.ask(BEES).text)
            except LibraryError as error:
                assert "reindex" in str(error), error  # noqa: PT017 - the loop goes on
        return seen

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        for _ in range(2):
            factory.reset_indexes(machines.at("writer"))
            other = factory.open_library(machines.at("writer"), WordHashEmbedder(), for_repair=True)
            with closing(other), other.writing():
                assert indexing.update_indexes(other) == 3
        ends.set()
    assert answer.text in asking.result()
    assert assistant.ask(BEES).text == answer.text
    assert library.catalog.changes.state().generation > epoch
    assert library.compare() == {}
    removal.remove_papers(library, [answer.citations[0].paper.id])
    assert repair.reindex(library) == 2
    assert library.compare() == {}


# All of it together


def ask_for_ever(where: dict[str, Any], answers: Any, ends: Any) -> None:
    """Ask, and send every answer that differs from the one before; only that the library cannot be asked is allowed."""
    settings = load(**where)
    with closing(_open_soon(settings)) as library:
        assistant = factory.open_assistant(settings, library)
        while not ends.is_set():
            with suppress(LibraryError):
                assert_whole(library)
                answers.put([hit.paper.id for hit in assistant.search(BEES).hits])


def _open_soon(settings: Settings) -> Library:
    opened: list[Library] = []

    def try_once() -> bool:
        with suppress(LibraryError):
            opened.append(factory.open_library(settings, WordHashEmbedder(), for_repair=True))
        return bool(opened)

    wait_until(try_once)
    return opened[0]


def test_three_processes_lose_nothing_while_both_servers_are_killed_and_restarted(
    machines: Lab, postgres: PostgresProcess, plain: Everything, papers_file: Path, tmp_path: Path
) -> None:
    chroma = ChromaProcess(tmp_path / "own" / "chroma")
    chroma.start()
    everywhere = Lab(tmp_path, postgres.address, chroma.address, f"lab-{secrets.token_hex(6)}")
    with closing(factory.open_library(everywhere.at("first"), WordHashEmbedder())) as library:
        pipeline.ingest([papers_file], library)
    answers, ends = PROCESSES.Queue(), PROCESSES.Event()
    readers = [start(ask_for_ever, at(everywhere, name), answers, ends) for name in ("one", "two")]
    for server in (postgres, chroma, postgres, chroma):
        writer = start(ingest, at(everywhere, "three"))
        answers.get(timeout=100)
        server.kill()
        writer.join(100)
        server.start()
        assert answers.get(timeout=100)
    ends.set()
    while any(reader.is_alive() for reader in readers):
        with suppress(Exception):
            answers.get(timeout=0.1)
    assert [reader.exitcode for reader in readers] == [0, 0]
    assert exit_code(ingest, at(everywhere, "three")) == 0
    with closing(factory.open_library(everywhere.at("four"), WordHashEmbedder())) as library:
        assert library.compare() == {}
        with closing(factory.open_library(load(home=tmp_path / "folder"), WordHashEmbedder())) as folder:
            for paths in ([papers_file], PATHS):
                pipeline.ingest(paths, folder)
            assert everything(library) == everything(folder)
            shared, own = (
                factory.open_assistant(settings, each).ask(BEES)
                for settings, each in ((everywhere.at("four"), library), (load(home=tmp_path / "folder"), folder))
            )
            assert (shared.text, shared.citations) == (own.text, own.citations)
    chroma.stop()
