"""The Chroma server away, killed, restarted, or not what it should be: one clear error, and the library as it was.

Ten moments for kills by default; `KILLS=50 pytest tests/faults/test_server_faults.py` tries fifty.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
from pydantic import SecretStr

from assistant import factory
from assistant.chat import Assistant
from assistant.errors import LibraryError, LibraryWriteError, StoreUnavailable
from assistant.settings import Settings
from assistant.storage.chroma_location import ChromaServer
from assistant.storage.library import Library
from ingest import indexing, pipeline
from ingest.maintenance import backup
from ingest.maintenance.repair import repair
from tests.chromas import ChromaProcess
from tests.conftest import BEES, SEEDS, Paperchat
from tests.everything import Everything, everything
from tests.fakes import WordHashEmbedder
from tests.fronts import Front, Script, Visitor, before, pass_on
from tests.processes import MOMENTS, kill_after

pytestmark = pytest.mark.slow

PATH = SEEDS / "004_18424ad33afb765c.txt"
TOKEN = "hunter2"  # noqa: S105


@pytest.fixture(autouse=True)
def _embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory, "open_embedder", lambda _: WordHashEmbedder())
    monkeypatch.setattr("ui.doctor.version", lambda _: "9.9")


@pytest.fixture
def served(settings: Settings, server: ChromaProcess) -> Settings:
    """Settings of a library on that server."""
    return settings.model_copy(update={"store": server.address})


@pytest.fixture
def on_server(
    paperchat: Paperchat, server: ChromaProcess, papers_file: Path, monkeypatch: pytest.MonkeyPatch
) -> Paperchat:
    """The command over a library of the three papers on that server."""
    monkeypatch.setenv("PAPERCHAT_STORE", server.address)
    assert paperchat("ingest", papers_file).code == 0
    return paperchat


def content(settings: Settings) -> Everything:
    with closing(factory.open_library(settings, WordHashEmbedder(), for_repair=True)) as library:
        assert library.compare() == {}
        return everything(library)


# Away


VERBS = [
    ("ask", BEES),
    ("search", BEES),
    ("verify", "Bees dance."),
    ("ingest", "FILE"),
    ("reindex",),
    ("delete", "--filter", "bees", "--yes"),
    ("status",),
    ("backup", "SAVED"),
    ("doctor", "--repair"),
]


def test_every_verb_that_needs_the_vectors_says_in_one_line_that_the_server_is_away_and_changes_nothing(
    on_server: Paperchat, served: Settings, server: ChromaProcess, papers_file: Path, tmp_path: Path
) -> None:
    before, names = content(served), {"FILE": papers_file, "SAVED": tmp_path / "saved.zip"}
    server.stop()
    for verb in VERBS:
        done = on_server(*(names.get(word, word) for word in verb))
        assert (done.code, done.out) == (1, ""), verb
        assert done.err.count("\n") == 1, done.err
        assert f"store on the Chroma server {server.address} cannot be " in done.err
        assert "no connection" in done.err
        assert "is the server running?" in done.err
    assert not (tmp_path / "saved.zip").exists()
    assert [paper["id"] for paper in on_server("list", "--json").json] == [paper.id for paper in before.papers]
    server.start()
    assert content(served) == before


def test_doctor_names_the_server_that_is_away_among_its_problems(on_server: Paperchat, server: ChromaProcess) -> None:
    server.stop()
    found = on_server("doctor", "--json")
    assert found.code == 1
    (problem,) = found.json["problems"]
    assert f"{server.address} cannot be opened: no connection" in problem


def test_a_restore_without_the_server_leaves_the_library_as_it_was(
    on_server: Paperchat, served: Settings, server: ChromaProcess, papers_file: Path, tmp_path: Path
) -> None:
    backup.backup(served, tmp_path / "saved.zip")
    more = tmp_path / "more.txt"
    more.write_text("Abstract: Ice floats on water because it is light.", encoding="utf-8")
    assert on_server("ingest", more).code == 0
    before = content(served)
    server.stop()
    done = on_server("restore", tmp_path / "saved.zip", "--yes")
    assert done.code == 1
    assert f"{server.address} cannot be opened: no connection" in done.err
    server.start()
    assert content(served) == before
    assert backup.restore(served, tmp_path / "saved.zip") == 3
    assert len(content(served).vectors) == 3


def test_a_process_that_lost_the_server_says_so_and_answers_again_once_it_is_back(
    on_server: Paperchat, served: Settings, server: ChromaProcess, tmp_path: Path
) -> None:
    more = tmp_path / "more.txt"
    more.write_text("Abstract: Ice floats on water because it is light.", encoding="utf-8")
    with closing(factory.open_library(served)) as library:
        assistant = factory.open_assistant(served, library)
        answer = assistant.ask(BEES)
        for end in (server.stop, server.kill):
            end()
            for _ in range(2):
                with pytest.raises(StoreUnavailable, match=rf"{server.address} cannot be read: no connection"):
                    assistant.ask(BEES)
            server.start()
            assert assistant.ask(BEES).text == answer.text
        # What another process adds is seen too, although the server was away when it was looked for.
        assert on_server("ingest", more).code == 0
        server.stop()
        with pytest.raises(StoreUnavailable):
            assistant.search("ice")
        server.start()
        assert assistant.search("Why does ice float on water?").hits[0].paper.abstract.startswith("Ice floats")


def test_an_ingest_without_the_server_keeps_what_it_read_for_the_next_one(
    on_server: Paperchat, served: Settings, server: ChromaProcess, tmp_path: Path
) -> None:
    more = tmp_path / "more.txt"
    more.write_text("Abstract: Ice floats on water because it is light.", encoding="utf-8")
    with closing(factory.open_library(served)) as library:
        server.stop()
        with pytest.raises(LibraryWriteError, match=rf"{server.address} cannot be written: no connection.*running\?"):
            pipeline.ingest([more], library)
        assert library.catalog.papers.count() == 3
        server.start()
        assert pipeline.ingest([more], library).indexed == 1
        assert library.compare() == {}


# Killed under load


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory, chroma_server: ChromaProcess) -> tuple[Everything, float]:
    """What an ingest that nothing happens to makes, and how many seconds it takes."""
    settings = Settings(home=tmp_path_factory.mktemp("uninterrupted"), store=chroma_server.address)
    with closing(factory.open_library(settings, WordHashEmbedder())) as library:
        started = time.monotonic()
        ingest(library)
        return everything(library), time.monotonic() - started


def ingest(library: Library) -> None:
    """In small batches, so that there are many steps to be killed between, and in."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(indexing, "BATCH_SIZE", 2)
        pipeline.ingest([PATH], library)


@contextmanager
def meanwhile(work: Callable[[], object]) -> Iterator[Future[object]]:
    """Work in a thread; what came of it is known at the end."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(work)


def ask_until(ends: threading.Event, assistant: Assistant) -> None:
    """Ask again and again. Nothing but that the server cannot be asked may go wrong."""
    while not ends.is_set():
        with suppress(StoreUnavailable):
            assistant.search(BEES)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_server_killed_under_load_loses_nothing_once_it_is_back_and_the_ingest_is_run_again(
    moment: int, uninterrupted: tuple[Everything, float], served: Settings, server: ChromaProcess
) -> None:
    expected, seconds = uninterrupted
    with closing(factory.open_library(served)) as library, closing(factory.open_library(served)) as other:
        assistant, ends = factory.open_assistant(served, other), threading.Event()
        with meanwhile(lambda: ask_until(ends, assistant)) as asking:
            with meanwhile(lambda: ingest(library)) as ingesting:
                time.sleep(kill_after(moment, seconds))
                server.kill()
            assert type(ingesting.exception()) in (LibraryWriteError, type(None))  # none where it was done before
            server.start()
            ingest(library)
            ends.set()
        asking.result()
        assert library.compare() == {}
        assert everything(library) == everything(other) == expected
    server.kill()
    server.start()
    assert content(served) == expected


# Not what it should be


def wants_a_token(visitor: Visitor) -> None:
    """As a proxy does that guards a server; it is so unwise as to repeat what it was sent."""
    sent = visitor.headers.get("X-Chroma-Token"), visitor.headers.get("Authorization")
    if sent == (TOKEN, f"Bearer {TOKEN}"):
        pass_on(visitor)
    else:
        visitor.answer(403, f"not allowed with {sent}".encode(), "text/plain")


def refuses_as_chroma(visitor: Visitor) -> None:
    visitor.answer(401, json.dumps({"error": "AuthError", "message": f"Forbidden: {visitor.headers}"}).encode())


def has_no_room(visitor: Visitor) -> None:
    said = f"no space left, said to {visitor.headers['X-Chroma-Token']}"
    visitor.answer(429, json.dumps({"error": "RateLimitError", "message": said}).encode())


def is_silent(visitor: Visitor) -> None:
    visitor.server.closing.wait()


@pytest.fixture
def front(chroma_server: ChromaProcess) -> Iterator[Front]:
    with before(chroma_server) as server:
        yield server


NONSENSE: dict[str, tuple[Script, str]] = {
    "a page": (lambda visitor: visitor.answer(200, b"<!DOCTYPE html><html>\n<p>Hello", "text/html"), "not Chroma"),
    "a gateway": (lambda visitor: visitor.answer(502, b"<html>\n<h1>Bad", "text/html"), "answers 502 Bad Gateway"),
    "a redirection": (lambda visitor: visitor.answer(301, b""), "answers 301 Moved Permanently"),
    "nothing there": (lambda visitor: visitor.answer(404, b""), "answers 404 Not Found"),
    "another program": (lambda visitor: visitor.answer(200, b'{"hello": "world"}'), "not Chroma"),
    "a list": (lambda visitor: visitor.answer(200, b"[]"), "not Chroma"),
    "no text": (lambda visitor: visitor.answer(200, b"\xff\xfe\x00"), "not Chroma"),
    "half an answer": (lambda visitor: visitor.answer(200, b'{"max_', length=99), "no connection"),
    "a hang-up": (lambda visitor: visitor.connection.close(), "no connection"),
    "silence": (is_silent, r"no answer within 3 seconds.*PAPERCHAT_STORE_TIMEOUT"),
    "a refusal": (wants_a_token, "answers 403 Forbidden; PAPERCHAT_STORE_TOKEN is refused"),
    "a refusal of Chroma's": (refuses_as_chroma, "PAPERCHAT_STORE_TOKEN is refused"),
    "a full server": (has_no_room, r"no space left, said to \*\*\*"),
}


# Programs that take whatever they are given; only their replies to questions give them away.
OBLIGING = {"another program", "a list"}


@pytest.fixture
def through(front: Front, settings: Settings) -> Settings:
    """Settings of a library on the server behind the front, with a token that the front may refuse."""
    sent = {"store": front.address, "store_token": SecretStr(f"wrong-{TOKEN}"), "store_timeout": 3.0}
    return settings.model_copy(update=sent)


def shows_no_secret(error: BaseException) -> bool:
    return TOKEN not in str(error) and "\n" not in str(error)


@pytest.mark.parametrize("kind", NONSENSE)
def test_whatever_answers_in_the_servers_place_is_one_clear_error_that_shows_no_secret(
    kind: str, front: Front, through: Settings, papers_file: Path
) -> None:
    with closing(factory.open_library(through)) as library:
        pipeline.ingest([papers_file], library)
        assistant, before = factory.open_assistant(through, library), everything(library)
        front.instead, expected = NONSENSE[kind]
        with pytest.raises(StoreUnavailable, match=rf"server {front.address} cannot be read: .*{expected}") as unread:
            assistant.ask(BEES)
        with pytest.raises(StoreUnavailable, match=rf"server {front.address} cannot be opened: .*{expected}") as shut:
            repair(through)
        assert shows_no_secret(unread.value)
        assert shows_no_secret(shut.value)
        front.instead = None
        assert assistant.ask(BEES).citations
        assert everything(library) == before


@pytest.mark.parametrize("kind", sorted(NONSENSE.keys() - OBLIGING))
def test_what_could_not_be_written_is_one_clear_error_and_is_written_by_the_next_ingest(
    kind: str, front: Front, through: Settings, papers_file: Path
) -> None:
    with closing(factory.open_library(through)) as library:
        front.instead, expected = NONSENSE[kind]
        for _ in range(2):
            with pytest.raises(LibraryError, match=rf"server {front.address} cannot be .*{expected}") as unwritten:
                pipeline.ingest([papers_file], library)
            assert shows_no_secret(unwritten.value)
        front.instead = None
        assert pipeline.ingest([papers_file], library).indexed == 3
        assert library.compare() == {}


def test_a_collection_that_another_process_is_deleting_is_an_error_that_names_the_cure(
    front: Front, through: Settings, papers_file: Path
) -> None:
    reply = {"error": "InvalidArgumentError", "message": "Missing field: [Missing metadata segment]"}
    with closing(factory.open_library(through)) as library:
        pipeline.ingest([papers_file], library)
        front.instead = lambda visitor: visitor.answer(400, json.dumps(reply).encode())
        with pytest.raises(LibraryError, match=r"Missing metadata segment.*; run: paperchat reindex"):
            library.store.paper_ids()


def test_a_server_that_cannot_be_asked_is_not_asked_again_for_each_paper(
    front: Front, through: Settings, papers_file: Path
) -> None:
    asked: list[str] = []

    def refuses(visitor: Visitor) -> None:
        asked.append(visitor.path)
        visitor.answer(503, b"")

    with closing(factory.open_library(through)) as library:
        pipeline.ingest([papers_file], library)
        ids = library.store.paper_ids()
        front.instead = refuses
        with pytest.raises(StoreUnavailable, match="answers 503 Service Unavailable"):
            library.store.vectors(ids)
        assert len(asked) == 1


def test_a_server_behind_a_token_is_used_with_it_and_says_so_without_it(
    front: Front, settings: Settings, papers_file: Path
) -> None:
    front.instead = wants_a_token
    there = settings.model_copy(update={"store": front.address})
    with pytest.raises(StoreUnavailable, match="answers 403 Forbidden; PAPERCHAT_STORE_TOKEN is not set"):
        factory.open_library(there)
    known = there.model_copy(update={"store_token": SecretStr(TOKEN)})
    with closing(factory.open_library(known)) as library:
        assert pipeline.ingest([papers_file], library).indexed == 3
        assert library.compare() == {}


@pytest.mark.parametrize(("setting", "said"), [("store_tenant", "nobody"), ("store_database", "nowhere")])
def test_a_tenant_or_database_that_is_not_there_is_named(
    setting: str, said: str, settings: Settings, chroma_server: ChromaProcess
) -> None:
    there = settings.model_copy(update={"store": chroma_server.address, setting: said})
    with pytest.raises(LibraryError, match=rf"{chroma_server.address} cannot be opened: .* does not exist .*{said}"):
        factory.open_library(there)


@pytest.mark.parametrize("written", [False, True])
def test_a_search_that_meets_the_first_write_to_a_collection_finds_what_is_there(
    written: bool, front: Front, through: Settings, papers_file: Path
) -> None:
    failed: list[str] = []

    def fails_three_times(visitor: Visitor) -> None:
        if len(failed) == 3 or not visitor.path.endswith("/query"):
            pass_on(visitor)
            return
        failed.append(visitor.path)
        said = "Error executing plan: Internal error: Error creating hnsw segment reader: Nothing found on disk"
        visitor.answer(500, json.dumps({"error": "InternalError", "message": said}).encode())

    with closing(factory.open_library(through)) as library:
        if written:
            pipeline.ingest([papers_file], library)
        front.instead = fails_three_times
        found = library.store.search(library.embedder.encode_queries([BEES])[0].vector, 5)
        assert (len(found), len(failed)) == ((3, 3) if written else (0, 1))


def test_a_token_is_not_part_of_what_a_place_looks_like() -> None:
    assert TOKEN not in repr(ChromaServer("http://host:1", "name", "tenant", "database", 1.0, TOKEN))
