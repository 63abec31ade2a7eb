"""The texts of papers that are encoded, and an index of those that have been."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from assistant.schema import Paper
from ingest.encoded.parquet import DIGEST_BYTES

if TYPE_CHECKING:
    from numpy.typing import NDArray


def text_digest(paper: Paper) -> bytes:
    """Return a digest of what the encodings of a paper depend on, besides the recipe: its title and abstract."""
    text = f"{paper.title or ''}\0{paper.abstract}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:DIGEST_BYTES]


class TextIndex:
    """Which part has the encodings of a text. Takes 16 bytes a text.

    Only the first 8 bytes of a digest are kept. Among 25 million texts the chance that two agree in these is 1 in
    60,000; the part then lacks the text, and it is encoded again.
    """

    def __init__(self, parts: Iterable[Sequence[bytes]]) -> None:
        """Index the digests of the texts in each part, the parts in order."""
        numbered = [(_keys(digests), number) for number, digests in enumerate(parts)]
        keys = np.concatenate([np.empty(0, np.uint64), *(keys for keys, _ in numbered)])
        numbers = [np.full(len(keys), number, np.int64) for keys, number in numbered]
        order = np.argsort(keys, kind="stable")
        self._keys = keys[order]
        self._parts = np.concatenate([np.empty(0, np.int64), *numbers])[order]

    def find(self, digests: Sequence[bytes]) -> Iterator[int | None]:
        """Yield the 0-based number of the part of each digest; None for a text that no part has."""
        wanted = _keys(digests)
        positions = np.searchsorted(self._keys, wanted)
        for key, position in zip(wanted, positions, strict=True):
            is_present = position < len(self._keys) and self._keys[position] == key
            yield int(self._parts[position]) if is_present else None


def _keys(digests: Sequence[bytes]) -> NDArray[np.uint64]:
    return np.frombuffer(b"".join(digest[:8] for digest in digests), dtype="<u8").astype(np.uint64)
