"""What every Store promises, in a folder and on a real Chroma server, just written or closed and opened again."""

from __future__ import annotations

import multiprocessing
import shutil
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from assistant.errors import LibraryError, LibraryWriteError, RecipeMismatch
from assistant.protocols import VectorStore
from assistant.schema import Chunk, Recipe, Scored
from assistant.storage.chroma_location import Folder, Place
from assistant.storage.chroma_store import ChromaStore, held_recipe
from tests.chromas import ChromaServer

if TYPE_CHECKING:
    from assistant.encodings import Vectors

RECIPE = Recipe("word-hash", "1", dimension=3, chunk_tokens=256, chunking="whole", analyzer="plain", words="plain")
EAST = np.array([1, 0, 0], dtype=np.float32)

Open = Callable[[], VectorStore]


@pytest.fixture(params=["folder", "server"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where the store is: a folder, or a collection of its own on a server."""
    if request.param == "folder":
        return Folder(tmp_path)
    server: ChromaServer = request.getfixturevalue("chroma_server")
    return server.place()


@pytest.fixture
def open_store(place: Place) -> Iterator[Open]:
    """Opens the store of one place, as often as asked."""
    opened: list[VectorStore] = []

    def open_one() -> VectorStore:
        opened.append(ChromaStore(place, RECIPE))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture(params=["just written", "closed and opened again"])
def settled(request: pytest.FixtureRequest, open_store: Open) -> Callable[[VectorStore], VectorStore]:
    """What is asked after a change: the same store, or another one over its place."""

    def settle(store: VectorStore) -> VectorStore:
        if request.param == "just written":
            return store
        store.close()
        return open_store()

    return settle


def chunks(*paper_ids: str) -> list[Chunk]:
    """A chunk for each id; an id given again makes the paper's next chunk."""
    return [
        Chunk(paper_id, paper_ids[:at].count(paper_id), "text", 0, 4, year=2020 if paper_id == "a" else None)
        for at, paper_id in enumerate(paper_ids)
    ]


def turned(*degrees: float) -> Vectors:
    """Unit vectors, each so many degrees away from EAST."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], axis=1).astype(np.float32)


def ids(found: Sequence[Scored]) -> list[str]:
    return [each.paper_id for each in found]


def test_an_empty_store_finds_nothing_and_says_that_it_is_empty(open_store: Open) -> None:
    store = open_store()
    assert store.is_empty()
    assert store.paper_ids() == set()
    assert store.search(EAST, 5) == []


def test_search_is_best_first_and_scores_are_cosines(
    open_store: Open, settled: Callable[[VectorStore], VectorStore]
) -> None:
    store = open_store()
    store.replace(chunks("far", "near", "behind"), turned(60, 10, 180))
    found = settled(store).search(EAST, 5)
    assert ids(found) == ["near", "far", "behind"]
    assert [each.score for each in found] == pytest.approx([np.cos(np.radians(10)), 0.5, -1.0], abs=1e-5)


def test_a_paper_is_found_once_by_its_best_chunk(
    open_store: Open, settled: Callable[[VectorStore], VectorStore]
) -> None:
    store = open_store()
    store.replace(chunks("a", "a", "a", "b"), turned(90, 0, 45, 30))
    found = settled(store).search(EAST, 5)
    assert ids(found) == ["a", "b"]
    assert found[0].score == pytest.approx(1.0, abs=1e-5)


def test_the_vectors_of_papers_are_given_back_in_the_order_of_their_chunks(
    open_store: Open, settled: Callable[[VectorStore], VectorStore]
) -> None:
    store = open_store()
    store.replace(chunks("a", "b", "a"), turned(10, 20, 30))
    found = settled(store).vectors(["a", "b", "nobody"])
    assert found.keys() == {"a", "b"}
    assert found["a"] == pytest.approx(turned(10, 30), abs=1e-6)
    assert found["b"] == pytest.approx(turned(20), abs=1e-6)
    assert store.vectors([]) == {}


def test_a_paper_that_lacks_a_chunk_has_no_vectors(open_store: Open) -> None:
    store = open_store()
    store.replace(chunks("a", "a", "b")[1:], turned(10, 20))
    assert store.paper_ids() == {"a", "b"}
    assert store.vectors(["a", "b"]).keys() == {"b"}


def test_search_returns_at_most_as_many_papers_as_asked(open_store: Open) -> None:
    store = open_store()
    store.replace(chunks("c", "a", "b"), turned(30, 10, 20))
    assert ids(store.search(EAST, 2)) == ["a", "b"]


def test_a_paper_of_many_chunks_does_not_crowd_out_others(open_store: Open) -> None:
    store = open_store()
    store.replace(chunks(*"aaaaaaaa", "b", "c"), turned(1, 2, 3, 4, 5, 6, 7, 8, 40, 50))
    assert ids(store.search(EAST, 2)) == ["a", "b"]


@pytest.mark.parametrize("allowed_ids", [["b"], {"c", "b"}, ["b", "nobody"], ("c", "b", "d"), list("abcde")])
def test_a_search_within_some_papers_finds_the_best_of_these(open_store: Open, allowed_ids: Collection[str]) -> None:
    store = open_store()
    store.replace(chunks(*"abbcde"), turned(10, 50, 20, 30, 40, 60))
    expected = [each for each in store.search(EAST, 5) if each.paper_id in allowed_ids]
    found = store.search(EAST, 5, allowed_ids)
    assert ids(found) == ids(expected)
    assert [each.score for each in found] == pytest.approx([each.score for each in expected], abs=1e-6)
    assert store.search(EAST, 1, allowed_ids) == found[:1]


def test_a_search_within_nothing_finds_nothing(open_store: Open) -> None:
    store = open_store()
    assert store.search(EAST, 5, ["a"]) == []
    store.replace(chunks("a", "b"), turned(10, 20))
    assert store.search(EAST, 5, []) == []
    assert store.search(EAST, 5, ["nobody"]) == []


@pytest.mark.parametrize("every", [2, 7, 60, 300])
def test_however_many_papers_are_let_through_as_many_as_exist_are_found(open_store: Open, every: int) -> None:
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


def test_replace_forgets_every_earlier_chunk_of_its_papers(
    open_store: Open, settled: Callable[[VectorStore], VectorStore]
) -> None:
    store = open_store()
    store.replace(chunks("a", "a", "a", "b"), turned(0, 10, 20, 45))
    store.replace(chunks("a"), turned(90))
    found = settled(store).search(EAST, 5)
    assert ids(found) == ["b", "a"]
    assert found[1].score == pytest.approx(0.0, abs=1e-5)


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


def test_remove_forgets_papers(open_store: Open, settled: Callable[[VectorStore], VectorStore]) -> None:
    store = open_store()
    store.replace(chunks("a", "a", "b"), turned(10, 20, 30))
    store.remove(["a"])
    store = settled(store)
    assert store.paper_ids() == {"b"}
    assert ids(store.search(EAST, 5)) == ["b"]
    store.remove(["b"])
    assert settled(store).is_empty()


@pytest.mark.parametrize("unknown", [[], ["nobody"], ["nobody", "b"], {"nobody"}])
def test_remove_passes_over_what_is_not_there(open_store: Open, unknown: Sequence[str]) -> None:
    store = open_store()
    store.remove(unknown)
    store.replace(chunks("a", "b"), turned(10, 20))
    store.remove(unknown)
    assert store.paper_ids() == {"a", "b"} - set(unknown)


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
    other = multiprocessing.get_context("spawn").Process(target=write_elsewhere, args=(place,))
    other.start()
    other.join()
    assert other.exitcode == 0
    reader.refresh()
    assert ids(reader.search(EAST, 5)) == ["a", "b"]


def write_elsewhere(place: Place) -> None:
    """What the other process does."""
    store = ChromaStore(place, RECIPE)
    store.replace(chunks("b"), turned(20))
    store.close()


@pytest.mark.parametrize("changed", [{"embedder": "other"}, {"revision": "2"}, {"dimension": 4}, {"chunk_tokens": 9}])
def test_another_recipe_is_refused_with_what_changed_and_the_cure(place: Place, changed: dict[str, object]) -> None:
    ChromaStore(place, RECIPE).close()
    with pytest.raises(RecipeMismatch, match=f"{next(iter(changed))} .* paperchat reindex") as refused:
        ChromaStore(place, replace(RECIPE, **changed))  # type: ignore[arg-type]
    assert "\n" not in str(refused.value)
    ChromaStore(place, RECIPE).close()


def test_the_recipe_of_a_place_can_be_asked_without_opening_its_store(place: Place) -> None:
    assert held_recipe(place) is None
    ChromaStore(place, RECIPE).close()
    assert held_recipe(place) == asdict(RECIPE)


def test_a_wiped_store_takes_another_recipe_and_has_another_stamp(place: Place) -> None:
    with closing(ChromaStore(place, RECIPE)) as store:
        store.replace(chunks("a"), turned(10))
        stamp = store.stamp
    with closing(ChromaStore(place, RECIPE)) as again:
        assert again.stamp == stamp
    place.wipe()
    place.wipe()
    with closing(ChromaStore(place, replace(RECIPE, revision="2"))) as fresh:
        assert fresh.is_empty()
        assert fresh.stamp != stamp


def test_a_store_that_another_made_anew_is_seen_after_a_refresh(open_store: Open, place: Place) -> None:
    reader = open_store()
    reader.replace(chunks("a"), turned(10))
    if isinstance(place, Folder):
        reader.close()  # nobody may have a folder open that is wiped
    place.wipe()
    open_store().replace(chunks("b"), turned(20))
    reader.refresh()
    assert ids(reader.search(EAST, 5)) == ["b"]


def test_a_store_that_is_lost_under_its_reader_is_an_error_and_is_not_made_anew_as_an_empty_one(
    open_store: Open, place: Place
) -> None:
    reader = open_store()
    reader.replace(chunks("a"), turned(10))
    if isinstance(place, Folder):
        reader.close()
    place.wipe()
    for use in (lambda: reader.refresh(), lambda: reader.search(EAST, 5), lambda: reader.remove(["a"])):
        with pytest.raises(LibraryError, match="paperchat reindex"):
            use()
    assert held_recipe(place) is None


def in_database(folder: Path, statement: str) -> None:
    """Change the store's database behind its back."""
    with closing(sqlite3.connect(folder / "chroma.sqlite3")) as connection, connection:
        connection.execute(statement)


def no_database(folder: Path) -> None:
    (folder / "chroma.sqlite3").write_bytes(b"no database at all " * 100)


def no_collections(folder: Path) -> None:
    in_database(folder, "DROP TABLE collections")


@pytest.mark.parametrize("damage", [no_database, no_collections])
def test_a_damaged_store_is_a_library_error_and_opens_in_the_same_process_once_it_is_mended(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    folder, whole = tmp_path / "store", tmp_path / "whole"
    with closing(ChromaStore(Folder(folder), RECIPE)) as store:
        store.replace(chunks("a"), turned(10))
    shutil.copytree(folder, whole)
    damage(folder)
    with pytest.raises(LibraryError, match=r"cannot be opened .*paperchat reindex"):
        ChromaStore(Folder(folder), RECIPE)
    shutil.rmtree(folder)
    shutil.copytree(whole, folder)
    with closing(ChromaStore(Folder(folder), RECIPE)) as store:
        assert ids(store.search(EAST, 5)) == ["a"]


@pytest.mark.parametrize("fails", ["to open", "to be wiped"])
def test_a_store_that_fails_leaves_the_other_stores_of_the_process_alone(tmp_path: Path, fails: str) -> None:
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    no_database(damaged)
    sound = ChromaStore(Folder(tmp_path / "sound"), RECIPE)
    sound.replace(chunks("a"), turned(10))
    if fails == "to open":
        with pytest.raises(LibraryError):
            ChromaStore(Folder(damaged), RECIPE)
    else:
        Folder(damaged).wipe()
        assert not damaged.exists()
    with closing(ChromaStore(Folder(tmp_path / "sound"), RECIPE)) as second:
        sound.close()
        assert ids(second.search(EAST, 5)) == ["a"]


NO_WRITING = "CREATE TRIGGER full BEFORE INSERT ON embeddings_queue BEGIN SELECT RAISE(ABORT, 'disk full'); END"


def test_the_write_after_a_failed_one_goes_through_a_store_opened_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refreshed: list[ChromaStore] = []
    refresh = ChromaStore.refresh

    def counted(store: ChromaStore) -> None:
        refreshed.append(store)
        refresh(store)

    monkeypatch.setattr(ChromaStore, "refresh", counted)
    with closing(ChromaStore(Folder(tmp_path), RECIPE)) as store:
        store.replace(chunks("a"), turned(10))
        in_database(tmp_path, NO_WRITING)
        with pytest.raises(LibraryWriteError, match=r"cannot be written: .*disk full"):
            store.replace(chunks("b"), turned(20))
        assert refreshed == []
        assert ids(store.search(EAST, 5)) == ["a"]
        in_database(tmp_path, "DROP TRIGGER full")
        store.replace(chunks("b", "c"), turned(20, 30))
        assert refreshed == [store]
        store.replace(chunks("d"), turned(40))
        assert refreshed == [store]
        assert ids(store.search(EAST, 5)) == ["a", "b", "c", "d"]


READS: dict[str, Callable[[VectorStore], object]] = {
    "search": lambda store: store.search(EAST, 5),
    "paper_ids": lambda store: store.paper_ids(),
    "is_empty": lambda store: store.is_empty(),
}


@pytest.mark.parametrize("read", READS)
def test_a_store_that_cannot_be_read_is_a_library_error_with_the_cure(tmp_path: Path, read: str) -> None:
    with closing(ChromaStore(Folder(tmp_path), RECIPE)) as store:
        store.replace(chunks("a"), turned(10))
        in_database(tmp_path, "DROP TABLE embeddings")
        with pytest.raises(LibraryError, match=r"cannot be read \(.*embeddings\); run: paperchat reindex"):
            READS[read](store)


@pytest.mark.parametrize("read", READS)
def test_a_store_that_could_not_be_opened_anew_is_a_library_error_until_it_can(tmp_path: Path, read: str) -> None:
    database, away = tmp_path / "chroma.sqlite3", tmp_path / "away"
    with closing(ChromaStore(Folder(tmp_path), RECIPE)) as store:
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
