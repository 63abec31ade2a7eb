"""The vector index: Chroma, by cosine, in a folder or on a server. It holds vectors, ids and a few filter fields.

Texts stay in the catalog: Chroma would store them three times. The recipe is in the collection's metadata and is
compared when the store is opened, because Chroma accepts any vectors of the right length.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, nullcontext
from dataclasses import asdict, fields
from itertools import count, islice
from typing import TYPE_CHECKING, Any

import numpy as np
from chromadb.errors import NotFoundError

from assistant.batches import batches
from assistant.errors import LibraryError, LibraryWriteError, RecipeMismatch, StoreUnavailable
from assistant.retry import Backoff, retrying
from assistant.schema import Chunk, PaperScore, Recipe
from assistant.storage.chroma_location import ChromaLocation, Operation

if TYPE_CHECKING:
    from assistant.encodings import Vectors

_PAPERS_PER_READ = 1000
_RECIPE, _STAMP = "recipe", "stamp"
_COMPARED_FIELDS = [field.name for field in fields(Recipe) if field.compare]
# Chunks requested for each paper wanted, so that papers of several chunks do not crowd out others.
_CHUNKS_PER_PAPER = 2
# The cost of one more chunk in the result of a search, relative to fetching one chunk and comparing it here. Measured
# with 40,000 vectors: 0.01 ms beside 0.08 ms in a folder and 0.2 ms on a server.
_RELATIVE_COST = 0.1
_IDS_PER_PAGE = 20_000
# Rows in one write to a server that does not tell its limit.
_DEFAULT_BATCH_SIZE = 1000
# Of 60 servers that were killed during the first write to a collection and started again, 16 rejected one to three
# queries in a row; a busy machine takes longer.
_FIRST_WRITE = Backoff(attempts=7, pause=0.02)


class ChromaStore:
    """A VectorStore in one location, opened for one recipe. Safe to call from several threads."""

    def __init__(self, location: ChromaLocation, recipe: Recipe) -> None:
        """Open or create the store. Raises RecipeMismatch where it has another recipe, LibraryError."""
        self._location, self._recipe = location, recipe
        self._lock = threading.RLock()
        # A refresh closes the client of a folder, so no search may run meanwhile.
        self._read_lock = nullcontext() if location.is_shared else self._lock
        self._needs_refresh = False  # after a failed write Chroma keeps its database locked until it is closed
        self._client: Any = None
        self._collection = self._open(create=True)

    @property
    def stamp(self) -> int:
        """Return the random number drawn when the store was created."""
        return int((self._open_collection().metadata or {}).get(_STAMP, 0))

    def refresh(self) -> None:
        """Read what other processes have written, also where they have replaced the store. Raises LibraryError."""
        with self._lock:
            if not self._location.is_shared:
                self.close()
            self._collection, self._needs_refresh = None, True  # until the store is open again
            self._collection = self._open()

    def close(self) -> None:
        """Close the files or the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def replace(self, chunks: Sequence[Chunk], vectors: Sequence[Vectors] | Vectors) -> None:
        """Replace all chunks of the papers that these belong to; `vectors[i]` is the vector of `chunks[i]`.

        Raises LibraryWriteError.
        """
        self.remove({chunk.paper_id for chunk in chunks})
        for batch in batches(list(zip(chunks, vectors, strict=True)), self._batch_size):
            self._write(
                "upsert",
                ids=[f"{chunk.paper_id}:{chunk.number}" for chunk, _ in batch],
                embeddings=[vector for _, vector in batch],
                metadatas=[_metadata(chunk) for chunk, _ in batch],
            )

    def remove(self, paper_ids: Collection[str]) -> None:
        """Remove the papers; unknown ids are ignored. Raises LibraryWriteError."""
        for batch in batches(sorted(paper_ids), self._batch_size):
            self._write("delete", where={"paper": {"$in": batch}})

    def search(self, vector: Vectors, limit: int, allowed_ids: Collection[str] | None = None) -> list[PaperScore]:
        """Return the papers nearest to the vector with the cosine of their best chunk. Raises LibraryError."""
        with self._lock:
            best = self._search(vector, limit, None if allowed_ids is None else frozenset(allowed_ids))
        return [PaperScore(paper_id, cosine) for paper_id, cosine in islice(best.items(), limit)]

    def paper_ids(self) -> set[str]:
        """Return the ids of all papers that have a chunk. Raises LibraryError."""
        paper_ids: set[str] = set()
        for offset in count(0, _IDS_PER_PAGE):  # ids only: with metadata Chroma returns at most 32,766 rows
            page = self._read("get", include=[], limit=_IDS_PER_PAGE, offset=offset)["ids"]
            paper_ids.update(map(_paper_id, page))
            if len(page) < _IDS_PER_PAGE:
                break
        return paper_ids

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
        return bool(self._read("count") == 0)

    def _chunk_vectors(self, paper_ids: Sequence[str]) -> Iterator[tuple[str, Any]]:
        """Yield the id of each chunk of the papers with its vector, None where that is lost.

        Chroma fails for a whole request where it has lost one of the vectors: then each paper is requested alone.
        """
        try:
            result = self._read("get", where={"paper": {"$in": list(paper_ids)}}, include=["embeddings"])
        except StoreUnavailable:
            raise
        except LibraryError:
            if len(paper_ids) > 1:
                for paper_id in paper_ids:
                    yield from self._chunk_vectors([paper_id])
            else:
                yield from ((chunk_id, None) for chunk_id in self._chunk_ids(paper_ids[0]))
            return
        yield from zip(result["ids"], result["embeddings"], strict=True)

    def _chunk_ids(self, paper_id: str) -> list[str]:
        chunk_ids: list[str] = self._read("get", where={"paper": paper_id}, include=[])["ids"]
        return chunk_ids

    def _search(self, vector: Vectors, limit: int, allowed_ids: frozenset[str] | None) -> dict[str, float]:
        """Return at least `limit` papers, if there are so many, with the cosines of their best chunks, best first.

        Chroma's own filter is slower than both ways used here: few allowed papers are fetched and compared one by one,
        and for many the search returns as many more chunks as the filter is expected to reject.
        """
        chunks = limit * _CHUNKS_PER_PAPER
        if allowed_ids is not None:
            total = self._read("count")
            chunks = max(1, min(chunks * total // max(1, len(allowed_ids)) + 1, total))
            if len(allowed_ids) <= _RELATIVE_COST * chunks:
                return self._exact_search(vector, allowed_ids)
        best = self._nearest(vector, chunks, allowed_ids)
        while len(best) < limit and chunks < self._read("count"):
            chunks *= 4
            best = self._nearest(vector, chunks, allowed_ids)
        return best

    def _nearest(self, vector: Vectors, chunks: int, allowed_ids: frozenset[str] | None) -> dict[str, float]:
        """Return the papers of the nearest chunks with the cosine of the best one, best first."""
        # The chunk ids contain the paper ids: returning the metadata too would take three times as long.
        result = self._query(query_embeddings=[vector], n_results=chunks, include=["distances"])
        best: dict[str, float] = {}
        for chunk_id, distance in zip(result["ids"][0], result["distances"][0], strict=True):
            if allowed_ids is None or _paper_id(chunk_id) in allowed_ids:
                best.setdefault(_paper_id(chunk_id), 1.0 - distance)
        return best

    def _query(self, **arguments: Any) -> Any:
        """Query Chroma, on a server repeatedly: queries fail while the very first write to a collection goes on."""

        def query() -> Any:
            try:
                return self._read("query", **arguments)
            except LibraryError as error:
                if self._may_be_first_write(error) and self.is_empty():
                    return {"ids": [[]], "distances": [[]]}
                raise

        return retrying(_FIRST_WRITE, self._may_be_first_write)(query)

    def _may_be_first_write(self, error: BaseException) -> bool:
        return self._location.is_shared and isinstance(error, LibraryError) and not isinstance(error, StoreUnavailable)

    def _exact_search(self, vector: Vectors, allowed_ids: frozenset[str]) -> dict[str, float]:
        """Return each indexed paper of these with the cosine of its best chunk, best first."""
        best: dict[str, float] = {}
        for batch in batches(sorted(allowed_ids), self._batch_size):
            result = self._read("get", where={"paper": {"$in": batch}}, include=["embeddings"])
            cosines = result["embeddings"].reshape(-1, len(vector)) @ vector  # an empty result has another shape
            for chunk_id, cosine in zip(result["ids"], cosines, strict=True):
                best[_paper_id(chunk_id)] = max(best.get(_paper_id(chunk_id), -1.0), float(cosine))
        return dict(sorted(best.items(), key=lambda item: (-item[1], item[0])))

    def _open_collection(self) -> Any:
        """Return the collection, after another attempt to open one that could not be opened."""
        collection = self._collection
        if collection is None:
            with self._lock:
                collection = self._collection = self._open()
        return collection

    def _open(self, create: bool = False) -> Any:
        """Open the collection. Only the constructor creates one: a lost collection must not look like an empty one."""
        with self._location.translate_errors(Operation.OPEN), ExitStack() as on_failure:
            if self._client is None:
                self._client = self._location.connect()
                on_failure.callback(self.close)
            limit = self._client.get_max_batch_size()
            self._batch_size = limit if limit > 0 else _DEFAULT_BATCH_SIZE
            collection = self._load_collection(create)
            on_failure.pop_all()
        self._needs_refresh = False
        return collection

    def _load_collection(self, create: bool) -> Any:
        try:
            collection = self._client.get_collection(self._location.collection, embedding_function=None)
        except NotFoundError:
            if not create:
                raise
            collection = self._create_collection()
        stored = json.loads((collection.metadata or {}).get(_RECIPE, "{}"))
        if changes := [name for name in _COMPARED_FIELDS if stored.get(name) != getattr(self._recipe, name)]:
            raise RecipeMismatch(_mismatch(stored, asdict(self._recipe), changes))
        return collection

    def _create_collection(self) -> Any:
        recipe = json.dumps(asdict(self._recipe), sort_keys=True)
        return self._client.create_collection(
            self._location.collection,
            embedding_function=None,
            metadata={_RECIPE: recipe, _STAMP: secrets.randbits(62)},
            configuration={"hnsw": {"space": "cosine", "ef_search": 400}},
            get_or_create=True,  # another process may have been faster
        )

    def _read(self, method: str, **arguments: Any) -> Any:
        with self._read_lock:
            collection = self._open_collection()
            with self._location.translate_errors(Operation.READ):
                return getattr(collection, method)(**arguments)

    def _write(self, method: str, **arguments: Any) -> None:
        if self._needs_refresh:  # now, and not right after the failure: a full disk would prevent opening
            self.refresh()
        try:
            with self._location.translate_errors(Operation.WRITE):
                getattr(self._collection, method)(**arguments)
        except LibraryWriteError:
            self._needs_refresh = True
            raise


def stored_recipe(location: ChromaLocation) -> dict[str, Any] | None:
    """Return the recipe of the store in the location, None where there is no store. Raises LibraryError."""
    with location.translate_errors(Operation.OPEN), closing(location.connect()) as client:
        try:
            collection = client.get_collection(location.collection, embedding_function=None)
        except NotFoundError:
            return None
        recipe: dict[str, Any] | None = json.loads((collection.metadata or {}).get(_RECIPE, "null"))
        return recipe


def _paper_id(chunk_id: str) -> str:
    return chunk_id.rsplit(":", 1)[0]


def _is_complete(chunks: Mapping[int, Any]) -> bool:
    """Return whether no chunk and no vector is missing."""
    return chunks.keys() == set(range(len(chunks))) and all(vector is not None for vector in chunks.values())


def _metadata(chunk: Chunk) -> dict[str, str | int]:
    # Chroma silently drops fields that are None, so they are left out explicitly.
    return {"paper": chunk.paper_id} | ({"year": chunk.year} if chunk.year is not None else {})


def _mismatch(stored: Mapping[str, Any], wanted: Mapping[str, Any], changes: Sequence[str]) -> str:
    differences = "; ".join(f"{name} {stored.get(name)!r} -> {wanted[name]!r}" for name in changes)
    return (
        f"the library was indexed with another recipe ({differences}). "
        "Run: paperchat reindex, or restore the earlier settings"
    )
