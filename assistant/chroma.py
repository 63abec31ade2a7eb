"""The vector index: the only home of chromadb. Cosine, embedded, vectors with ids and small filter fields.

Texts stay in the catalog: Chroma would hold them three times over. The recipe stands in the collection's
metadata and is compared on opening, because Chroma takes any vectors of the right length.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict
from dataclasses import fields as fields_of
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import chromadb
import numpy as np
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError, NotFoundError

from assistant.errors import LibraryError, LibraryWriteError, RecipeMismatch
from assistant.schema import Chunk, Recipe, Scored

if TYPE_CHECKING:
    from assistant.ports import Vectors

COLLECTION = "paperchat"
# Vectors of so many papers are read at once.
_WHOLE_PAPERS = 1000
_RECIPE = "recipe"
_COMPARED = [each.name for each in fields_of(Recipe) if each.compare]
# Chunks asked for per paper wanted, so that papers of several chunks do not crowd out others.
_CHUNKS_PER_PAPER = 2
# What it costs to be given one chunk more by a search, in chunks that are fetched to be compared: measured at 80,000
# papers, 0.04 ms beside 0.1 ms.
_COSTS = 0.4


class ChromaStore:
    """A Store in one directory, opened for one recipe. Safe to call from several threads."""

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        """Raises RecipeMismatch where the directory holds another recipe, LibraryError where it cannot be opened."""
        self._folder, self._recipe = folder, recipe
        self._lock = threading.RLock()  # a refresh closes the client, and no search may be under way then
        self._failed = False  # after a failed write Chroma keeps its database locked until it is closed
        self._open()

    def refresh(self) -> None:
        """See what other processes have written. Chroma keeps its own view until it is closed."""
        with self._lock:
            self.close()
            self._collection, self._failed = None, True  # until it is open again
            self._open()

    def close(self) -> None:
        """Release the directory."""
        self._client.close()

    def replace(self, chunks: Sequence[Chunk], vectors: Sequence[Vectors] | Vectors) -> None:
        """Make these the only chunks of their papers. Raises LibraryWriteError."""
        self.remove({chunk.paper_id for chunk in chunks})
        rows = list(zip(chunks, vectors, strict=True))
        for batch in _batches(rows, self._most_rows):
            self._write(
                "upsert",
                ids=[f"{chunk.paper_id}:{chunk.number}" for chunk, _ in batch],
                embeddings=[vector for _, vector in batch],
                metadatas=[_fields(chunk) for chunk, _ in batch],
            )

    def remove(self, paper_ids: Collection[str]) -> None:
        """Forget the papers. Raises LibraryWriteError."""
        for batch in _batches(sorted(paper_ids), self._most_rows):
            self._write("delete", where={"paper": {"$in": batch}})

    def search(self, vector: Vectors, limit: int, within: Collection[str] | None = None) -> list[Scored]:
        """The papers nearest to the vector, each with the cosine of its best chunk. Raises LibraryError."""
        with self._lock:
            best = self._nearest(vector, limit, None if within is None else frozenset(within))
        return [Scored(paper_id, score) for paper_id, score in islice(best.items(), limit)]

    def paper_ids(self) -> set[str]:
        """Every paper that has a chunk here. Raises LibraryError."""
        found = self._read("get", include=["metadatas"])
        return {str(fields["paper"]) for fields in found["metadatas"] or ()}

    def vectors(self, paper_ids: Collection[str]) -> dict[str, Vectors]:
        """The vectors of the papers' chunks, of those papers that are whole. Raises LibraryError."""
        found: dict[str, dict[int, Any]] = {}
        for batch in _batches(sorted(paper_ids), _WHOLE_PAPERS):
            for chunk, vector in self._vectors(batch):
                paper_id, number = chunk.rsplit(":", 1)
                found.setdefault(paper_id, {})[int(number)] = vector
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

    def _nearest(self, vector: Vectors, limit: int, within: frozenset[str] | None) -> dict[str, float]:
        """At least `limit` papers, if there are so many, with the cosines of their best chunks, best first.

        Chroma's own filter takes longer than either way here: comparing the papers asked for one by one where they
        are few, or else asking for as many more chunks as will be left out.
        """
        chunks, held = limit * _CHUNKS_PER_PAPER, self._read("count")
        if within is not None:
            chunks = max(1, min(chunks * held // max(1, len(within)) + 1, held))
            if len(within) <= _COSTS * chunks:
                return self._compared(vector, within)
        best = self._best(vector, chunks, within)
        while len(best) < limit and chunks < held:
            chunks *= 4
            best = self._best(vector, chunks, within)
        return best

    def _best(self, vector: Vectors, chunks: int, within: frozenset[str] | None) -> dict[str, float]:
        """The papers of the nearest chunks with the cosine of the best one, best first."""
        found = self._read("query", query_embeddings=[vector], n_results=chunks, include=["distances", "metadatas"])
        best: dict[str, float] = {}
        for fields, distance in zip(found["metadatas"][0], found["distances"][0], strict=True):
            if within is None or fields["paper"] in within:
                best.setdefault(str(fields["paper"]), 1.0 - distance)
        return best

    def _compared(self, vector: Vectors, within: frozenset[str]) -> dict[str, float]:
        """Each of these papers that the store holds with the cosine of its best chunk, best first."""
        best: dict[str, float] = {}
        for batch in _batches(sorted(within), self._most_rows):
            found = self._read("get", where={"paper": {"$in": batch}}, include=["embeddings", "metadatas"])
            for fields, cosine in zip(found["metadatas"], found["embeddings"] @ vector, strict=True):
                paper_id = str(fields["paper"])
                best[paper_id] = max(best.get(paper_id, -1.0), float(cosine))
        return dict(sorted(best.items(), key=lambda item: (-item[1], item[0])))

    def _open(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with ExitStack() as on_failure:
                self._client = on_failure.enter_context(closing(_client(self._folder)))
                self._most_rows = self._client.get_max_batch_size()
                self._collection = self._checked_collection()
                on_failure.pop_all()
            self._failed = False
        except (ChromaError, OSError, ValueError) as error:
            raise LibraryError(
                f"the store in {self._folder} cannot be opened ({error}); run: paperchat reindex"
            ) from error

    def _checked_collection(self) -> Any:
        wanted = json.dumps(asdict(self._recipe), sort_keys=True)
        try:
            collection = self._client.get_collection(COLLECTION, embedding_function=None)
        except NotFoundError:
            return self._client.create_collection(
                COLLECTION,
                embedding_function=None,
                metadata={_RECIPE: wanted},
                configuration={"hnsw": {"space": "cosine"}},
            )
        held = json.loads((collection.metadata or {}).get(_RECIPE, "{}"))
        if changes := [name for name in _COMPARED if held.get(name) != getattr(self._recipe, name)]:
            raise RecipeMismatch(_mismatch(held, asdict(self._recipe), changes))
        return collection

    def _read(self, name: str, **arguments: Any) -> Any:
        with self._lock:
            if self._collection is None:
                self._open()
            try:
                return getattr(self._collection, name)(**arguments)
            except ChromaError as error:
                raise LibraryError(
                    f"the store in {self._folder} cannot be read ({error}); run: paperchat reindex"
                ) from error

    def _write(self, name: str, **arguments: Any) -> None:
        if self._failed:  # opened anew now and not upon the failure: a full disk would not let it open
            self.refresh()
        try:
            getattr(self._collection, name)(**arguments)
        except (ChromaError, OSError) as error:
            self._failed = True
            raise LibraryWriteError(f"the store in {self._folder} cannot be written: {error}") from error


def held_recipe(folder: Path) -> dict[str, Any] | None:
    """The recipe of the store in the directory; None where it holds none. Raises LibraryError."""
    try:
        with closing(_client(folder)) as client:
            collection = client.get_collection(COLLECTION, embedding_function=None)
            recipe: dict[str, Any] | None = json.loads((collection.metadata or {}).get(_RECIPE, "null"))
            return recipe
    except NotFoundError:
        return None
    except (ChromaError, OSError, ValueError) as error:
        raise LibraryError(f"the store in {folder} cannot be opened ({error}); run: paperchat reindex") from error


def wipe(folder: Path) -> None:
    """Delete the store that lies in the directory, whatever its recipe and state. Nobody may have it open."""
    try:
        with closing(_client(folder)) as client, suppress(NotFoundError):
            client.delete_collection(COLLECTION)
    except Exception:  # a damaged store fails in ways of its own, and is to be deleted all the same
        shutil.rmtree(folder, ignore_errors=True)


def _client(folder: Path) -> Any:
    try:
        return chromadb.PersistentClient(path=str(folder), settings=ChromaSettings(anonymized_telemetry=False))
    except Exception:
        _forget_failed(str(folder))
        raise


def _forget_failed(folder: str) -> None:
    """Let a directory that could not be opened be tried again: Chroma would go on with its half-made system.

    Its own clear_system_cache forgets every other store of the process too: one opened again later would then be
    stopped by the closing of the first.
    """
    if folder not in SharedSystemClient._identifier_to_refcount:  # counted only once it was opened
        SharedSystemClient._identifier_to_system.pop(folder, None)


def _fields(chunk: Chunk) -> dict[str, str | int]:
    # A field that is None would vanish silently, so it is left out on purpose.
    return {"paper": chunk.paper_id} | ({"year": chunk.year} if chunk.year is not None else {})


def _mismatch(held: dict[str, Any], wanted: dict[str, Any], changes: Sequence[str]) -> str:
    told = "; ".join(f"{name} {held.get(name)!r} -> {wanted[name]!r}" for name in changes)
    return (
        f"the library was indexed with another recipe ({told}). Run: paperchat reindex, or restore the earlier settings"
    )


def _batches(rows: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))
