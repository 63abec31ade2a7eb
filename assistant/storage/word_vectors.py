"""The word index: one bit for each coordinate of the contextual vector of every content word. SQLite.

One bit a coordinate ranks as well here as whole numbers (see docs/experiments.md), and a paper takes about 7 KB. SQLite
makes every change atomic and visible to readers at once, and reuses the space of removed papers.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from assistant.batches import batches
from assistant.encodings import WordVectors
from assistant.errors import LibraryError, LibraryWriteError
from assistant.storage.database import MAX_PARAMETERS
from assistant.storage.sqlite_file import connect

# The row of a paper fits into one or two pages of this size.
_PAGE_BYTES = 8192
_CREATE = "CREATE TABLE IF NOT EXISTS words (paper TEXT PRIMARY KEY, starts BLOB NOT NULL, signs BLOB NOT NULL)"


class SqliteWordVectors:
    """A WordVectorIndex in one file. Safe to call from several threads, and for many readers beside one writer."""

    def __init__(self, file: Path) -> None:
        """Open or create the file. Raises LibraryError where it is damaged or not a word index."""
        self._file = file
        self._lock = threading.Lock()  # a connection serves one thread at a time
        self._connection = self._try_reading(self._open)

    def refresh(self) -> None:
        """Open the file again: `paperchat reindex` replaces it. Raises LibraryError."""
        with self._lock:
            self._connection.close()
            self._connection = self._try_reading(self._open)

    def replace(self, papers: Mapping[str, WordVectors]) -> None:
        """Store the word vectors of papers, all or none. Raises LibraryWriteError."""
        rows = [(paper_id, words.starts.tobytes(), words.bits.tobytes()) for paper_id, words in papers.items()]
        self._write("INSERT OR REPLACE INTO words (paper, starts, signs) VALUES (?, ?, ?)", rows)

    def remove(self, paper_ids: Collection[str]) -> None:
        """Remove the papers, all or none; unknown ids are ignored. Raises LibraryWriteError."""
        self._write("DELETE FROM words WHERE paper = ?", [(paper_id,) for paper_id in paper_ids])

    def get(self, paper_ids: Collection[str]) -> dict[str, WordVectors]:
        """Return the word vectors of those of the papers that are indexed. Raises LibraryError."""
        rows = (row for batch in batches(paper_ids, MAX_PARAMETERS) for row in self._rows(batch))
        return {paper_id: word_vectors_of(starts, bits) for paper_id, starts, bits in rows}

    def paper_ids(self) -> set[str]:
        """Return the ids of all indexed papers, also of those without content words. Raises LibraryError."""
        return {paper_id for (paper_id,) in self._select("SELECT paper FROM words")}

    def is_empty(self) -> bool:
        """Return whether no paper is indexed. Raises LibraryError."""
        return not self._select("SELECT 1 FROM words LIMIT 1")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _rows(self, paper_ids: list[str]) -> list[Any]:
        parameters = ", ".join("?" * len(paper_ids))
        return self._select(
            f"SELECT paper, starts, signs FROM words WHERE paper IN ({parameters})",  # noqa: S608 - question marks only
            paper_ids,
        )

    def _open(self) -> sqlite3.Connection:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        connection = connect(self._file, page_size=_PAGE_BYTES)
        try:
            connection.execute(_CREATE)
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _select(self, statement: str, parameters: Collection[str] = ()) -> list[Any]:
        with self._lock:
            rows: list[Any] = self._try_reading(
                lambda: self._connection.execute(statement, tuple(parameters)).fetchall()
            )
        return rows

    def _try_reading(self, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except (sqlite3.Error, OSError) as error:
            raise LibraryError(
                f"the word index {self._file} cannot be read ({error}); run: paperchat reindex"
            ) from error

    def _write(self, statement: str, rows: list[Any]) -> None:
        try:
            with self._lock, self._connection:
                self._connection.executemany(statement, rows)
        except sqlite3.Error as error:
            raise LibraryWriteError(f"the word index {self._file} cannot be written: {error}") from error


def wipe(file: Path) -> None:
    """Delete the word index in the file, whatever its state."""
    for suffix in ("", "-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


def word_vectors_of(starts: bytes, bits: bytes) -> WordVectors:
    """Return the word vectors of a row."""
    offsets = np.frombuffer(starts, dtype=np.int32)
    columns = -1 if len(offsets) else 0
    return WordVectors(offsets, np.frombuffer(bits, dtype=np.uint8).reshape(len(offsets), columns))
