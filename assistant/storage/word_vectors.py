"""The word index: every content word of every paper as the sign bits of its vector in context. SQLite.

One bit a coordinate ranks as well as the whole numbers here (see eval/README.md) and makes a paper about 7 KB. SQLite
gives what such a file needs: a change is whole or not at all, readers see it at once, and freed room is used again.
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
from assistant.storage.database import MAX_PARAMETERS, connect

# A paper's row fits into one or two pages of this many bytes.
_PAGE_BYTES = 8192


class SqliteWords:
    """A WordIndex in one file. Safe to call from several threads, and for many readers beside one writer."""

    def __init__(self, file: Path) -> None:
        """Opens or creates it. Raises LibraryError where the file is something else, or damaged."""
        self._file = file
        self._lock = threading.Lock()  # a connection serves one thread at a time
        self._connection = self._reading(self._open)

    def refresh(self) -> None:
        """Open the file again: it is another one after `paperchat reindex`."""
        with self._lock:
            self._connection.close()
            self._connection = self._reading(self._open)

    def replace(self, papers: Mapping[str, WordVectors]) -> None:
        """Hold these words for these papers. Raises LibraryWriteError, and then nothing has changed."""
        rows = [(paper, words.starts.tobytes(), words.bits.tobytes()) for paper, words in papers.items()]
        self._write("INSERT OR REPLACE INTO words (paper, starts, signs) VALUES (?, ?, ?)", rows)

    def remove(self, paper_ids: Collection[str]) -> None:
        """Forget the papers. Raises LibraryWriteError, and then nothing has changed."""
        self._write("DELETE FROM words WHERE paper = ?", [(paper_id,) for paper_id in paper_ids])

    def get(self, paper_ids: Collection[str]) -> dict[str, WordVectors]:
        """The words of those of the papers that it holds. Raises LibraryError where the file is damaged."""
        return {row[0]: _words(*row[1:]) for batch in batches(paper_ids, MAX_PARAMETERS) for row in self._rows(batch)}

    def paper_ids(self) -> set[str]:
        """Every paper that it holds, were it without a word."""
        return {paper for (paper,) in self._select("SELECT paper FROM words")}

    def is_empty(self) -> bool:
        """Whether it holds no paper."""
        return not self._select("SELECT 1 FROM words LIMIT 1")

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def _rows(self, paper_ids: list[str]) -> list[Any]:
        places = ", ".join("?" * len(paper_ids))
        return self._select(f"SELECT paper, starts, signs FROM words WHERE paper IN ({places})", paper_ids)  # noqa: S608

    def _open(self) -> sqlite3.Connection:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        connection = connect(self._file, page_size=_PAGE_BYTES)
        try:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS words (paper TEXT PRIMARY KEY, starts BLOB NOT NULL, signs BLOB NOT NULL)"
            )
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _select(self, statement: str, parameters: Collection[str] = ()) -> list[Any]:
        with self._lock:
            rows: list[Any] = self._reading(lambda: self._connection.execute(statement, tuple(parameters)).fetchall())
        return rows

    def _reading(self, read: Callable[[], Any]) -> Any:
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
    """Delete the word index that lies there, whatever its state."""
    for suffix in ("", "-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


def _words(starts: bytes, bits: bytes) -> WordVectors:
    places = np.frombuffer(starts, dtype=np.int32)
    return WordVectors(places, np.frombuffer(bits, dtype=np.uint8).reshape(len(places), -1 if len(places) else 0))
