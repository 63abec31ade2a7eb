"""What the embedder made of papers, in one SQLite file: a library that is restored need not be embedded again."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from assistant.encodings import WordVectors
from assistant.storage.database import connect
from assistant.storage.library import Read

_TABLE = "CREATE TABLE readings (paper TEXT PRIMARY KEY, vectors BLOB, starts BLOB, signs BLOB)"


class Readings:
    """Readings by the ids of their papers. Raises sqlite3.Error where the file cannot be written."""

    def __init__(self, file: Path, dimension: int) -> None:
        self._dimension = dimension
        self._connection = connect(file, wal=False)

    def begin(self) -> None:
        """Make the file, which is new."""
        self._connection.execute(_TABLE)

    def add(self, found: Mapping[str, Read]) -> None:
        """Keep these."""
        rows = [
            (paper_id, each.vectors.tobytes(), each.words.starts.tobytes(), each.words.bits.tobytes())
            for paper_id, each in found.items()
        ]
        with self._connection:
            self._connection.executemany("INSERT INTO readings VALUES (?, ?, ?, ?)", rows)

    def get(self, paper_ids: Collection[str]) -> dict[str, Read]:
        """Those of the papers of which there is a reading that is whole; of a damaged file that is none."""
        query = "SELECT vectors, starts, signs FROM readings WHERE paper = ?"
        try:
            rows = {paper_id: self._connection.execute(query, (paper_id,)).fetchone() for paper_id in paper_ids}
        except sqlite3.Error:
            return {}
        found = {paper_id: self._read(*row) for paper_id, row in rows.items() if row}
        return {paper_id: each for paper_id, each in found.items() if each is not None}

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def _read(self, vectors: Any, starts: Any, bits: Any) -> Read | None:
        """A row's reading; None where its parts do not fit together."""
        try:
            rows = np.frombuffer(vectors, dtype=np.float32).reshape(-1, self._dimension)
            places = np.frombuffer(starts, dtype=np.int32)
            bits = np.frombuffer(bits, dtype=np.uint8).reshape(len(places), -1 if len(places) else 0)
        except (TypeError, ValueError):
            return None
        fits = len(rows) and np.isfinite(rows).all() and bits.shape[1] in (0, (self._dimension + 7) // 8)
        return Read(rows, WordVectors(places, bits)) if fits else None
