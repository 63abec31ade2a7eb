"""A vector store on a Chroma server that is spread over several collections, its shards, by a hash of the paper id.

How many shards a store has is decided when it is created and is written in the metadata of each of them; the first one
is read to learn it. What is asked of the store is asked of its shards in parallel.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, TypeVar

from assistant.errors import LibraryError, StoreUnavailable
from assistant.protocols import VectorStore
from assistant.schema import Chunk, PaperScore, Recipe
from assistant.storage.chroma_collection import SharedClient, stored_shards
from assistant.storage.chroma_location import ChromaLocation, ChromaServer
from assistant.storage.chroma_store import ChromaStore
from assistant.storage.parallel import run_all

if TYPE_CHECKING:
    from assistant.encodings import Vectors

Value = TypeVar("Value")
Result = TypeVar("Result")

# Requests that one store has under way at once, whatever the number of its shards and of searches.
_MAX_THREADS = 16
# Allowed papers up to which each shard gets its own: to tell the shards of a million takes seconds.
_MAX_SPLIT = 30_000


def open_store(location: ChromaLocation, recipe: Recipe, shards: int) -> VectorStore:
    """Open the store in the location, or create one: on a server with so many shards, in a folder with one.

    Raises RecipeMismatch, LibraryError.
    """
    return (
        ShardedStore(location, recipe, shards) if isinstance(location, ChromaServer) else ChromaStore(location, recipe)
    )


def shard_of(paper_id: str, shards: int) -> int:
    """Return the shard of a paper, 0 to shards - 1. Stores depend on it: by another rule they would lose papers."""
    digest = hashlib.blake2b(paper_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % shards


class ShardedStore:
    """A VectorStore on a server, opened for one recipe. Safe to call from several threads.

    With one shard it is a store in a single collection, and no thread is started.
    """

    def __init__(self, location: ChromaServer, recipe: Recipe, shards: int) -> None:
        """Open the store with the shards that it has, or create one with so many.

        Raises RecipeMismatch where it has another recipe; LibraryError, also where a shard is missing.
        """
        self._location, self._recipe = location, recipe
        self._lock = threading.Lock()
        self._connect()
        with ExitStack() as on_failure:
            on_failure.callback(self.close)
            if stored_shards(location, self._shared.client) is None:
                self._create(shards)
            self._shards = self._open()
            on_failure.pop_all()

    @property
    def stamp(self) -> int:
        """Return a random number drawn when the store was created; where a shard was replaced, it is another one."""
        stamps = [shard.stamp for shard in self._shards]
        digest = hashlib.blake2b(repr(stamps).encode(), digest_size=8).digest()
        return stamps[0] if len(stamps) == 1 else int.from_bytes(digest, "big") >> 2  # 62 bits, as each of them

    def refresh(self) -> None:
        """Open the shards again, also where another process has replaced them by more or fewer. Raises LibraryError."""
        with self._lock:
            if self._is_closed:
                self._connect()
            self._shards = self._open()

    def close(self) -> None:
        """Wait for the requests that are under way, drop others, and close the connection; `refresh` opens it again."""
        self._is_closed = True
        self._pool.shutdown(cancel_futures=True)
        self._shared.client.close()

    def replace(self, chunks: Sequence[Chunk], vectors: Sequence[Vectors] | Vectors) -> None:
        """Replace all chunks of the papers that these belong to; `vectors[i]` is the vector of `chunks[i]`.

        Raises LibraryWriteError; some of the shards may have been written then.
        """
        rows = list(zip(chunks, vectors, strict=True))
        self._on_shards_of(rows, lambda row: row[0].paper_id, _replace)

    def remove(self, paper_ids: Collection[str]) -> None:
        """Remove the papers; unknown ids are ignored. Raises LibraryWriteError; some may have been removed then."""
        self._on_shards_of(paper_ids, str, ChromaStore.remove)

    def search(self, vector: Vectors, limit: int, allowed_ids: Collection[str] | None = None) -> list[PaperScore]:
        """Return the papers nearest to the vector with the cosine of their best chunk. Raises LibraryError."""
        if allowed_ids is None or len(allowed_ids) > _MAX_SPLIT:
            share = 1 / len(self._shards)
            results = self._on_all(lambda shard: shard.search(vector, limit, allowed_ids, share))
        else:
            results = self._on_shards_of(allowed_ids, str, lambda shard, ids: shard.search(vector, limit, ids))
        return sorted(chain.from_iterable(results), key=lambda hit: (-hit.score, hit.paper_id))[:limit]

    def paper_ids(self) -> set[str]:
        """Return the ids of all papers that have a chunk. Raises LibraryError."""
        return set(chain.from_iterable(self._on_all(ChromaStore.paper_ids)))

    def vectors(self, paper_ids: Collection[str]) -> dict[str, Vectors]:
        """Return the vectors of each paper's chunks, by number; incomplete papers are left out. Raises LibraryError."""
        by_shard = self._on_shards_of(paper_ids, str, ChromaStore.vectors)
        return dict(chain.from_iterable(vectors.items() for vectors in by_shard))

    def is_empty(self) -> bool:
        """Return whether no shard has a chunk. Raises LibraryError."""
        return all(self._on_all(ChromaStore.is_empty))

    def _on_all(self, call: Callable[[ChromaStore], Result]) -> list[Result]:
        return self._run([partial(call, shard) for shard in self._shards])

    def _on_shards_of(
        self,
        values: Iterable[Value],
        paper_id: Callable[[Value], str],
        call: Callable[[ChromaStore, list[Value]], Result],
    ) -> list[Result]:
        """Call each shard that has some of the values with these, and return the results."""
        shards = self._shards  # a refresh may replace them meanwhile
        parts: dict[int, list[Value]] = {}
        for value in values:
            parts.setdefault(shard_of(paper_id(value), len(shards)), []).append(value)
        return self._run([partial(call, shards[number], part) for number, part in parts.items()])

    def _run(self, calls: Sequence[Callable[[], Result]]) -> list[Result]:
        if self._is_closed:
            raise StoreUnavailable(f"{self._location} cannot be used: it was closed")
        return run_all(self._pool, calls)

    def _connect(self) -> None:
        self._shared = SharedClient(self._location.connect())
        self._pool = ThreadPoolExecutor(_MAX_THREADS, thread_name_prefix="shards")
        self._is_closed = False

    def _create(self, count: int) -> None:
        """Create the shards. The first one is created last: a store is there once it is whole.

        An interrupted creation has left empty shards, which are used; any others belong to a store that has lost its
        first shard.
        """
        others = self._run([partial(self._shard, number, count, create=True) for number in range(1, count)])
        if not all(self._run([shard.is_empty for shard in others])):
            raise LibraryError(f"{self._location} has lost its first shard of {count}; run: paperchat reindex")
        self._shard(0, count, create=True)

    def _open(self) -> tuple[ChromaStore, ...]:
        """Open all shards of the store; a missing one is an error, and never looks like an empty one."""
        count = stored_shards(self._location, self._shared.client) or 1
        return tuple(self._run([partial(self._shard, number, count) for number in range(count)]))

    def _shard(self, number: int, count: int, create: bool = False) -> ChromaStore:
        location = self._location.of_shard(number)
        return ChromaStore(location, self._recipe, shards=count, create=create, shared=self._shared)


def _replace(shard: ChromaStore, rows: Sequence[tuple[Chunk, Vectors]]) -> None:
    shard.replace([chunk for chunk, _ in rows], [vector for _, vector in rows])
