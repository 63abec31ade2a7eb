"""The library: a catalog with the three indexes derived from it, in one directory.

One process writes at a time, under a lock of the operating system or of the database that several machines share.
Readers compare the catalog's generation stamp before each answer, and refresh the indexes when another process has
changed them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.batches import batches
from assistant.embedding.content_words import word_vectors
from assistant.encodings import EncodedPaper, EncodedText, WordVectors
from assistant.protocols import Embedder, Lexicon, VectorStore, WordVectorIndex
from assistant.schema import Chunk, Paper, Recipe
from assistant.storage.catalog import Catalog
from assistant.storage.database import WriteLock

if TYPE_CHECKING:
    from assistant.encodings import Vectors

logger = logging.getLogger(__name__)

# The vectors of this many papers are in memory at once.
_COMPARE_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Indexes:
    """The three indexes of a library."""

    store: VectorStore
    lexicon: Lexicon
    words: WordVectorIndex


@dataclass(frozen=True, slots=True)
class IndexDifference:
    """The ids of papers that an index lacks or has damaged, and of those that it should not have."""

    missing: frozenset[str]
    extra: frozenset[str]


class Library:
    """Papers with their indexes; `home` is the directory of all files."""

    def __init__(
        self, home: Path, catalog: Catalog, embedder: Embedder, recipe: Recipe, open_indexes: Callable[[], Indexes]
    ) -> None:
        self.home, self.catalog, self.embedder, self.recipe = home, catalog, embedder, recipe
        self._generation = catalog.ledger.generation
        self._indexes = open_indexes()
        self._lock = threading.RLock()
        self._write_lock: WriteLock | None = None

    def fresh(self) -> Indexes:
        """Refresh the indexes where another process has written, and return all three.

        Reads the catalog's generation stamp once: for a whole answer, call it once. Raises LibraryError.
        """
        generation = self.catalog.ledger.generation
        with self._lock:
            if generation != self._generation:
                self._indexes.store.refresh()
                self._indexes.lexicon.refresh()
                self._indexes.words.refresh()
                self._generation = generation
                logger.debug("indexes refreshed to generation %s", generation)
        return self._indexes

    @property
    def store(self) -> VectorStore:
        """Return the vector store, up to date with what other processes wrote. Raises LibraryError."""
        return self.fresh().store

    @property
    def lexicon(self) -> Lexicon:
        """Return the lexicon, up to date with what other processes wrote. Raises LibraryError."""
        return self.fresh().lexicon

    @property
    def words(self) -> WordVectorIndex:
        """Return the index of word vectors, up to date with what other processes wrote. Raises LibraryError."""
        return self.fresh().words

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Lock the library for writing. Raises LibraryBusy at once where another process is writing.

        The indexes are refreshed first: Chroma would otherwise overwrite what other processes have added.
        """
        with self.catalog.exclusive() as write_lock:
            self.fresh()
            self._write_lock = write_lock
            try:
                yield
            finally:
                self._write_lock = None

    def index(self, papers: Sequence[Paper], chunks: Sequence[Chunk], encoded: Sequence[EncodedText]) -> None:
        """Put papers into all indexes, then mark them in the ledger; `encoded[i]` is of the text of chunk i.

        Raises LibraryWriteError.
        """
        words = word_vectors(papers, chunks, encoded, self._indexes.lexicon)
        self._index(papers, chunks, [text.vector for text in encoded], words)

    def index_encoded(self, papers: Sequence[Paper], encoded: Mapping[str, EncodedPaper]) -> None:
        """Put papers into all indexes by vectors computed earlier, given by paper id. Raises LibraryWriteError."""
        chunks = [
            Chunk(paper.id, number, "", 0, 0, paper.year)
            for paper in papers
            for number in range(len(encoded[paper.id].vectors))
        ]
        vectors = [vector for paper in papers for vector in encoded[paper.id].vectors]
        self._index(papers, chunks, vectors, {paper.id: encoded[paper.id].words for paper in papers})

    def remove(self, paper_ids: Sequence[str]) -> None:
        """Remove ids from all indexes, then from the ledger. Raises LibraryWriteError."""
        self._require_lock()
        self._indexes.store.remove(paper_ids)
        self._indexes.words.remove(paper_ids)
        self._indexes.lexicon.remove(paper_ids)
        self._require_lock()
        self.catalog.ledger.mark_removed(paper_ids)
        self._follow()

    def compare(self) -> dict[str, IndexDifference]:
        """Return the indexes that differ from the ledger, by name, with the differences."""
        indexes, ledger = self.fresh(), self.catalog.ledger
        required, allowed = ledger.indexed_ids(), ledger.all_ids()
        stored = indexes.store.paper_ids()
        by_index = {
            "store": (_intact_ids(indexes.store, stored), stored),
            "lexicon": (ids := indexes.lexicon.paper_ids(), ids),
            "word index": (ids := indexes.words.paper_ids(), ids),
        }
        differences = {
            name: IndexDifference(frozenset(required - intact), frozenset(present - allowed))
            for name, (intact, present) in by_index.items()
        }
        return {name: difference for name, difference in differences.items() if difference.missing or difference.extra}

    def reconcile(self) -> None:
        """Remove from all indexes what one of them should not have, and invalidate what one of them lacks.

        Invalidated papers are indexed again at the next synchronisation. Raises LibraryWriteError.
        """
        differences = self.compare().values()
        if extra := sorted(set().union(*(difference.extra for difference in differences))):
            self.remove(extra)
        self.catalog.ledger.invalidate(set().union(*(difference.missing for difference in differences)))

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
        self._require_lock()
        self.catalog.ledger.announce(papers, self._indexes.store.stamp)
        self._indexes.store.replace(chunks, vectors)
        self._indexes.words.replace(words)
        self._indexes.lexicon.replace(papers)
        self._require_lock()
        self.catalog.ledger.mark_indexed(papers)
        self._follow()

    def _require_lock(self) -> None:
        """Raise LibraryWriteError where another process may have begun to write, since this one's lock is lost."""
        if self._write_lock:
            self._write_lock.require()

    def _follow(self) -> None:
        """Take the indexes as up to date after this process has written, but for replicas, which follow later."""
        if not self.catalog.is_shared:
            self._generation = self.catalog.ledger.generation


def _intact_ids(store: VectorStore, paper_ids: Collection[str]) -> set[str]:
    """Return those of the papers of which the store has every vector."""
    return {paper_id for batch in batches(sorted(paper_ids), _COMPARE_BATCH) for paper_id in store.vectors(batch)}
