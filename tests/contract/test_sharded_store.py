"""A store on a real Chroma server that is spread over several collections: what it is beside one in a single one."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import LibraryError, RecipeMismatch
from assistant.schema import Chunk, PaperScore, Recipe
from assistant.settings import MAX_SHARDS
from assistant.storage.chroma_collection import stored_recipe, stored_shards
from assistant.storage.chroma_location import ChromaServer
from assistant.storage.chroma_store import ChromaStore
from assistant.storage.sharded_store import ShardedStore, shard_of
from tests.chromas import ChromaProcess

pytestmark = pytest.mark.slow

RECIPE = Recipe("word-hash", "1", dimension=3, chunk_tokens=256, chunking="whole", analyzer="plain", words="plain")
LONG_RECIPE = Recipe("é" * 60, "1" * 64, 3, chunk_tokens=256, chunking="whole", analyzer="plain" * 40, words="plain")
EAST = np.array([1, 0, 0], dtype=np.float32)
# Unit vectors whose products are the same in whatever order they are summed, so that equal cosines are equal numbers.
VECTORS = np.array([[1, 0, 0], [0, 1, 0], [-1, 0, 0], [0.6, 0.8, 0], [0.8, 0.6, 0], [0, 0.6, 0.8]], dtype=np.float32)
PAPERS = [f"paper {number}" for number in range(24)]


@pytest.fixture
def location(chroma_server: ChromaProcess) -> ChromaServer:
    """Return the location of a new store."""
    return chroma_server.location()


def collections(location: ChromaServer) -> set[str]:
    """Return the names of the collections of the store that are on the server."""
    with closing(location.connect()) as client:
        every = client._api.list_collections(tenant=location.tenant, database=location.database)
    return {collection.name for collection in every if collection.name.startswith(location.collection)}


def delete(location: ChromaServer) -> None:
    """Delete one collection, as nobody should."""
    with closing(location.connect()) as client:
        client.delete_collection(location.collection)


def fill(store: ShardedStore | ChromaStore, numbers: dict[str, list[int]]) -> None:
    """Make a store hold exactly these papers, each with the vectors of these numbers."""
    store.remove(store.paper_ids())
    chunks = [Chunk(paper, place, "", 0, 0) for paper, each in numbers.items() for place in range(len(each))]
    store.replace(chunks, [VECTORS[number] for each in numbers.values() for number in each])


def write(store: ShardedStore | ChromaStore, *papers: str) -> None:
    fill(store, {paper: [0] for paper in papers})


# What the shard of a paper is


def test_the_shard_of_a_paper_is_the_same_for_ever() -> None:
    assert [shard_of(paper, 7) for paper in ("", "a", "paper 1", "né", "\ud800")] == [0, 2, 4, 4, 3]


def test_papers_are_spread_evenly() -> None:
    counts = Counter(shard_of(f"{number:032x}", 64) for number in range(64_000))
    assert counts.keys() == set(range(64))
    assert 800 < min(counts.values()) <= max(counts.values()) < 1200


# The same as a single store


@pytest.fixture(scope="module")
def pair(chroma_server: ChromaProcess) -> Iterator[tuple[ChromaStore, ShardedStore]]:
    """Yield a store in one collection and one in four shards."""
    single = ChromaStore(chroma_server.location(), RECIPE)
    with closing(single), closing(ShardedStore(chroma_server.location(), RECIPE, shards=4)) as sharded:
        yield single, sharded


libraries = st.dictionaries(st.sampled_from(PAPERS), st.lists(st.integers(0, len(VECTORS) - 1), min_size=1, max_size=3))
scopes = st.none() | st.frozensets(st.sampled_from([*PAPERS, "nobody"]))


@settings(max_examples=15)
@given(library=libraries, limit=st.integers(1, 30), allowed_ids=scopes, question=st.sampled_from(list(VECTORS)))
def test_shards_hold_and_return_exactly_what_a_single_store_does_with_ties_by_id(
    pair: tuple[ChromaStore, ShardedStore],
    library: dict[str, list[int]],
    limit: int,
    allowed_ids: frozenset[str] | None,
    question: Any,
) -> None:
    for store in pair:
        fill(store, library)
    single, sharded = pair
    assert sharded.search(question, limit, allowed_ids) == single.search(question, limit, allowed_ids)
    assert sharded.search(question, limit, allowed_ids) == expected(library, question, allowed_ids)[:limit]
    assert sharded.paper_ids() == single.paper_ids() == library.keys()
    assert sharded.is_empty() == single.is_empty() == (not library)
    wanted = allowed_ids or frozenset(PAPERS)
    assert {paper: rows.tolist() for paper, rows in sharded.vectors(wanted).items()} == {
        paper: rows.tolist() for paper, rows in single.vectors(wanted).items()
    }


def expected(library: dict[str, list[int]], question: Any, allowed_ids: frozenset[str] | None) -> list[PaperScore]:
    """Return every allowed paper, scored by its best vector as Chroma does, best first and equal ones by id."""
    scores = {
        paper: max(1.0 - float(np.float32(1) - np.float32(VECTORS[number] @ question)) for number in numbers)
        for paper, numbers in library.items()
        if allowed_ids is None or paper in allowed_ids
    }
    return [PaperScore(paper, score) for paper, score in sorted(scores.items(), key=lambda item: (-item[1], item[0]))]


def test_more_equal_papers_than_are_wanted_are_cut_by_id(pair: tuple[ChromaStore, ShardedStore]) -> None:
    many = [f"{number:02}" for number in range(40)]
    for store in pair:
        fill(store, {paper: [0] for paper in reversed(many)})
        assert [hit.paper_id for hit in store.search(EAST, 5)] == many[:5]


def test_a_filter_too_large_to_be_told_shard_by_shard_lets_the_same_papers_through(
    pair: tuple[ChromaStore, ShardedStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    for store in pair:
        fill(store, {paper: [number % len(VECTORS)] for number, paper in enumerate(PAPERS)})
    allowed_ids, (single, sharded) = frozenset(PAPERS[::2]), pair
    monkeypatch.setattr("assistant.storage.sharded_store._MAX_SPLIT", 3)
    for limit in (1, 5, 30):
        assert sharded.search(EAST, limit, allowed_ids) == single.search(EAST, limit, allowed_ids)


# The number of shards


def test_every_shard_tells_their_number_and_the_recipe_however_long(location: ChromaServer) -> None:
    ShardedStore(location, LONG_RECIPE, shards=4).close()
    shards = [location.of_shard(number) for number in range(4)]
    assert collections(location) == {shard.collection for shard in shards}
    assert [stored_shards(shard) for shard in shards] == [4] * 4
    assert [stored_recipe(shard) for shard in shards] == [asdict(LONG_RECIPE)] * 4
    with closing(location.connect()) as client:
        metadata = client.get_collection(location.collection, embedding_function=None).metadata
    assert max(len(str(value).encode()) for value in metadata.values()) <= 256  # the hosted service takes no more


@pytest.mark.parametrize(("created", "opened"), [(1, 4), (4, 1), (3, 64)])
def test_a_store_keeps_the_number_that_it_was_created_with(location: ChromaServer, created: int, opened: int) -> None:
    with closing(ShardedStore(location, RECIPE, created)) as store:
        write(store, *PAPERS)
    with closing(ShardedStore(location, RECIPE, opened)) as store:
        write(store, *PAPERS, "another one")
        assert store.paper_ids() == {*PAPERS, "another one"}
    assert stored_shards(location) == created == len(collections(location))


def test_a_new_store_takes_the_number_that_is_asked_for_and_nothing_of_the_old_one_is_left(
    location: ChromaServer,
) -> None:
    for number in (MAX_SHARDS, 2, 5):
        with closing(ShardedStore(location, RECIPE, number)) as store:
            assert store.is_empty()
            write(store, *PAPERS)
        assert len(collections(location)) == number
        location.wipe()
        assert collections(location) == set()


def test_a_reader_follows_when_the_store_is_built_anew_with_another_number(location: ChromaServer) -> None:
    with closing(ShardedStore(location, RECIPE, 1)) as reader:
        write(reader, "a")
        for number in (4, 2, 1):
            stamp = reader.stamp
            location.wipe()
            with closing(ShardedStore(location, RECIPE, number)) as writer:
                write(writer, *PAPERS)
                reader.refresh()
                assert reader.paper_ids() == set(PAPERS)
                assert len(reader.search(EAST, 50)) == len(PAPERS)
                assert reader.stamp == writer.stamp != stamp


def test_a_store_of_an_earlier_version_goes_on_working(location: ChromaServer) -> None:
    with closing(location.connect()) as client:  # neither the number of shards nor a recipe in parts
        metadata = {"recipe": json.dumps(asdict(LONG_RECIPE), sort_keys=True), "stamp": 5}
        client.create_collection(
            location.collection, None, metadata=metadata, configuration={"hnsw": {"space": "cosine"}}
        )
    with closing(ShardedStore(location, LONG_RECIPE, 4)) as store:
        write(store, *PAPERS)
        assert (store.stamp, store.paper_ids()) == (5, set(PAPERS))
    assert collections(location) == {location.collection}


# Damage


@pytest.mark.parametrize("number", [1, 3])
def test_a_shard_that_is_gone_is_an_error_with_the_cure_and_never_an_empty_result(
    location: ChromaServer, number: int
) -> None:
    with closing(ShardedStore(location, RECIPE, 4)) as store:
        write(store, *PAPERS)
        delete(location.of_shard(number))
        for use in (lambda: store.search(EAST, 5), store.paper_ids, store.refresh, lambda: store.vectors(PAPERS)):
            with pytest.raises(LibraryError, match=rf"shard {number} of the store on .*paperchat reindex"):
                use()
        with pytest.raises(LibraryError, match=rf"shard {number} of the store on .*paperchat reindex"):
            store.remove(PAPERS)
    for _ in range(2):  # nothing is created in its place
        with pytest.raises(LibraryError, match=rf"shard {number} of the store on .* opened: .*paperchat reindex"):
            ShardedStore(location, RECIPE, 4)
    assert len(collections(location)) == 3


def test_a_store_that_has_lost_its_first_shard_is_not_taken_for_a_new_one(location: ChromaServer) -> None:
    with closing(ShardedStore(location, RECIPE, 3)) as store:
        write(store, *PAPERS)
    delete(location)
    with pytest.raises(LibraryError, match=r"lost its first shard of 3; run: paperchat reindex"):
        ShardedStore(location, RECIPE, 3)
    location.wipe()
    with closing(ShardedStore(location, RECIPE, 3)) as store:
        assert store.is_empty()


def test_a_creation_that_was_interrupted_is_completed(location: ChromaServer) -> None:
    with closing(ShardedStore(location, RECIPE, 3)) as store:
        assert store.is_empty()
    delete(location)  # the first shard is created last
    with closing(ShardedStore(location, RECIPE, 3)) as store:
        write(store, *PAPERS)
        assert store.paper_ids() == set(PAPERS)


def test_a_wipe_that_was_interrupted_leaves_a_store_that_is_seen_to_be_damaged(
    location: ChromaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(ShardedStore(location, RECIPE, 3)) as store:
        write(store, *PAPERS)
    of_shard = ChromaServer.of_shard

    def interrupted(place: ChromaServer, number: int) -> ChromaServer:
        if number == 1:
            raise KeyboardInterrupt
        return of_shard(place, number)

    with monkeypatch.context() as patched:
        patched.setattr(ChromaServer, "of_shard", interrupted)
        with pytest.raises(KeyboardInterrupt):
            location.wipe()
    with pytest.raises(LibraryError, match=r"shard 2 of .*paperchat reindex"):
        ShardedStore(location, RECIPE, 3)
    location.wipe()
    assert collections(location) == set()


def test_shards_of_different_stores_are_not_mixed(location: ChromaServer) -> None:
    ChromaStore(location.of_shard(1), RECIPE, shards=5).close()
    with pytest.raises(LibraryError, match=r"do not belong together: .* 5 shards, .* 2; run: paperchat reindex"):
        ShardedStore(location, RECIPE, 2)


def test_another_recipe_in_any_shard_is_refused(location: ChromaServer) -> None:
    ChromaStore(location.of_shard(1), LONG_RECIPE, shards=2).close()
    with pytest.raises(RecipeMismatch, match="paperchat reindex"):
        ShardedStore(location, RECIPE, 2)


# Threads


def test_a_closed_store_leaves_no_thread(location: ChromaServer) -> None:
    before = set(threading.enumerate())
    with closing(ShardedStore(location, RECIPE, 4)) as store:
        write(store, *PAPERS)
        assert store.search(EAST, 5)
        assert set(threading.enumerate()) > before
    assert set(threading.enumerate()) == before
    delete(location.of_shard(2))
    with pytest.raises(LibraryError):
        ShardedStore(location, RECIPE, 4)
    assert set(threading.enumerate()) == before


def test_a_store_that_was_closed_is_opened_again_by_a_refresh(location: ChromaServer) -> None:
    with closing(ShardedStore(location, RECIPE, 4)) as store:
        write(store, *PAPERS)
        store.close()
        with pytest.raises(LibraryError):
            store.search(EAST, 5)
        store.refresh()
        assert store.paper_ids() == set(PAPERS)


def test_a_store_of_one_shard_starts_no_thread(location: ChromaServer) -> None:
    before = set(threading.enumerate())
    with closing(ShardedStore(location, RECIPE, 1)) as store:
        write(store, *PAPERS)
        assert store.search(EAST, 5)
        assert set(threading.enumerate()) == before


def test_many_threads_search_and_write_one_store_at_once(location: ChromaServer) -> None:
    wrong: list[object] = []

    def search(store: ShardedStore) -> None:
        for limit in range(1, 20):
            hits = [hit.paper_id for hit in store.search(EAST, limit, PAPERS)]
            if hits != sorted(PAPERS)[:limit]:
                wrong.append(hits)

    with closing(ShardedStore(location, RECIPE, 4)) as store:
        write(store, *PAPERS)
        threads = [threading.Thread(target=search, args=[store]) for _ in range(12)]
        for thread in threads:
            thread.start()
        for number in range(10):
            store.replace([Chunk(f"other {number}", 0, "", 0, 0)], VECTORS[:1])
            store.refresh()
        for thread in threads:
            thread.join()
        assert wrong == []
