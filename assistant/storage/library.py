"""The library: a catalog with the three indexes derived from it, in one directory.

One process writes at a time, by an operating-system lock. Readers compare the catalog's generation stamp
before each search and look at the indexes again when another process has changed them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from assistant.batches import batches
from assistant.encodings import EncodedText, WordVectors
from assistant.errors import LibraryBusy, LibraryWriteError
from assistant.protocols import Embedder, Lexicon, VectorStore, WordVectorIndex
from assistant.schema import Chunk, Paper, Recipe
from assistant.storage.catalog import Catalog

if TYPE_CHECKING:
    from assistant.encodings import Vectors

logger = logging.getLogger(__name__)

# The vectors of so many papers are held in memory at once.
_COMPARED = 1000


@dataclass(frozen=True, slots=True)
class Indexes:
    """The three indexes, as they were opened together."""

    store: VectorStore
    lexicon: Lexicon
    words: WordVectorIndex


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Ids of papers that an index lacks, or holds damaged, and of those that it holds although it should not."""

    missing: frozenset[str]
    extra: frozenset[str]


@dataclass(frozen=True, slots=True)
class Read:
    """What the embedder made of a paper: its chunks' vectors, shape (chunks, dimension), and its words."""

    vectors: Vectors
    words: WordVectors


class Library:
    """Papers and how to find them. `home` is the directory that holds everything."""

    def __init__(
        self, home: Path, catalog: Catalog, embedder: Embedder, recipe: Recipe, open_indexes: Callable[[], Indexes]
    ) -> None:
        self.home, self.catalog, self.embedder, self.recipe = home, catalog, embedder, recipe
        self._seen = catalog.ledger.generation
        self._indexes = open_indexes()
        self._lock = threading.RLock()

    def fresh(self) -> Indexes:
        """Bring the indexes up to date with what other processes wrote, and return all three.

        Reads the catalog's generation stamp once: for a whole answer, call it once. Raises LibraryError.
        """
        generation = self.catalog.ledger.generation
        with self._lock:
            if generation != self._seen:
                self._indexes.store.refresh()
                self._indexes.lexicon.refresh()
                self._indexes.words.refresh()
                self._seen = generation
                logger.debug("indexes refreshed to generation %s", generation)
        return self._indexes

    @property
    def store(self) -> VectorStore:
        """The vector index, up to date with what other processes wrote."""
        return self.fresh().store

    @property
    def lexicon(self) -> Lexicon:
        """The lexical index, up to date with what other processes wrote."""
        return self.fresh().lexicon

    @property
    def words(self) -> WordVectorIndex:
        """The word index, up to date with what other processes wrote."""
        return self.fresh().words

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the library for writing. Raises LibraryBusy at once where another process does.

        The indexes are brought up to date first: Chroma would write its own old view over what others have added.
        """
        with lock(self.home):
            self.fresh()
            yield

    def index(self, papers: Sequence[Paper], chunks: Sequence[Chunk], readings: Sequence[EncodedText]) -> None:
        """Put papers into all indexes and mark them in the catalog, last; reading i is of chunk i's text.

        Raises LibraryWriteError.
        """
        from assistant.embedding.content_words import word_vectors

        words = word_vectors(papers, chunks, readings, self._indexes.lexicon)
        self._index(papers, chunks, [reading.vector for reading in readings], words)

    def index_again(self, papers: Sequence[Paper], read: Mapping[str, Read]) -> None:
        """As `index`, with what the embedder made of each paper before. Raises LibraryWriteError."""
        chunks = [
            Chunk(paper.id, number, "", 0, 0, paper.year)
            for paper in papers
            for number in range(len(read[paper.id].vectors))
        ]
        vectors = [vector for paper in papers for vector in read[paper.id].vectors]
        self._index(papers, chunks, vectors, {paper.id: read[paper.id].words for paper in papers})

    def drop(self, paper_ids: Sequence[str]) -> None:
        """Take ids out of all indexes, then out of the catalog's marks. Raises LibraryWriteError."""
        self._indexes.store.remove(paper_ids)
        self._indexes.words.remove(paper_ids)
        self._indexes.lexicon.remove(paper_ids)
        self.catalog.ledger.mark_removed(paper_ids)
        self._seen = self.catalog.ledger.generation

    def compare(self) -> dict[str, Disagreement]:
        """Where each index differs from what the catalog says that it holds; those that agree are left out."""
        indexes, wanted, marked = self.fresh(), self.catalog.ledger.indexed_ids(), self.catalog.ledger.all_ids()
        stored = indexes.store.paper_ids()
        held = {"lexicon": indexes.lexicon.paper_ids(), "word index": indexes.words.paper_ids()}
        found = {"store": Disagreement(frozenset(wanted - _whole(indexes.store, stored)), frozenset(stored - marked))}
        found |= {name: Disagreement(frozenset(wanted - ids), frozenset(ids - marked)) for name, ids in held.items()}
        return {name: each for name, each in found.items() if each.missing or each.extra}

    def mend(self) -> None:
        """Take out of all indexes what one of them should not hold, and have what one of them lacks indexed again.

        The papers lacking wait until the next synchronisation. Raises LibraryWriteError.
        """
        found = self.compare().values()
        if extra := sorted(set().union(*(each.extra for each in found))):
            self.drop(extra)
        self.catalog.ledger.invalidate(set().union(*(each.missing for each in found)))

    def close(self) -> None:
        """Release the files."""
        self._indexes.store.close()
        self._indexes.words.close()
        self.catalog.close()

    def _index(
        self,
        papers: Sequence[Paper],
        chunks: Sequence[Chunk],
        vectors: Sequence[Vectors],
        words: Mapping[str, WordVectors],
    ) -> None:
        self.catalog.ledger.announce(papers, self._indexes.store.stamp)
        self._indexes.store.replace(chunks, vectors)
        self._indexes.words.replace(words)
        self._indexes.lexicon.replace(papers)
        self.catalog.ledger.mark_indexed(papers)
        self._seen = self.catalog.ledger.generation


@contextmanager
def lock(home: Path) -> Iterator[None]:
    """The writer's lock of a library's directory. Raises LibraryBusy, or LibraryWriteError where it is read-only."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        held = FileLock(home / "writer.lock", timeout=0)
        held.acquire()
    except Timeout as error:
        raise LibraryBusy(
            f"another process is writing to the library in {home}; wait until it has finished, then try again"
        ) from error
    except OSError as error:
        raise LibraryWriteError(f"the library's directory {home} cannot be written: {error.strerror}") from error
    try:
        yield
    finally:
        held.release()


def _whole(store: VectorStore, paper_ids: Collection[str]) -> set[str]:
    """Those of the papers of which the store has lost nothing."""
    return {paper_id for batch in batches(sorted(paper_ids), _COMPARED) for paper_id in store.vectors(batch)}
