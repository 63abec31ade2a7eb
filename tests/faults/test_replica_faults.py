"""The replica of the lexicon on a machine: lost, damaged, behind, of another library. It ends as the catalog is."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from assistant.errors import LibraryError, LibraryWriteError
from assistant.schema import Paper
from assistant.storage.catalog import Catalog
from assistant.storage.lexicon_replica import LexiconReplica
from assistant.storage.postgres import PostgresSchema
from tests.postgres import PostgresProcess
from tests.processes import exit_code, start
from tests.unit.storage.catalogs import change, keep

pytestmark = pytest.mark.slow

ICE = Paper(id="01", abstract="Glaciers lose their ice.")
BEES = Paper(id="02", abstract="Honey bees dance.")
BREAD = Paper(id="03", abstract="Sourdough bread rises.")
Content = dict[str, set[str]]


@pytest.fixture
def schema(postgres_server: PostgresProcess) -> PostgresSchema:
    return postgres_server.schema()


@pytest.fixture
def catalog(schema: PostgresSchema) -> Iterator[Catalog]:
    """A catalog that has changed a few times."""
    with closing(Catalog(schema)) as opened:
        for paper in (ICE, BEES, BREAD):
            keep(opened, paper)
        opened.delete([BREAD.id])
        opened.ledger.mark_removed([BREAD.id])
        yield opened


@pytest.fixture
def follow(catalog: Catalog, tmp_path: Path) -> Callable[[], LexiconReplica]:
    """Opens the replica of this machine, brought up to date."""

    def open_one() -> LexiconReplica:
        replica = LexiconReplica(tmp_path / "lexicon", catalog.changes)
        replica.refresh()
        return replica

    return open_one


def content(replica: LexiconReplica) -> Content:
    """The papers, and those that searches find."""
    words = ("ice", "bees", "bread", "snow")
    return {"": replica.paper_ids()} | {word: {hit.paper_id for hit in replica.search(word, 9)} for word in words}


EXPECTED: Content = {"": {"01", "02"}, "ice": {"01"}, "bees": {"02"}, "bread": set(), "snow": set()}
Follow = Callable[[], LexiconReplica]


def files_of(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if not file.name.endswith(".lock"))


def test_a_replica_that_is_deleted_is_made_anew(follow: Follow, tmp_path: Path) -> None:
    assert content(follow()) == EXPECTED
    shutil.rmtree(tmp_path / "lexicon")
    assert content(follow()) == EXPECTED


@pytest.mark.parametrize("accident", ["missing", "cut short", "empty", "overwritten"])
def test_a_replica_with_a_damaged_file_is_made_anew(accident: str, follow: Follow, tmp_path: Path) -> None:
    folder = tmp_path / "lexicon"
    follow()
    kinds = [file.suffix or file.name for file in files_of(folder)]
    for number in range(len(kinds)):
        file = files_of(folder)[number % len(files_of(folder))]
        data = file.read_bytes()
        file.unlink()
        damaged = {"missing": None, "cut short": data[: len(data) // 2], "empty": b"", "overwritten": b"\xff" * 300}
        if (rest := damaged[accident]) is not None:
            file.write_bytes(rest)
        assert content(follow()) == EXPECTED, file.name


STATES = {
    "nonsense": "{",
    "a list": "[]",
    "other fields": '{"library": 1}',
    "of another library": '{"library": 1, "generation": 4}',
    "of the future": '{"library": THIS, "generation": 99}',
    "of text": '{"library": "x", "generation": "y"}',
}


@pytest.mark.parametrize("kind", STATES)
def test_a_replica_whose_state_is_wrong_begins_again(
    kind: str, follow: Follow, catalog: Catalog, tmp_path: Path
) -> None:
    follow()
    file = tmp_path / "lexicon" / "replica.json"
    file.write_text(STATES[kind].replace("THIS", str(catalog.library_id)), encoding="utf-8")
    assert content(follow()) == EXPECTED
    assert json.loads(file.read_text(encoding="utf-8"))["library"] == catalog.library_id


def test_a_home_that_belonged_to_another_library_takes_the_papers_of_this_one(
    follow: Follow, postgres_server: PostgresProcess, tmp_path: Path
) -> None:
    with closing(Catalog(postgres_server.schema())) as other:
        for number in range(9):
            keep(other, Paper(id=f"9{number}", abstract="Snow falls."))
        LexiconReplica(tmp_path / "lexicon", other.changes).refresh()
    assert content(follow()) == EXPECTED


def test_a_replica_that_is_deleted_while_it_is_open_is_made_anew_with_the_next_change(
    follow: Follow, catalog: Catalog, tmp_path: Path
) -> None:
    replica = follow()
    shutil.rmtree(tmp_path / "lexicon")
    assert content(replica) == EXPECTED
    keep(catalog, BREAD)
    replica.refresh()
    assert content(replica) == EXPECTED | {"": {"01", "02", "03"}, "bread": {"03"}}
    assert content(follow()) == content(replica)


def test_a_crash_between_the_lexicon_and_its_state_is_repaired_by_the_next_catch_up(
    follow: Follow, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    replica = follow()
    keep(catalog, BREAD)
    catalog.delete([ICE.id])
    catalog.ledger.mark_removed([ICE.id])

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(LexiconReplica, "_write_state", crash)
        with pytest.raises(KeyboardInterrupt):
            replica.refresh()
    expected = {"": {"02", "03"}, "ice": set(), "bees": {"02"}, "bread": {"03"}, "snow": set()}
    assert content(follow()) == expected
    replica.refresh()
    assert content(replica) == expected


def test_a_pause_of_many_changes_is_caught_up_in_one_step(follow: Follow, catalog: Catalog) -> None:
    replica = follow()
    for number in range(40):
        keep(catalog, Paper(id=f"5{number % 7}", abstract=f"Snow number {number}."))
        if number % 3 == 0:
            catalog.delete([f"5{number % 7}"])
            catalog.ledger.mark_removed([f"5{number % 7}"])
    expected = {f"5{number}" for number in range(7)} & catalog.ledger.indexed_ids()
    replica.refresh()
    assert content(replica) == EXPECTED | {"": {"01", "02"} | expected, "snow": expected}
    again = follow()
    assert content(again) == content(replica)
    assert again.search("37", 5)[0].paper_id == "52"
    assert again.search("30", 5) == []


def test_a_paper_that_has_changed_is_searched_in_its_new_form_once_the_indexes_have_it(
    follow: Follow, catalog: Catalog
) -> None:
    replica = follow()
    snow = Paper(id=ICE.id, abstract="Snow falls.")
    catalog.put([change(snow)], run=2)
    keep(catalog, BREAD)
    replica.refresh()
    assert content(replica)["ice"] == {"01"}
    catalog.ledger.mark_indexed([snow])
    replica.refresh()
    assert content(replica) == {"": {"01", "02", "03"}, "ice": set(), "bees": {"02"}, "bread": {"03"}, "snow": {"01"}}
    assert content(follow()) == content(replica)


def test_a_new_epoch_empties_the_replica_until_papers_are_indexed_again(follow: Follow, catalog: Catalog) -> None:
    replica = follow()
    catalog.ledger.clear()
    replica.refresh()
    assert replica.is_empty()
    catalog.ledger.mark_indexed([ICE])
    replica.refresh()
    assert replica.paper_ids() == {"01"}
    catalog.ledger.mark_indexed([BEES])
    replica.refresh()
    assert content(replica) == content(follow()) == EXPECTED


def catch_up(schema: PostgresSchema, folder: Path) -> None:
    with closing(Catalog(schema)) as catalog:
        replica = LexiconReplica(folder, catalog.changes)
        replica.refresh()
        assert replica.paper_ids() == catalog.ledger.indexed_ids()


def test_processes_of_a_machine_that_catch_up_together_share_one_replica(
    follow: Follow, catalog: Catalog, schema: PostgresSchema, tmp_path: Path
) -> None:
    folder = tmp_path / "lexicon"
    processes = [start(catch_up, schema, folder) for _ in range(3)]
    for process in processes:
        process.join(100)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    (folder / "meta.json").write_text("{", encoding="utf-8")
    assert exit_code(catch_up, schema, folder) == 0
    assert content(follow()) == EXPECTED


def test_a_replica_that_catches_up_beside_a_writer_has_states_of_the_catalog_only(
    follow: Follow, catalog: Catalog, schema: PostgresSchema
) -> None:
    """Both papers of a pair are marked together, so that no state has one of them."""
    ends = threading.Event()
    replica = follow()

    def look() -> set[int]:
        sizes = set()
        while not ends.is_set():
            replica.refresh()
            sizes.add(len(replica.search("snow", 99)) % 2)
        return sizes

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        for number in range(10):
            pair = [Paper(id=f"{half}{number}", abstract="Snow falls.") for half in "78"]
            keep(catalog, *pair)
        ends.set()
    assert looking.result() == {0}
    replica.refresh()
    assert len(replica.search("snow", 99)) == 20


def test_a_database_that_is_lost_during_a_catch_up_leaves_the_replica_as_it_was_and_free(
    follow: Follow, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    replica = follow()
    keep(catalog, BREAD)
    with monkeypatch.context() as patched:
        patched.setattr("assistant.storage.change_log.paper_of", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError) as failure:
            replica.refresh()
    assert content(replica) == EXPECTED
    replica.refresh()  # although the failure is still known, and what it refers to
    assert failure.value
    assert replica.paper_ids() == {"01", "02", "03"}


def test_a_folder_that_cannot_be_written_is_an_error_that_names_it(
    follow: Follow, catalog: Catalog, tmp_path: Path
) -> None:
    replica = follow()
    state = tmp_path / "lexicon" / "replica.json"
    state.unlink()
    state.mkdir()
    keep(catalog, BREAD)
    with pytest.raises(LibraryWriteError, match=r"the lexicon in .*lexicon cannot be written"):
        replica.refresh()
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(LibraryError, match=r"the lexicon in .*file.lexicon cannot be"):
        LexiconReplica(tmp_path / "file" / "lexicon", catalog.changes)
