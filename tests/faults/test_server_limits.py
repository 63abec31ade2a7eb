"""A Chroma server that takes less in a request than it tells: what is refused for its size goes through in parts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from assistant import factory
from assistant.errors import LibraryWriteError, StoreUnavailable
from assistant.schema import Chunk, Recipe
from assistant.settings import Settings
from assistant.storage.chroma_location import ChromaServer
from assistant.storage.sharded_store import ShardedStore
from ingest import pipeline
from tests.chromas import ChromaProcess
from tests.everything import everything
from tests.fakes import WordHashEmbedder
from tests.fronts import Front, HostedLimits, Visitor, before, forward, takes_bytes

RECIPE = Recipe(
    "word-hash", "1" * 300, dimension=8, chunk_tokens=256, chunking="whole", analyzer="plain", words="plain"
)
# The hosted service tells 1,000 rows and takes 300.
TOLD, TAKEN = 100, 30
PAPERS = 110
VECTORS = np.random.default_rng(0).standard_normal((PAPERS * 2, 8)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)
CHUNKS = [Chunk(f"{number // 2:03}", number % 2, "", 0, 0) for number in range(PAPERS * 2)]
IDS = {chunk.paper_id for chunk in CHUNKS}


@pytest.fixture
def front(chroma_server: ChromaProcess) -> Iterator[Front]:
    with before(chroma_server) as server:
        yield server


@pytest.fixture
def limits(front: Front) -> HostedLimits:
    """Return the limits of the hosted service, smaller, which stand before the server."""
    front.instead = HostedLimits(TAKEN, TOLD)
    return front.instead


@pytest.fixture
def behind(chroma_server: ChromaProcess) -> ChromaServer:
    """Return the location of a new store without the limits before it."""
    return chroma_server.location()


def through(front: Front, behind: ChromaServer, shards: int) -> ShardedStore:
    """Open the same store by the front."""
    return ShardedStore(
        ChromaServer(front.address, behind.collection, behind.tenant, behind.database, 30.0), RECIPE, shards
    )


@pytest.mark.parametrize("shards", [1, 3])
def test_what_is_written_in_parts_is_whole_and_is_read_in_parts(
    shards: int, front: Front, limits: HostedLimits, behind: ChromaServer
) -> None:
    with closing(through(front, behind, shards)) as store:
        store.replace(CHUNKS, VECTORS)
        assert store.paper_ids() == IDS
        vectors = store.vectors(IDS)
        store.remove(sorted(IDS)[:50])
        assert store.paper_ids() == set(sorted(IDS)[50:])
    assert np.array([vectors[paper_id] for paper_id in sorted(IDS)]) == pytest.approx(VECTORS.reshape(PAPERS, 2, 8))
    with closing(ShardedStore(behind, RECIPE, shards)) as direct:
        assert direct.paper_ids() == set(sorted(IDS)[50:])


def test_a_limit_is_learned_by_one_refusal(front: Front, limits: HostedLimits, behind: ChromaServer) -> None:
    with closing(through(front, behind, 1)) as store:
        for _ in range(3):
            store.replace(CHUNKS, VECTORS)
            assert store.paper_ids() == IDS
            store.refresh()
    assert limits.refused == ["Number of IDs to filter by in a query", "Number of records"]
    rows = [rows for action, rows in limits.passed if action == "upsert"]
    assert max(rows) == TAKEN


@pytest.mark.parametrize("shards", [1, 3])
@pytest.mark.parametrize("every", [1, 2, 20, 109])
def test_a_filtered_search_finds_the_best_although_the_server_returns_few_results(
    every: int, shards: int, front: Front, limits: HostedLimits, behind: ChromaServer
) -> None:
    allowed_ids = sorted(IDS)[::every]
    with closing(ShardedStore(behind, RECIPE, shards)) as direct, closing(through(front, behind, shards)) as store:
        direct.replace(CHUNKS, VECTORS)
        for vector in VECTORS[:3]:
            assert store.search(vector, 10, allowed_ids) == direct.search(vector, 10, allowed_ids)
            assert store.search(vector, 10) == direct.search(vector, 10)


def test_a_search_for_more_than_the_server_returns_gives_the_best_that_it_returns(
    front: Front, limits: HostedLimits, behind: ChromaServer
) -> None:
    with closing(ShardedStore(behind, RECIPE, 1)) as direct, closing(through(front, behind, 1)) as store:
        direct.replace(CHUNKS[::2], VECTORS[::2])
        assert store.search(VECTORS[0], 100) == direct.search(VECTORS[0], TAKEN)


def test_a_request_that_a_proxy_finds_too_long_is_halved_until_it_passes(front: Front, behind: ChromaServer) -> None:
    front.instead = takes_bytes(4000)
    with closing(through(front, behind, 1)) as store:
        store.replace(CHUNKS, VECTORS)
        assert store.paper_ids() == IDS


def test_what_no_smaller_request_would_cure_is_told_at_once(front: Front, behind: ChromaServer) -> None:
    asked: list[str] = []

    def is_full(visitor: Visitor) -> None:
        content = visitor.content()
        if not visitor.path.endswith("/upsert"):
            forward(visitor, content)
            return
        asked.append(visitor.path)
        quota = "'Collection size (records)' exceeded quota limit for action 'Upsert'"
        said = f"{quota}: current usage of 9 exceeds limit of 5"
        visitor.answer(422, json.dumps({"error": "ChromaError", "message": f"Quota exceeded: {said}"}).encode())

    front.instead = is_full
    with (
        closing(through(front, behind, 1)) as store,
        pytest.raises(LibraryWriteError, match=r"cannot be written: Quota exceeded: 'Collection size \(records\)'"),
    ):
        store.replace(CHUNKS, VECTORS)
    assert len(asked) == 1


@pytest.mark.parametrize("limit", [0, 1])
def test_a_server_that_takes_nothing_is_an_error_and_not_asked_for_ever(
    limit: int, front: Front, behind: ChromaServer
) -> None:
    with closing(through(front, behind, 1)) as store:
        front.instead = takes_bytes(10) if limit else HostedLimits(0, TOLD)
        with pytest.raises(LibraryWriteError, match="cannot be written"):
            store.replace(CHUNKS, VECTORS)
        front.instead = HostedLimits(0, TOLD)
        with pytest.raises(StoreUnavailable, match="cannot be read: Quota exceeded"):
            store.paper_ids()


def test_a_library_within_the_limits_of_the_hosted_service_is_the_same_as_any(
    front: Front, limits: HostedLimits, settings: Settings, tmp_path: Path, papers_file: Path
) -> None:
    limits.rows = 2
    hosted = settings.model_copy(update={"home": tmp_path / "hosted", "store": front.address})
    libraries = []
    for each in (settings, hosted):
        with closing(factory.open_library(each, WordHashEmbedder())) as library:
            pipeline.ingest([papers_file], library)
            assert library.compare() == {}
            libraries.append(everything(library))
    assert libraries[0] == libraries[1]
    assert "Number of records" in limits.refused
