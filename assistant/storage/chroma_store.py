"""The vector index: a collection of Chroma, by cosine, in a folder or on a server.

It holds vectors, ids and a few filter fields. Texts stay in the catalog: Chroma would store them three times.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.batches import batches
from assistant.errors import LibraryError, StoreUnavailable
from assistant.schema import Chunk, PaperScore, Recipe
from assistant.storage.chroma_collection import ChromaCollection, SharedClient
from assistant.storage.chroma_location import ChromaLocation
from assistant.storage.chroma_metadata import read_stamp

if TYPE_CHECKING:
    from assistant.encodings import Vectors

_PAPERS_PER_READ = 1000
# Chunks of a paper that are looked for at once; more than nearly every abstract has. One that is missing among them is
# no matter, and where the last one is there, the next ones are looked for.
_NUMBERS_PER_READ = 4
# Chunks requested for each paper wanted, so that papers of several chunks do not crowd out others.
_CHUNKS_PER_PAPER = 2
# The cost of one more chunk in the result of a search, relative to fetching one chunk and comparing it here. Measured
# with 40,000 vectors: 0.01 ms beside 0.08 ms in a folder and 0.2 ms on a server.
_RELATIVE_COST = 0.1


@dataclass(frozen=True, slots=True)
class _Nearest:
    """The papers of the nearest chunks with the cosine of the best one, best first, and that of the farthest chunk."""

    papers: dict[str, float]
    farthest: float

    def is_enough(self, limit: int) -> bool:
        """Return whether these are `limit` papers, and no chunk that was left out can be as near as the last one."""
        return len(self.papers) >= limit and next(islice(self.papers.values(), limit - 1, None)) > self.farthest


class ChromaStore:
    """A VectorStore in one location, opened for one recipe. Safe to call from several threads.

    On a server it may be one of several shards, each in a collection of its own.
    """

    def __init__(
        self,
        location: ChromaLocation,
        recipe: Recipe,
        *,
        shards: int = 1,
        create: bool = True,
        shared: SharedClient | None = None,
    ) -> None:
        """Open the store, or `create` it where there is none; a client that is shared is not closed with the store.

        Raises RecipeMismatch where it has another recipe, LibraryError.
        """
        self._collection = ChromaCollection(location, recipe, shards, create, shared)

    @property
    def stamp(self) -> int:
        """Return the random number drawn when the store was created."""
        return read_stamp(self._collection.metadata)

    def refresh(self) -> None:
        """Read what other processes have written, also where they have replaced the store. Raises LibraryError."""
        self._collection.refresh()

    def close(self) -> None:
        """Close the files or the connection."""
        self._collection.close()

    def replace(self, chunks: Sequence[Chunk], vectors: Sequence[Vectors] | Vectors) -> None:
        """Replace all chunks of the papers that these belong to; `vectors[i]` is the vector of `chunks[i]`.

        Raises LibraryWriteError.
        """
        self.remove({chunk.paper_id for chunk in chunks})
        self._collection.write_in_parts("upsert", list(zip(chunks, vectors, strict=True)), _rows)

    def remove(self, paper_ids: Collection[str]) -> None:
        """Remove the papers; unknown ids are ignored. Raises LibraryWriteError."""
        for _ in self._chunks_of(sorted(paper_ids), lambda ids: [{"ids": self._collection.delete(ids)}]):
            pass

    def search(
        self, vector: Vectors, limit: int, allowed_ids: Collection[str] | None = None, share: float = 1.0
    ) -> list[PaperScore]:
        """Return the papers nearest to the vector with the cosine of their best chunk. Raises LibraryError.

        `share` is the expected part of the allowed papers that are in this store, where others are in other shards.
        """
        with self._collection.read_lock:
            best = self._search(vector, limit, None if allowed_ids is None else frozenset(allowed_ids), share)
        return [PaperScore(paper_id, cosine) for paper_id, cosine in islice(best.items(), limit)]

    def paper_ids(self) -> set[str]:
        """Return the ids of all papers that have a chunk. Raises LibraryError."""
        return {_paper_id(chunk_id) for chunk_id in self._collection.ids()}

    def vectors(self, paper_ids: Collection[str]) -> dict[str, Vectors]:
        """Return the vectors of each paper's chunks, by number; incomplete papers are left out. Raises LibraryError."""
        by_paper: dict[str, dict[int, Any]] = {}
        for batch in batches(sorted(paper_ids), _PAPERS_PER_READ):
            for chunk_id, vector in self._chunk_vectors(batch):
                by_paper.setdefault(_paper_id(chunk_id), {})[int(chunk_id.rsplit(":", 1)[1])] = vector
        return {
            paper_id: np.array([chunks[number] for number in range(len(chunks))], dtype=np.float32)
            for paper_id, chunks in by_paper.items()
            if _is_complete(chunks)
        }

    def is_empty(self) -> bool:
        """Return whether the store has no chunk. Raises LibraryError."""
        return self._collection.is_empty()

    def _chunk_vectors(self, paper_ids: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """Yield the id of each chunk of the papers with its vector, None where that is lost.

        Chroma fails for a whole request where it has lost one of the vectors: then each paper is requested alone.
        """
        try:
            pages = list(self._chunks_of(paper_ids, self._rows_with_vectors))
        except StoreUnavailable:
            raise
        except LibraryError:
            if len(paper_ids) > 1:
                for paper_id in paper_ids:
                    yield from self._chunk_vectors([paper_id])
            else:
                pages = list(self._chunks_of(paper_ids, lambda ids: self._collection.rows(ids, [])))
                yield from ((chunk_id, None) for page in pages for chunk_id in page["ids"])
            return
        for page in pages:
            yield from zip(page["ids"], page["embeddings"], strict=True)

    def _rows_with_vectors(self, chunk_ids: Sequence[str]) -> Iterable[Any]:
        return self._collection.rows(chunk_ids, ["embeddings"])

    def _chunks_of(self, paper_ids: Sequence[str], rows: Callable[[Sequence[str]], Iterable[Any]]) -> Iterator[Any]:
        """Yield what a function of chunk ids returns for the chunks that the papers have, some numbers at a time.

        Chroma has an index of the ids; to find rows by their metadata it reads those of all rows.
        """
        first = 0
        while paper_ids:
            numbers, present = range(first, first + _NUMBERS_PER_READ), set()
            for page in rows([f"{paper_id}:{number}" for paper_id in paper_ids for number in numbers]):
                yield page
                present.update(page["ids"])
            paper_ids = [paper_id for paper_id in paper_ids if f"{paper_id}:{numbers[-1]}" in present]
            first = numbers.stop

    def _search(
        self, vector: Vectors, limit: int, allowed_ids: frozenset[str] | None, share: float
    ) -> dict[str, float]:
        """Return at least `limit` papers, if there are so many, with the cosines of their best chunks, best first.

        Chroma's own filter is slower than both ways used here: few allowed papers are fetched and compared one by one,
        and for many the search returns as many more chunks as the filter is expected to reject. The filter is used
        only where the server does not return that many.
        """
        chunks = limit * _CHUNKS_PER_PAPER
        if allowed_ids is not None:
            total = self._collection.approximate_count()
            chunks = max(1, min(int(chunks * total / max(1, len(allowed_ids) * share)) + 1, total))
            if share == 1 and len(allowed_ids) <= _RELATIVE_COST * chunks:
                return self._exact_search(vector, allowed_ids)
        nearest = self._nearest(vector, chunks, allowed_ids)
        while not nearest.is_enough(limit) and chunks < self._collection.count():
            if chunks >= self._collection.limits.results:
                return nearest.papers if allowed_ids is None else self._search_in_parts(vector, allowed_ids)
            chunks *= 4
            nearest = self._nearest(vector, chunks, allowed_ids)
        return nearest.papers

    def _nearest(self, vector: Vectors, chunks: int, allowed_ids: frozenset[str] | None) -> _Nearest:
        # The chunk ids contain the paper ids: returning the metadata too would take three times as long.
        cosines = self._collection.query(vector, chunks)
        best: dict[str, float] = {}
        for chunk_id, cosine in cosines.items():
            if allowed_ids is None or _paper_id(chunk_id) in allowed_ids:
                best.setdefault(_paper_id(chunk_id), cosine)
        return _Nearest(_best_first(best), min(cosines.values(), default=-1.0))

    def _search_in_parts(self, vector: Vectors, allowed_ids: frozenset[str]) -> dict[str, float]:
        """Return the best of the allowed papers, by Chroma's filter, for some of the papers at a time."""
        best: dict[str, float] = {}
        for part in batches(sorted(allowed_ids), _PAPERS_PER_READ):
            cosines = self._collection.query(vector, self._collection.limits.results, where=_of_papers(part))
            for chunk_id, cosine in cosines.items():
                best.setdefault(_paper_id(chunk_id), cosine)
        return _best_first(best)

    def _exact_search(self, vector: Vectors, allowed_ids: frozenset[str]) -> dict[str, float]:
        """Return each indexed paper of these with the cosine of its best chunk, best first."""
        best: dict[str, float] = {}
        for page in self._chunks_of(sorted(allowed_ids), self._rows_with_vectors):
            for chunk_id, cosine in zip(page["ids"], _cosines(page["embeddings"], vector), strict=True):
                best[_paper_id(chunk_id)] = max(best.get(_paper_id(chunk_id), -1.0), cosine)
        return _best_first(best)


def _paper_id(chunk_id: str) -> str:
    return chunk_id.rsplit(":", 1)[0]


def _of_papers(paper_ids: Sequence[str]) -> dict[str, Any]:
    """Return Chroma's filter for the chunks of the papers."""
    return {"paper": {"$in": list(paper_ids)}}


def _rows(chunks: Sequence[tuple[Chunk, Vectors]]) -> dict[str, Any]:
    """Return the chunks with their vectors as rows of Chroma."""
    return {
        "ids": [f"{chunk.paper_id}:{chunk.number}" for chunk, _ in chunks],
        "embeddings": [vector for _, vector in chunks],
        "metadatas": [_metadata(chunk) for chunk, _ in chunks],
    }


def _metadata(chunk: Chunk) -> dict[str, str | int]:
    # Chroma silently drops fields that are None, so they are left out explicitly.
    return {"paper": chunk.paper_id} | ({"year": chunk.year} if chunk.year is not None else {})


def _is_complete(chunks: Mapping[int, Any]) -> bool:
    """Return whether no chunk and no vector is missing."""
    return chunks.keys() == set(range(len(chunks))) and all(vector is not None for vector in chunks.values())


def _cosines(vectors: Any, vector: Vectors) -> Iterator[float]:
    """Yield the cosines of vectors and a vector, all of length one, as Chroma computes them.

    Each row is summed alone: a product of matrices depends on how many rows it has, and equal vectors must be equal.
    """
    rows = np.asarray(vectors, dtype=np.float32).reshape(-1, len(vector))  # an empty result has another shape
    distances = np.float32(1) - (rows * vector).sum(axis=1)
    return (1.0 - float(distance) for distance in distances)


def _best_first(best: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(best.items(), key=lambda item: (-item[1], item[0])))
