"""Store the encodings of papers in one SQLite file, so that a restored library need not encode them again."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from assistant.encodings import EncodedPaper, WordVectors
from assistant.storage.sqlite_file import connect

# Backups that exist already have these names of table and columns.
_TABLE = "CREATE TABLE readings (paper TEXT PRIMARY KEY, vectors BLOB, starts BLOB, signs BLOB)"


class EmbeddingCache:
    """Encodings of papers by id. Raises sqlite3.Error if the file cannot be written."""

    def __init__(self, file: Path, dimension: int) -> None:
        self._dimension = dimension
        self._connection = connect(file, wal=False)

    def create(self) -> None:
        """Create the table in a new file."""
        self._connection.execute(_TABLE)

    def add(self, encodings: Mapping[str, EncodedPaper]) -> None:
        """Store encodings."""
        rows = [
            (paper_id, encoding.vectors.tobytes(), encoding.words.starts.tobytes(), encoding.words.bits.tobytes())
            for paper_id, encoding in encodings.items()
        ]
        with self._connection:
            self._connection.executemany("INSERT INTO readings VALUES (?, ?, ?, ?)", rows)

    def get(self, paper_ids: Collection[str]) -> dict[str, EncodedPaper]:
        """Return the intact encodings among those of the papers; none if the file is damaged."""
        query = "SELECT vectors, starts, signs FROM readings WHERE paper = ?"
        try:
            rows = {paper_id: self._connection.execute(query, (paper_id,)).fetchone() for paper_id in paper_ids}
        except sqlite3.Error:
            return {}
        encodings = {paper_id: self._decode(*row) for paper_id, row in rows.items() if row}
        return {paper_id: encoding for paper_id, encoding in encodings.items() if encoding is not None}

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def _decode(self, vectors: Any, starts: Any, bits: Any) -> EncodedPaper | None:
        """Return the encoding of a row; None if its parts are inconsistent."""
        try:
            chunk_vectors = np.frombuffer(vectors, dtype=np.float32).reshape(-1, self._dimension)
            word_starts = np.frombuffer(starts, dtype=np.int32)
            word_bits = np.frombuffer(bits, dtype=np.uint8)
            word_bits = word_bits.reshape(len(word_starts), -1 if len(word_starts) else 0)
        except (TypeError, ValueError):
            return None
        is_sound = len(chunk_vectors) and np.isfinite(chunk_vectors).all()
        has_width = word_bits.shape[1] in (0, (self._dimension + 7) // 8)
        return EncodedPaper(chunk_vectors, WordVectors(word_starts, word_bits)) if is_sound and has_width else None
