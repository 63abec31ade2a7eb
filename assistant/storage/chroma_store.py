"""The vector index: Chroma, by cosine. Vectors with ids and small filter fields, in a folder or on a server.

Texts stay in the catalog: Chroma would hold them three times over. The recipe stands in the collection's
metadata and is compared on opening, because Chroma takes any vectors of the right length.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, closing, nullcontext
from dataclasses import asdict
from dataclasses import fields as fields_of
from itertools import count, islice
from typing import TYPE_CHECKING, Any

import numpy as np
from chromadb.errors import NotFoundError

from assistant.batches import batches
from assistant.errors import LibraryError, LibraryWriteError, RecipeMismatch, StoreUnavailable
from assistant.schema import Chunk, Recipe, Scored
from assistant.storage.chroma_location import OPENED, READ, WRITTEN, Place

if TYPE_CHECKING:
    from assistant.encodings import Vectors

# Vectors of so many papers are read at once.
_WHOLE_PAPERS = 1000
_RECIPE, _STAMP = "recipe", "stamp"
_COMPARED = [each.name for each in fields_of(Recipe) if each.compare]
# Chunks asked for per paper wanted, so that papers of several chunks do not crowd out others.
_CHUNKS_PER_PAPER = 2
# What it costs to be given one chunk more by a search, in chunks that are fetched to be compared: measured at 40,000
# vectors, 0.01 ms beside 0.08 ms in a folder and 0.2 ms by a server.
_COSTS = 0.1
# Ids are asked for by so many, so that no answer is long.
_PAGE = 20_000
# Rows written at once where a server does not say how many it takes.
_MOST_ROWS = 1000


class ChromaStore:
    """A Store in one place, opened for one recipe. Safe to call from several threads."""

    def __init__(self, place: Place, recipe: Recipe) -> None:
        """Raises RecipeMismatch where the place holds another recipe, LibraryError where it cannot be opened."""
        self._place, self._recipe = place, recipe
        self._lock = threading.RLock()
        # A refresh may close the client, and no search may be under way then.
        self._searching = nullcontext() if place.is_shared else self._lock
        self._failed = False  # after a failed write Chroma keeps its database locked until it is closed
        self._client: Any = None
        self._collection = self._open(create=True)

    @property
    def stamp(self) -> int:
        """A number that was drawn when this store was made."""
        return int((self._opened().metadata or {}).get(_STAMP, 0))

    def refresh(self) -> None:
        """See what other processes have written, also where they have made the store anew."""
        with self._lock:
            if not self._place.is_shared:
                self.close()
            self._collection, self._failed = None, True  # until it is open again
            self._collection = self._open()

    def close(self) -> None:
        """Release the directory, or the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def replace(self, chunks: Sequence[Chunk], vectors: Sequence[Vectors] | Vectors) -> None:
        """Make these the only chunks of their papers. Raises LibraryWriteError."""
        self.remove({chunk.paper_id for chunk in chunks})
        rows = list(zip(chunks, vectors, strict=True))
        for batch in batches(rows, self._most_rows):
            self._write(
                "upsert",
                ids=[f"{chunk.paper_id}:{chunk.number}" for chunk, _ in batch],
                embeddings=[vector for _, vector in batch],
                metadatas=[_fields(chunk) for chunk, _ in batch],
            )

    def remove(self, paper_ids: Collection[str]) -> None:
        """Forget the papers. Raises LibraryWriteError."""
        for batch in batches(sorted(paper_ids), self._most_rows):
            self._write("delete", where={"paper": {"$in": batch}})

    def search(self, vector: Vectors, limit: int, allowed_ids: Collection[str] | None = None) -> list[Scored]:
        """The papers nearest to the vector, each with the cosine of its best chunk. Raises LibraryError."""
        with self._lock:
            best = self._nearest(vector, limit, None if allowed_ids is None else frozenset(allowed_ids))
        return [Scored(paper_id, score) for paper_id, score in islice(best.items(), limit)]

    def paper_ids(self) -> set[str]:
        """Every paper that has a chunk here. Raises LibraryError."""
        found: set[str] = set()
        for start in count(0, _PAGE):  # without their fields, of which Chroma gives no more than 32,766 at once
            page = self._read("get", include=[], limit=_PAGE, offset=start)["ids"]
            found.update(map(_paper, page))
            if len(page) < _PAGE:
                break
        return found

    def vectors(self, paper_ids: Collection[str]) -> dict[str, Vectors]:
        """The vectors of the papers' chunks, of those papers that are whole. Raises LibraryError."""
        found: dict[str, dict[int, Any]] = {}
        for batch in batches(sorted(paper_ids), _WHOLE_PAPERS):
            for chunk, vector in self._vectors(batch):
                found.setdefault(_paper(chunk), {})[int(chunk.rsplit(":", 1)[1])] = vector
        return {
            paper_id: np.array([chunks[number] for number in range(len(chunks))], dtype=np.float32)
            for paper_id, chunks in found.items()
            if chunks.keys() == set(range(len(chunks))) and all(vector is not None for vector in chunks.values())
        }

    def _vectors(self, paper_ids: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """Each chunk of the papers with its vector, or with None where that is lost.

        Chroma fails for all that it is asked for if it has lost one of them: then each paper is asked for alone.
        """
        try:
            found = self._read("get", where={"paper": {"$in": list(paper_ids)}}, include=["embeddings"])
        except StoreUnavailable:
            raise
        except LibraryError:
            if len(paper_ids) > 1:
                for paper_id in paper_ids:
                    yield from self._vectors([paper_id])
            else:
                yield from ((chunk, None) for chunk in self._chunks(paper_ids[0]))
            return
        yield from zip(found["ids"], found["embeddings"], strict=True)

    def _chunks(self, paper_id: str) -> list[str]:
        chunks: list[str] = self._read("get", where={"paper": paper_id}, include=[])["ids"]
        return chunks

    def is_empty(self) -> bool:
        """Whether it holds no chunk. Raises LibraryError."""
        return bool(self._read("count") == 0)

    def _nearest(self, vector: Vectors, limit: int, allowed_ids: frozenset[str] | None) -> dict[str, float]:
        """At least `limit` papers, if there are so many, with the cosines of their best chunks, best first.

        Chroma's own filter takes longer than either way here: comparing the papers asked for one by one where they
        are few, or else asking for as many more chunks as will be left out.
        """
        chunks = limit * _CHUNKS_PER_PAPER
        if allowed_ids is not None:
            held = self._read("count")
            chunks = max(1, min(chunks * held // max(1, len(allowed_ids)) + 1, held))
            if len(allowed_ids) <= _COSTS * chunks:
                return self._compared(vector, allowed_ids)
        best = self._best(vector, chunks, allowed_ids)
        while len(best) < limit and chunks < self._read("count"):
            chunks *= 4
            best = self._best(vector, chunks, allowed_ids)
        return best

    def _best(self, vector: Vectors, chunks: int, allowed_ids: frozenset[str] | None) -> dict[str, float]:
        """The papers of the nearest chunks with the cosine of the best one, best first."""
        # Their ids name their papers: to be given their fields too takes three times as long.
        found = self._queried(query_embeddings=[vector], n_results=chunks, include=["distances"])
        best: dict[str, float] = {}
        for chunk, distance in zip(found["ids"][0], found["distances"][0], strict=True):
            if allowed_ids is None or _paper(chunk) in allowed_ids:
                best.setdefault(_paper(chunk), 1.0 - distance)
        return best

    def _queried(self, **arguments: Any) -> Any:
        """What Chroma finds. On a server a search fails that meets the very first write to a collection."""
        try:
            return self._read("query", **arguments)
        except StoreUnavailable:
            raise
        except LibraryError:
            if not self._place.is_shared:
                raise
            nothing: dict[str, Any] = {"ids": [[]], "distances": [[]]}
            return nothing if self.is_empty() else self._read("query", **arguments)

    def _compared(self, vector: Vectors, allowed_ids: frozenset[str]) -> dict[str, float]:
        """Each of these papers that the store holds with the cosine of its best chunk, best first."""
        best: dict[str, float] = {}
        for batch in batches(sorted(allowed_ids), self._most_rows):
            found = self._read("get", where={"paper": {"$in": batch}}, include=["embeddings"])
            cosines = found["embeddings"].reshape(-1, len(vector)) @ vector  # of nothing Chroma gives another shape
            for chunk, cosine in zip(found["ids"], cosines, strict=True):
                best[_paper(chunk)] = max(best.get(_paper(chunk), -1.0), float(cosine))
        return dict(sorted(best.items(), key=lambda item: (-item[1], item[0])))

    def _opened(self) -> Any:
        """The collection. One that could not be opened anew is tried again."""
        collection = self._collection
        if collection is None:
            with self._lock:
                collection = self._collection = self._open()
        return collection

    def _open(self, create: bool = False) -> Any:
        """The collection, which is made only where the store itself is: one that is lost must not seem merely empty."""
        with self._place.failing(OPENED), ExitStack() as on_failure:
            if self._client is None:
                self._client = self._place.connect()
                on_failure.callback(self.close)
            most = self._client.get_max_batch_size()
            self._most_rows = most if most > 0 else _MOST_ROWS
            collection = self._checked_collection(create)
            on_failure.pop_all()
        self._failed = False
        return collection

    def _checked_collection(self, create: bool) -> Any:
        wanted = json.dumps(asdict(self._recipe), sort_keys=True)
        try:
            collection = self._client.get_collection(self._place.collection, embedding_function=None)
        except NotFoundError:
            if not create:
                raise
            collection = self._client.create_collection(
                self._place.collection,
                embedding_function=None,
                metadata={_RECIPE: wanted, _STAMP: secrets.randbits(62)},
                configuration={"hnsw": {"space": "cosine"}},
                get_or_create=True,  # another process may have been quicker
            )
        held = json.loads((collection.metadata or {}).get(_RECIPE, "{}"))
        if changes := [name for name in _COMPARED if held.get(name) != getattr(self._recipe, name)]:
            raise RecipeMismatch(_mismatch(held, asdict(self._recipe), changes))
        return collection

    def _read(self, name: str, **arguments: Any) -> Any:
        with self._searching:
            collection = self._opened()
            with self._place.failing(READ):
                return getattr(collection, name)(**arguments)

    def _write(self, name: str, **arguments: Any) -> None:
        if self._failed:  # opened anew now and not upon the failure: a full disk would not let it open
            self.refresh()
        try:
            with self._place.failing(WRITTEN):
                getattr(self._collection, name)(**arguments)
        except LibraryWriteError:
            self._failed = True
            raise


def held_recipe(place: Place) -> dict[str, Any] | None:
    """The recipe of the store in the place; None where it holds none. Raises LibraryError."""
    with place.failing(OPENED), closing(place.connect()) as client:
        try:
            collection = client.get_collection(place.collection, embedding_function=None)
        except NotFoundError:
            return None
        recipe: dict[str, Any] | None = json.loads((collection.metadata or {}).get(_RECIPE, "null"))
        return recipe


def _paper(chunk: str) -> str:
    """The paper of a chunk's id."""
    return chunk.rsplit(":", 1)[0]


def _fields(chunk: Chunk) -> dict[str, str | int]:
    # A field that is None would vanish silently, so it is left out on purpose.
    return {"paper": chunk.paper_id} | ({"year": chunk.year} if chunk.year is not None else {})


def _mismatch(held: dict[str, Any], wanted: dict[str, Any], changes: Sequence[str]) -> str:
    told = "; ".join(f"{name} {held.get(name)!r} -> {wanted[name]!r}" for name in changes)
    return (
        f"the library was indexed with another recipe ({told}). Run: paperchat reindex, or restore the earlier settings"
    )
