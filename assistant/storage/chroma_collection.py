"""A collection of Chroma, in a folder or on a server: opened, read and written, with errors and limits translated."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from chromadb.errors import NotFoundError

from assistant.errors import LibraryError, LibraryWriteError, StoreUnavailable
from assistant.retry import Backoff, retrying
from assistant.schema import Recipe
from assistant.storage.chroma_limits import RequestLimits
from assistant.storage.chroma_location import ChromaLocation, Operation, size_limit
from assistant.storage.chroma_metadata import new_metadata, read_recipe, read_shards, require_match

if TYPE_CHECKING:
    from assistant.encodings import Vectors

Value = TypeVar("Value")

# Neighbours of a vector in the graph, and the beam of a search in it: docs/scale.md has the recall of both.
_MAX_NEIGHBORS = 32
EF_SEARCH = 400
# Of 60 servers that were killed during the first write to a collection and started again, 16 rejected one to three
# queries in a row; a busy machine takes longer.
_FIRST_WRITE = Backoff(attempts=7, pause=0.02)


@dataclass(frozen=True, slots=True)
class SharedClient:
    """A client of a server that several collections use, with what it has learned of the server's limits."""

    client: Any
    limits: RequestLimits = field(default_factory=RequestLimits)


class ChromaCollection:
    """A collection in one location, opened for one recipe. Safe to call from several threads."""

    def __init__(
        self, location: ChromaLocation, recipe: Recipe, shards: int, create: bool, shared: SharedClient | None
    ) -> None:
        """Open the collection, or `create` it where there is none; a client that is shared is never closed.

        Raises RecipeMismatch where it has another recipe, LibraryError.
        """
        self._location, self._recipe, self._shards = location, recipe, shards
        self._lock = threading.RLock()
        # A refresh closes the client of a folder, so nothing may be read meanwhile.
        self.read_lock: AbstractContextManager[object] = nullcontext() if location.is_shared else self._lock
        self._needs_refresh = False  # after a failed write Chroma keeps its database locked until it is closed
        self.limits = shared.limits if shared else RequestLimits()
        self._counted: int | None = None
        self._client: Any = shared.client if shared else None
        self._is_client_shared = shared is not None
        self._collection = self._open(create)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Return the metadata that the collection was created with. Raises LibraryError."""
        return self._open_collection().metadata or {}

    def refresh(self) -> None:
        """Read what other processes have written, also where they have replaced the collection. Raises LibraryError."""
        with self._lock:
            if not self._location.is_shared:
                self.close()
            self._collection, self._needs_refresh = None, True  # until the collection is open again
            self._collection = self._open()

    def close(self) -> None:
        """Close the files or the connection."""
        if self._client is not None and not self._is_client_shared:
            self._client.close()
            self._client = None

    def count(self) -> int:
        """Return the number of rows; Chroma counts them one by one. Raises LibraryError."""
        return int(self._read("count"))

    def approximate_count(self) -> int:
        """Return the number of rows as it was after the last refresh or write of this object. Raises LibraryError."""
        counted = self._counted  # another thread may write meanwhile
        if counted is None:
            counted = self._counted = self.count()
        return counted

    def is_empty(self) -> bool:
        """Return whether there is no row. Raises LibraryError."""
        return not self._read("get", limit=1, include=[])["ids"]

    def rows(self, ids: Sequence[str], include: Sequence[str]) -> Iterator[Any]:
        """Yield the rows that have one of the ids, as Chroma's `get` returns them, in parts. Raises LibraryError."""
        return self.limits.read_in_parts(ids, lambda part: self._read("get", **_by_ids(part, include)))

    def delete(self, ids: Sequence[str]) -> list[str]:
        """Delete the rows that have one of the ids, and return their ids. Raises LibraryWriteError.

        They are looked up first, because Chroma logs the deletion of each id, whether there is such a row or not.
        """
        pages = self.limits.read_in_parts(ids, lambda part: self._write("get", **_by_ids(part, ())))
        present = [row_id for page in pages for row_id in page["ids"]]
        self.write_in_parts("delete", present, lambda part: {"ids": part})
        return present

    def ids(self) -> Iterator[str]:
        """Yield the ids of all rows. Raises LibraryError."""
        pages = self.limits.read_in_pages(
            lambda limit, offset: self._read("get", limit=limit, offset=offset, include=[])
        )
        return (row_id for page in pages for row_id in page["ids"])

    def query(self, vector: Vectors, rows: int, **arguments: Any) -> dict[str, float]:
        """Return the ids of the nearest rows with their cosines, nearest first: so many, or all that Chroma returns.

        On a server the query is repeated: queries fail while the very first write to a collection goes on.
        Raises LibraryError.
        """

        def query(results: int) -> Any:
            try:
                return self._read(
                    "query", query_embeddings=[vector], n_results=results, include=["distances"], **arguments
                )
            except LibraryError as error:
                if self._may_be_first_write(error) and self.is_empty():
                    return {"ids": [[]], "distances": [[]]}
                raise

        retried = retrying(_FIRST_WRITE, self._may_be_first_write)
        result = self.limits.search(rows, lambda results: retried(query, results))
        distances = np.asarray(result["distances"][0], dtype=np.float32)  # a server sends them as decimals
        return dict(zip(result["ids"][0], (1.0 - distances.astype(float)).tolist(), strict=True))

    def write_in_parts(self, method: str, values: Sequence[Value], arguments: Callable[[list[Value]], Any]) -> None:
        """Call a method of Chroma with the arguments for all values, a part of them at a time.

        Raises LibraryWriteError.
        """
        self.limits.write_in_parts(values, lambda part: self._write(method, **arguments(part)))

    def _may_be_first_write(self, error: BaseException) -> bool:
        return self._location.is_shared and isinstance(error, LibraryError) and not isinstance(error, StoreUnavailable)

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
            self.limits.set_told(self._client.get_max_batch_size())
            collection = self._load(create)
            on_failure.pop_all()
        self._needs_refresh, self._counted = False, None
        return collection

    def _load(self, create: bool) -> Any:
        try:
            collection = self._client.get_collection(self._location.collection, embedding_function=None)
        except NotFoundError:
            if not create:
                raise
            collection = self._create()
        require_match(collection.metadata, self._recipe, self._shards)
        return collection

    def _create(self) -> Any:
        return self._client.create_collection(
            self._location.collection,
            embedding_function=None,
            metadata=new_metadata(self._recipe, self._shards),
            configuration={"hnsw": {"space": "cosine", "ef_search": EF_SEARCH, "max_neighbors": _MAX_NEIGHBORS}},
            get_or_create=True,  # another process may have been faster
        )

    def _read(self, method: str, **arguments: Any) -> Any:
        with self.read_lock:
            collection = self._open_collection()
            with self._location.translate_errors(Operation.READ):
                return getattr(collection, method)(**arguments)

    def _write(self, method: str, **arguments: Any) -> Any:
        self._counted = None
        if self._needs_refresh:  # now, and not right after the failure: a full disk would prevent opening
            self.refresh()
        try:
            with self._location.translate_errors(Operation.WRITE):
                return getattr(self._collection, method)(**arguments)
        except LibraryWriteError as error:
            self._needs_refresh = size_limit(error) is None
            raise


def _by_ids(ids: Sequence[str], include: Sequence[str]) -> dict[str, Any]:
    return {"ids": list(ids), "include": list(include), "limit": len(ids)}


def stored_recipe(location: ChromaLocation) -> dict[str, Any] | None:
    """Return the recipe of the store in the location, None where there is no store. Raises LibraryError."""
    return read_recipe(_stored_metadata(location, None))


def stored_shards(location: ChromaLocation, client: Any = None) -> int | None:
    """Return over how many shards the store in the location is spread, None without a store. Raises LibraryError.

    A `client` that is given is not closed.
    """
    metadata = _stored_metadata(location, client)
    return None if metadata is None else read_shards(metadata)


def _stored_metadata(location: ChromaLocation, client: Any) -> Mapping[str, Any] | None:
    with location.translate_errors(Operation.OPEN), ExitStack() as stack:
        client = client or stack.enter_context(closing(location.connect()))
        try:
            return client.get_collection(location.collection, embedding_function=None).metadata or {}
        except NotFoundError:
            return None
