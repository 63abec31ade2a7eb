"""The contract of every VectorStore: in a folder, on a real Chroma server, in one collection or in shards."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from assistant.errors import LibraryError, LibraryWriteError, RecipeMismatch
from assistant.protocols import VectorStore
from assistant.schema import Chunk, PaperScore, Recipe
from assistant.storage.chroma_collection import ChromaCollection, stored_recipe
from assistant.storage.chroma_location import ChromaFolder, ChromaLocation
from assistant.storage.chroma_store import ChromaStore
from assistant.storage.sharded_store import open_store as open_store_at
from tests.chromas import ChromaProcess
from tests.processes import exit_code

if TYPE_CHECKING:
    from assistant.encodings import Vectors

RECIPE = Recipe("word-hash", "1", dimension=3, chunk_tokens=256, chunking="whole", analyzer="plain", words="plain")
EAST = np.array([1, 0, 0], dtype=np.float32)

Open = Callable[[], VectorStore]


@dataclass(frozen=True)
class Place:
    """Where a store is, and over how many shards a new one is spread."""

    location: ChromaLocation
    shards: int = 1

    def open(self, recipe: Recipe = RECIPE) -> VectorStore:
        return open_store_at(self.location, recipe, self.shards)


@pytest.fixture(params=["folder", "server", "shards"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Return a folder, or a new collection on a server, or several."""
    if request.param == "folder":
        return Place(ChromaFolder(tmp_path))
    server: ChromaProcess = request.getfixturevalue("chroma_server")
    return Place(server.location(), shards=3 if request.param == "shards" else 1)


@pytest.fixture
def open_store(place: Place) -> Iterator[Open]:
    """Return a function that opens the store of the location; each call opens another instance."""
    opened: list[VectorStore] = []

    def open_one() -> VectorStore:
        opened.append(place.open())
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture(params=["just written", "closed and opened again"])
def settled(request: pytest.FixtureRequest, open_store: Open) -> Callable[[VectorStore], VectorStore]:
    """Return a function that gives the store to read after a change: the same, or a reopened one."""

    def settle(store: VectorStore) -> VectorStore:
        if request.param == "just written":
            return store
        store.close()
        return open_store()

    return settle


def chunks(*paper_ids: str) -> list[Chunk]:
    """Return a chunk for each id; a repeated id makes the next chunk of the paper."""
    return [
        Chunk(paper_id, paper_ids[:index].count(paper_id), "text", 0, 4, year=2020 if paper_id == "a" else None)
        for index, paper_id in enumerate(paper_ids)
    ]


def turned(*degrees: float) -> Vectors:
    """Return unit vectors at these angles from EAST, in degrees."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], axis=1).astype(np.float32)


def ids(hits: Sequence[PaperScore]) -> list[str]:
    return [hit.paper_id for hit in hits]


def test_an_empty_store_is_empty_and_returns_no_hits(open_store: Open) -> None:
    store = open_store()
    assert store.is_empty()
    assert store.paper_ids() == set()
    assert store.search(EAST, 5) == []


def test_search_is_best_first_and_scores_are_cosines(
    open_store: Open, settled: Callable[[VectorStore], VectorStore]
) -> None:
    store = open_store()
    store.replace(chunks("far", "near", "behind"), turned(60, 10, 180))
    hits = settled(store).search(EAST, 5)
    assert ids(hits) == ["near", "far", "behind"]
    assert [hit.score for hit in hits] == pytest.approx([np.cos(np.radians(10)), 0.5, -1.0], abs=1e-5)


def test_a_paper_is_found_once_by_its_best_chunk(
    open_store: Open, settled: Callable[[VectorStore], VectorStore]
) -> None:
    store = open_store()
    store.replace(chunks("a", "a", "a", "b"), turned(90, 0, 45, 30))
    hits = settled(store).search(EAST, 5)
    assert ids(hits) == ["a", "b"]
    assert hits[0].score == pytest.approx(1.0, abs=1e-5)


def test_vectors_are_returned_in_the_order_of_the_chunks(
    open_store: Open, settled: Callable[[VectorStore], VectorStore]
) -> None:
    store = open_store()
    store.replace(chunks("a", "b", "a"), turned(10, 20, 30))
    store = settled(store)
    vectors = store.vectors(["a", "b", "nobody"])
    assert vectors.keys() == {"a", "b"}
    assert vectors["a"] == pytest.approx(turned(10, 30), abs=1e-6)
    assert vectors["b"] == pytest.approx(turned(20), abs=1e-6)
    assert store.vectors([]) == {}


def test_a_paper_that_lacks_a_chunk_has_no_vectors(open_store: Open) -> None:
    store = open_store()
    store.replace(chunks("a", "a", "b")[1:], turned(10, 20))
    assert store.paper_ids() == {"a", "b"}
    assert store.vectors(["a", "b"]).keys() == {"b"}


def test_search_returns_at_most_limit_papers(open_store: Open) -> None:
    store = open_store()
    store.replace(chunks("c", "a", "b"), turned(30, 10, 20))
    assert ids(store.search(EAST, 2)) == ["a", "b"]


def test_a_paper_of_many_chunks_does_not_crowd_out_others(open_store: Open) -> None:
    store = open_store()
    store.replace(chunks(*"aaaaaaaa", "b", "c"), turned(1, 2, 3, 4, 5, 6, 7, 8, 40, 50))
    assert ids(store.search(EAST, 2)) == ["a", "b"]


@pytest.mark.parametrize("allowed_ids", [["b"], {"c", "b"}, ["b", "nobody"], ("c", "b", "d"), list("abcde")])
def test_a_search_within_allowed_ids_returns_the_best_of_these(open_store: Open, allowed_ids: Collection[str]) -> None:
    store = open_store()
    store.replace(chunks(*"abbcde"), turned(10, 50, 20, 30, 40, 60))
    expected = [hit for hit in store.search(EAST, 5) if hit.paper_id in allowed_ids]
    hits = store.search(EAST, 5, allowed_ids)
    assert ids(hits) == ids(expected)
    assert [hit.score for hit in hits] == pytest.approx([hit.score for hit in expected], abs=1e-6)
    assert store.search(EAST, 1, allowed_ids) == hits[:1]


def test_a_search_within_no_indexed_paper_returns_no_hits(open_store: Open) -> None:
    store = open_store()
    assert store.search(EAST, 5, ["a"]) == []
    store.replace(chunks("a", "b"), turned(10, 20))
    assert store.search(EAST, 5, []) == []
    assert store.search(EAST, 5, ["nobody"]) == []


@pytest.mark.parametrize("every", [2, 7, 60, 300])
def test_a_filtered_search_fills_its_limit_for_any_share_of_allowed_papers(open_store: Open, every: int) -> None:
    store = open_store()
    many = [f"{number:04}" for number in range(600)]
    store.replace(chunks(*many), turned(*(number / 4 for number in range(600))))
    allowed_ids = many[::-1][::every]
    assert ids(store.search(EAST, 20, allowed_ids)) == sorted(allowed_ids)[:20]
    assert store.search(EAST, 20, ["nobody"]) == []


def test_replacing_again_changes_nothing(open_store: Open, settled: Callable[[VectorStore], VectorStore]) -> None:
    store = open_store()
    for _ in range(3):
        store.replace(chunks("a", "b"), turned(10, 20))
    store = settled(store)
    assert ids(store.search(EAST, 10)) == ["a", "b"]
    assert store.paper_ids() == {"a", "b"}


def test_replace_removes_every_earlier_chunk_of_its_papers(
    open_store: Open, settled: Callable[[VectorStore], VectorStore]
) -> None:
    store = open_store()
    store.replace(chunks("a", "a", "a", "b"), turned(0, 10, 20, 45))
    store.replace(chunks("a"), turned(90))
    hits = settled(store).search(EAST, 5)
    assert ids(hits) == ["b", "a"]
    assert hits[1].score == pytest.approx(0.0, abs=1e-5)


def test_replace_leaves_other_papers_alone(open_store: Open, settled: Callable[[VectorStore], VectorStore]) -> None:
    store = open_store()
    store.replace(chunks("a", "a"), turned(10, 20))
    store.replace(chunks("b"), turned(30))
    assert settled(store).paper_ids() == {"a", "b"}


def test_replacing_nothing_is_allowed(open_store: Open) -> None:
    store = open_store()
    store.replace(chunks("a"), turned(10))
    store.replace([], turned())
    assert store.paper_ids() == {"a"}


def test_remove_removes_papers(open_store: Open, settled: Callable[[VectorStore], VectorStore]) -> None:
    store = open_store()
    store.replace(chunks("a", "a", "b"), turned(10, 20, 30))
    store.remove(["a"])
    store = settled(store)
    assert store.paper_ids() == {"b"}
    assert ids(store.search(EAST, 5)) == ["b"]
    store.remove(["b"])
    assert settled(store).is_empty()


@pytest.mark.parametrize("unknown", [[], ["nobody"], ["nobody", "b"], {"nobody"}])
def test_remove_ignores_unknown_ids(open_store: Open, unknown: Sequence[str]) -> None:
    store = open_store()
    store.remove(unknown)
    store.replace(chunks("a", "b"), turned(10, 20))
    store.remove(unknown)
    assert store.paper_ids() == {"a", "b"} - set(unknown)


@pytest.mark.slow
def test_tens_of_thousands_of_papers_go_in_and_out_in_one_call(open_store: Open) -> None:
    store = open_store()
    many = [f"{number:05}" for number in range(33_000)]  # Chroma gives no more than 32,766 with their fields
    store.replace(chunks("a"), turned(10))
    store.replace([Chunk(paper_id, 0, "text", 0, 4) for paper_id in many], turned(*range(33_000)))
    assert store.paper_ids() == {"a", *many}
    assert len(store.search(EAST, 32_900)) == 32_900
    store.remove(many)
    assert store.paper_ids() == {"a"}


def test_refresh_sees_what_a_second_instance_wrote(open_store: Open) -> None:
    reader, writer = open_store(), open_store()
    writer.replace(chunks("a", "b"), turned(10, 20))
    reader.refresh()
    assert ids(reader.search(EAST, 5)) == ["a", "b"]
    writer.remove(["a"])
    reader.refresh()
    assert ids(reader.search(EAST, 5)) == ["b"]


def test_refresh_sees_what_another_process_wrote(open_store: Open, place: Place) -> None:
    reader = open_store()
    reader.replace(chunks("a"), turned(10))
    assert ids(reader.search(EAST, 5)) == ["a"]
    assert exit_code(write_elsewhere, place) == 0
    reader.refresh()
    assert ids(reader.search(EAST, 5)) == ["a", "b"]


def write_elsewhere(place: Place) -> None:
    """Write from another process."""
    store = place.open()
    store.replace(chunks("b"), turned(20))
    store.close()


@pytest.mark.parametrize("changed", [{"embedder": "other"}, {"revision": "2"}, {"dimension": 4}, {"chunk_tokens": 9}])
def test_another_recipe_is_refused_with_what_changed_and_the_cure(place: Place, changed: dict[str, object]) -> None:
    place.open().close()
    with pytest.raises(RecipeMismatch, match=f"{next(iter(changed))} .* paperchat reindex") as mismatch:
        place.open(replace(RECIPE, **changed))  # type: ignore[arg-type]
    assert "\n" not in str(mismatch.value)
    place.open().close()


def test_the_stored_recipe_is_read_without_opening_the_store(place: Place) -> None:
    assert stored_recipe(place.location) is None
    place.open().close()
    assert stored_recipe(place.location) == asdict(RECIPE)


def test_a_wiped_store_takes_another_recipe_and_has_another_stamp(place: Place) -> None:
    with closing(place.open()) as store:
        store.replace(chunks("a"), turned(10))
        stamp = store.stamp
    with closing(place.open()) as again:
        assert again.stamp == stamp
    place.location.wipe()
    place.location.wipe()
    with closing(place.open(replace(RECIPE, revision="2"))) as fresh:
        assert fresh.is_empty()
        assert fresh.stamp != stamp


def test_a_store_that_was_replaced_is_read_after_a_refresh(open_store: Open, place: Place) -> None:
    reader = open_store()
    reader.replace(chunks("a"), turned(10))
    if isinstance(place.location, ChromaFolder):
        reader.close()  # a folder must not be open when it is wiped
    place.location.wipe()
    open_store().replace(chunks("b"), turned(20))
    reader.refresh()
    assert ids(reader.search(EAST, 5)) == ["b"]


def test_a_store_that_vanishes_while_open_is_an_error_and_is_not_created_again(open_store: Open, place: Place) -> None:
    reader = open_store()
    reader.replace(chunks("a"), turned(10))
    if isinstance(place.location, ChromaFolder):
        reader.close()
    place.location.wipe()
    for use in (lambda: reader.refresh(), lambda: reader.search(EAST, 5), lambda: reader.remove(["a"])):
        with pytest.raises(LibraryError, match="paperchat reindex"):
            use()
    assert stored_recipe(place.location) is None


def in_database(folder: Path, statement: str) -> None:
    """Change the database of the store directly."""
    with closing(sqlite3.connect(folder / "chroma.sqlite3")) as connection, connection:
        connection.execute(statement)


def no_database(folder: Path) -> None:
    (folder / "chroma.sqlite3").write_bytes(b"no database at all " * 100)


def no_collections(folder: Path) -> None:
    in_database(folder, "DROP TABLE collections")


@pytest.mark.parametrize("damage", [no_database, no_collections])
def test_a_damaged_store_is_a_library_error_and_opens_in_the_same_process_after_repair(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    folder, whole = tmp_path / "store", tmp_path / "whole"
    with closing(ChromaStore(ChromaFolder(folder), RECIPE)) as store:
        store.replace(chunks("a"), turned(10))
    shutil.copytree(folder, whole)
    damage(folder)
    with pytest.raises(LibraryError, match=r"cannot be opened .*paperchat reindex"):
        ChromaStore(ChromaFolder(folder), RECIPE)
    shutil.rmtree(folder)
    shutil.copytree(whole, folder)
    with closing(ChromaStore(ChromaFolder(folder), RECIPE)) as store:
        assert ids(store.search(EAST, 5)) == ["a"]


@pytest.mark.parametrize("fails", ["to open", "to be wiped"])
def test_a_store_that_fails_leaves_the_other_stores_of_the_process_alone(tmp_path: Path, fails: str) -> None:
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    no_database(damaged)
    sound = ChromaStore(ChromaFolder(tmp_path / "sound"), RECIPE)
    sound.replace(chunks("a"), turned(10))
    if fails == "to open":
        with pytest.raises(LibraryError):
            ChromaStore(ChromaFolder(damaged), RECIPE)
    else:
        ChromaFolder(damaged).wipe()
        assert not damaged.exists()
    with closing(ChromaStore(ChromaFolder(tmp_path / "sound"), RECIPE)) as second:
        sound.close()
        assert ids(second.search(EAST, 5)) == ["a"]


NO_WRITING = "CREATE TRIGGER full BEFORE INSERT ON embeddings_queue BEGIN SELECT RAISE(ABORT, 'disk full'); END"


def test_the_write_after_a_failed_write_reopens_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refreshed: list[ChromaCollection] = []
    refresh = ChromaCollection.refresh

    def counted(collection: ChromaCollection) -> None:
        refreshed.append(collection)
        refresh(collection)

    monkeypatch.setattr(ChromaCollection, "refresh", counted)
    with closing(ChromaStore(ChromaFolder(tmp_path), RECIPE)) as store:
        store.replace(chunks("a"), turned(10))
        in_database(tmp_path, NO_WRITING)
        with pytest.raises(LibraryWriteError, match=r"cannot be written: .*disk full"):
            store.replace(chunks("b"), turned(20))
        assert refreshed == []
        assert ids(store.search(EAST, 5)) == ["a"]
        in_database(tmp_path, "DROP TRIGGER full")
        store.replace(chunks("b", "c"), turned(20, 30))
        assert len(refreshed) == 1
        store.replace(chunks("d"), turned(40))
        assert len(refreshed) == 1
        assert ids(store.search(EAST, 5)) == ["a", "b", "c", "d"]


READS: dict[str, Callable[[VectorStore], object]] = {
    "search": lambda store: store.search(EAST, 5),
    "paper_ids": lambda store: store.paper_ids(),
    "is_empty": lambda store: store.is_empty(),
}


@pytest.mark.parametrize("read", READS)
def test_a_store_that_cannot_be_read_is_a_library_error_with_the_remedy(tmp_path: Path, read: str) -> None:
    with closing(ChromaStore(ChromaFolder(tmp_path), RECIPE)) as store:
        store.replace(chunks("a"), turned(10))
        in_database(tmp_path, "DROP TABLE embeddings")
        with pytest.raises(LibraryError, match=r"cannot be read \(.*embeddings\); run: paperchat reindex"):
            READS[read](store)


@pytest.mark.parametrize("read", READS)
def test_a_store_that_cannot_be_reopened_is_a_library_error_until_it_can(tmp_path: Path, read: str) -> None:
    database, away = tmp_path / "chroma.sqlite3", tmp_path / "away"
    with closing(ChromaStore(ChromaFolder(tmp_path), RECIPE)) as store:
        store.replace(chunks("a"), turned(10))
        before = READS[read](store)
        database.rename(away)
        no_database(tmp_path)
        for use in (ChromaStore.refresh, READS[read], lambda store: store.remove(["b"])):
            with pytest.raises(LibraryError, match="cannot be opened"):
                use(store)
        away.replace(database)
        assert READS[read](store) == before
        store.replace(chunks("b"), turned(20))
        assert ids(store.search(EAST, 5)) == ["a", "b"]
