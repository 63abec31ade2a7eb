"""A library in PostgreSQL with its vectors on a Chroma server: the very same library as one in a folder, by every verb,
and for every machine that shares it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from assistant import factory
from assistant.chat import Assistant
from assistant.errors import LibraryBusy, SettingsError
from assistant.schema import Filters, Scope, Selection, Sort, Turn
from assistant.settings import Settings, load
from assistant.storage.conversation_schema import Feedback
from assistant.storage.lexicon import TantivyLexicon
from assistant.storage.library import Library
from ingest import indexing, pipeline
from ingest.maintenance import backup, removal
from ingest.maintenance.repair import reindex, repair
from tests.chromas import ChromaProcess
from tests.conftest import BEES, SEEDS, Paperchat
from tests.contract.test_served_library import UnusedEmbedder
from tests.everything import Everything, everything
from tests.fakes import WordHashEmbedder
from tests.faults.test_repair import ACCIDENTS
from tests.postgres import PostgresProcess
from tests.waiting import wait_until
from ui import doctor
from ui.doctor_parts import PartStatus
from ui.following import BackgroundRefresh

pytestmark = pytest.mark.slow

SEED = SEEDS / "004_18424ad33afb765c.txt"
ICE = "Abstract: Ice floats on water because it is light."


@pytest.fixture(autouse=True)
def _embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory, "open_embedder", lambda _: WordHashEmbedder())
    monkeypatch.setattr("ui.doctor.version", lambda _: "9.9")


@pytest.fixture
def database(postgres_server: PostgresProcess) -> str:
    """The address of a new database."""
    name = f"lab_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_server.address.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return postgres_server.address.replace("/postgres", f"/{name}")


@pytest.fixture
def machine(database: str, chroma_server: ChromaProcess, settings: Settings, tmp_path: Path) -> Callable[..., Settings]:
    """Return a function that gives the settings of a machine, by its name; all of them share one library."""

    def settings_of(name: str = "one", library: str | None = None) -> Settings:
        return load(home=tmp_path / name, database=database, store=chroma_server.address, library=library)

    return settings_of


@pytest.fixture
def open_at(machine: Callable[..., Settings]) -> Iterator[Callable[..., Library]]:
    """Return a function that opens the shared library on a machine."""
    opened: list[Library] = []

    def open_one(name: str = "one", library: str | None = None) -> Library:
        opened.append(factory.open_library(machine(name, library), WordHashEmbedder()))
        return opened[-1]

    yield open_one
    for library in opened:
        library.close()


def fill(settings: Settings, *paths: Path) -> Everything:
    """Ingest, and say what the library then holds."""
    with closing(factory.open_library(settings, WordHashEmbedder())) as library:
        pipeline.ingest(paths, library)
        assert library.compare() == {}
        return everything(library)


def content(settings: Settings) -> Everything:
    return fill(settings)


def test_a_shared_library_holds_what_one_in_a_folder_holds_on_every_machine(
    settings: Settings, machine: Callable[..., Settings]
) -> None:
    assert fill(machine("one"), SEED) == fill(settings, SEED)
    assert content(machine("two")) == content(settings)
    assert fill(machine("two"), SEED) == content(settings)
    files = {file.name for file in machine("one").home.iterdir()}
    assert files <= {"lexicon", "lexicon.lock"}, "nothing else of a shared library is on a machine"


def test_papers_are_listed_filtered_and_counted_as_in_a_folder(
    settings: Settings, machine: Callable[..., Settings]
) -> None:
    fill(settings, SEED)
    fill(machine(), SEED)
    with closing(factory.open_catalog(settings)) as ours, closing(factory.open_catalog(machine("two"))) as theirs:
        for sort in Sort:
            for reverse in (False, True):
                assert theirs.papers.page(sort=sort, reverse=reverse, limit=500) == ours.papers.page(
                    sort=sort, reverse=reverse, limit=500
                )
        for words in (("learning",), ("Dämon", "policy"), ("transformer",)):
            assert theirs.papers.page(Selection(words=words)) == ours.papers.page(Selection(words=words))
        for filters in (
            Filters(phrases=("language models",)),
            Filters(without=("reinforcement",)),
            Filters(since=2023, phrases=("reward",)),
            Filters(sources=("004",)),
            Filters(authors=("Smith",)),
        ):
            assert theirs.papers.allowed_ids(filters, Scope()) == ours.papers.allowed_ids(filters, Scope())
        assert theirs.papers.count_recorded() == ours.papers.count_recorded()
        assert theirs.papers.count_by("year") == ours.papers.count_by("year")
        assert theirs.papers.author_names() == ours.papers.author_names()


def test_an_answer_is_the_same_and_tells_nothing_of_the_database(
    paperchat: Paperchat, settings: Settings, machine: Callable[..., Settings], papers_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    fill(settings, papers_file)
    monkeypatch.setenv("PAPERCHAT_HOME", str(settings.home))
    ours = paperchat("ask", BEES, "--json")
    shared = machine()
    assert shared.database
    assert shared.store
    monkeypatch.setenv("PAPERCHAT_HOME", str(shared.home))
    monkeypatch.setenv("PAPERCHAT_DATABASE", shared.database.get_secret_value())
    monkeypatch.setenv("PAPERCHAT_STORE", shared.store)
    assert paperchat("ingest", papers_file).code == 0
    theirs = paperchat("ask", BEES, "--json")
    assert (theirs.code, theirs.err) == (0, "")
    for name in ("text", "citations", "recipe", "strength", "confidence"):
        assert theirs.json[name] == ours.json[name]
    with closing(factory.open_conversations(machine("two"))) as conversations:
        (turn,) = conversations.turns(conversations.latest().id)
    assert turn.turn.question == BEES
    assert "postgres" not in theirs.out + json.dumps(turn.settings)
    assert paperchat("doctor").out.splitlines()[-1] == "All is well."
    assert f"database      {factory.database_location(shared)}\n" in paperchat("status").out


def test_a_machine_finds_at_once_what_another_one_adds_and_not_what_it_deletes(
    open_at: Callable[..., Library], machine: Callable[..., Settings], papers_file: Path, tmp_path: Path
) -> None:
    one, two = open_at("one"), open_at("two")
    assistant = factory.open_assistant(machine("two"), two)
    pipeline.ingest([papers_file], one)
    first = assistant.search(BEES).hits[0].paper
    assert "waggle" in first.abstract
    removal.remove_papers(one, [first.id])
    assert first.id not in [hit.paper.id for hit in assistant.search(BEES).hits]
    more = tmp_path / "more.txt"
    more.write_text(ICE, encoding="utf-8")
    pipeline.ingest([more], two)
    assert everything(one) == everything(two)
    assert one.compare() == two.compare() == {}


def test_a_server_follows_what_others_add_before_anybody_asks(
    open_at: Callable[..., Library], machine: Callable[..., Settings], papers_file: Path
) -> None:
    loaded: Future[Assistant] = Future()
    loaded.set_result(factory.open_assistant(machine("two"), open_at("two")))
    with closing(BackgroundRefresh(machine("two"), loaded, seconds=0.01)):
        pipeline.ingest([papers_file], open_at("one"))
        replica = TantivyLexicon(machine("two").home / factory.LEXICON_FOLDER)

        def has_followed() -> bool:
            replica.refresh()
            return len(replica.paper_ids()) == 3

        wait_until(has_followed)


def test_one_machine_writes_at_a_time_and_the_lock_ends_with_its_holder(open_at: Callable[..., Library]) -> None:
    one, two = open_at("one"), open_at("two")
    with one.writing(), pytest.raises(LibraryBusy, match=r"another process is writing .*PostgreSQL database"):
        two.writing().__enter__()
    with two.writing():
        pass


def test_named_libraries_of_a_database_know_nothing_of_each_other(
    machine: Callable[..., Settings], papers_file: Path, tmp_path: Path
) -> None:
    ice = tmp_path / "ice.txt"
    ice.write_text(ICE, encoding="utf-8")
    fill(machine(), papers_file)
    fill(machine(library="to-read"), ice)
    assert factory.library_names(machine("two")) == [None, "to-read"]
    with closing(factory.open_catalog(machine("two", library="to-read"))) as catalog:
        assert catalog.papers.count() == 1
    assert len(content(machine("two")).papers) == 3


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_a_disagreement_of_the_indexes_is_mended_to_the_very_same_library(
    accident: Callable[[Library], None], machine: Callable[..., Settings], papers_file: Path
) -> None:
    whole = fill(machine(), papers_file)
    with closing(factory.open_library(machine(), WordHashEmbedder())) as library:
        accident(library)
    repair(machine("two"))
    assert content(machine("two")) == whole
    assert content(machine("one")) == whole


def test_a_reindex_begins_anew_on_every_machine(
    machine: Callable[..., Settings], open_at: Callable[..., Library], papers_file: Path
) -> None:
    whole = fill(machine("two"), papers_file)
    factory.reset_indexes(machine("two"))
    reader = open_at("one")
    assert (reader.catalog.papers.count(), reader.lexicon.is_empty()) == (0, True)
    with closing(factory.open_library(machine("two"), for_repair=True)) as library, library.writing():
        assert indexing.update_indexes(library) == 3
    assert everything(reader) == whole
    reindex(open_at("two"))
    assert everything(reader) == whole


@pytest.mark.parametrize("to", ["database", "folder"])
def test_a_library_moves_to_a_database_and_back_by_a_backup_and_nothing_is_embedded_again(
    to: str,
    settings: Settings,
    machine: Callable[..., Settings],
    papers_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, after = (settings, machine()) if to == "database" else (machine(), settings)
    whole = fill(before, papers_file)
    with closing(factory.open_library(before)) as library, closing(factory.open_conversations(before)) as talks:
        answer = factory.open_assistant(before, library).ask(BEES)
        begun = talks.for_owner("ann").begin("Bees")
        (turn_id,) = talks.for_owner("ann").append(begun.id, [Turn(BEES, answer)], before)
        talks.for_owner("ann").set_feedback(turn_id, Feedback(True, note="ok"))
        library.catalog.collections.create("To read", [answer.citations[0].paper.id])
        library.catalog.annotations.set_note(answer.citations[0].paper.id, "Dances, {not} wings")
    backup.backup(before, tmp_path / "saved.zip")
    monkeypatch.setattr(factory, "open_embedder", lambda _: UnusedEmbedder())
    assert backup.restore(after, tmp_path / "saved.zip") == 3
    assert content(after) == whole
    with closing(factory.open_conversations(after)) as talks, closing(factory.open_catalog(after)) as catalog:
        (turn,) = talks.for_owner("ann").turns(begun.id)
        assert (turn.turn.answer.text, turn.feedback and turn.feedback.note) == (answer.text, "ok")
        assert catalog.collections.names() == ["To read"]
        another = talks.for_owner("ann").append(begun.id, [Turn(BEES, answer)], after)
        assert another > [turn_id], "new turns are numbered after those that were restored"
    assert content(before) == whole


def test_a_backup_of_a_shared_library_while_it_is_used_is_whole(
    open_at: Callable[..., Library], machine: Callable[..., Settings], settings: Settings, papers_file: Path,
    tmp_path: Path,
) -> None:  # fmt: skip
    writer = open_at("one")
    pipeline.ingest([papers_file], writer)
    more = tmp_path / "more.txt"
    more.write_text(ICE, encoding="utf-8")
    with writer.writing():  # a writer is no reason to wait
        backup.backup(machine("two"), tmp_path / "saved.zip")
    pipeline.ingest([more], writer)
    assert backup.restore(settings, tmp_path / "saved.zip") == 3


def test_a_database_without_a_store_that_others_reach_is_refused(database: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"PAPERCHAT_STORE.*needs a Chroma server"):
        factory.open_library(load(home=tmp_path / "one", database=database), WordHashEmbedder())


@pytest.mark.parametrize("address", ["mysql://lab/papers", "lab:5432/papers", "postgresql+asyncpg://lab/papers"])
def test_an_address_that_is_none_of_postgresql_is_refused_and_not_shown(address: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"PAPERCHAT_DATABASE.*postgresql\+psycopg://") as caught:
        load(home=tmp_path, database=address)
    assert address not in str(caught.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_the_common_ways_to_write_an_address_mean_the_same_and_hide_the_password(scheme: str, tmp_path: Path) -> None:
    settings = load(home=tmp_path, database=f"{scheme}://ann:hunter2@db.lab:5433/papers", library="cats")
    location = factory.database_location(settings)
    assert str(location) == "PostgreSQL database papers on db.lab:5433, schema paperchat-cats"
    assert "hunter2" not in f"{settings!r} {settings.model_dump(mode='json')} {location!r}"


def test_doctor_checks_every_part_of_a_shared_library_from_every_machine_and_tells_no_password(
    open_at: Callable[..., Library], machine: Callable[..., Settings], database: str
) -> None:
    pipeline.ingest([SEED], open_at())
    for name in ("one", "two"):
        diagnosis = doctor.examine(machine(name))
        assert [(part.name, part.status) for part in diagnosis.parts if part.status is not PartStatus.OK] == []
        [stored_in] = [part.detail for part in diagnosis.parts if part.name == "database"]
        address = urlsplit(database)
        assert stored_in.startswith("postgresql ")
        assert f"{address.path[1:]} on {address.hostname}:{address.port}" in stored_in
        assert str(address.password) not in json.dumps(doctor.as_json(diagnosis))
