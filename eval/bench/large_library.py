"""Fill a library of many papers in minutes, to measure what grows with its size: a start, a first answer, memory.

Catalog and lexicon are real. A paper's chunk vectors are those of a sample in turn, with noise added; each content word
has its true offset and a vector of its own, the same wherever it occurs. What is stored has the size and the form of a
real library, and an answer reads as many papers, though not the best ones.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from assistant.encodings import EncodedPaper, WordVectors
from assistant.protocols import Embedder, Lexicon
from assistant.schema import Paper
from assistant.storage.catalog import PaperChange
from assistant.storage.library import Library
from ingest import indexing
from ingest.progress import progress_bar

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assistant.encodings import Vectors

_SAMPLE = 256
# The length of the noise added to a vector of length one.
NOISE = 0.5
_WORD = re.compile(r"\w+")


class SampledEncodings:
    """Encodings of papers by id, made from those of a sample; equal papers have equal encodings."""

    def __init__(self, papers: Sequence[Paper], embedder: Embedder, lexicon: Lexicon) -> None:
        """Encode the sample, which are the first papers."""
        sample = embedder.encode_documents([f"{paper.title}. {paper.abstract}" for paper in papers[:_SAMPLE]])
        self._sample = [text.vector for text in sample]
        self._bytes, self._lexicon = (embedder.dimension + 7) // 8, lexicon
        self._bits: dict[str, NDArray[np.uint8] | None] = {}

    def __call__(self, papers: Sequence[Paper]) -> Mapping[str, EncodedPaper]:
        """Return the encodings of the papers by id."""
        return {paper.id: self._encoded(paper) for paper in papers}

    def _encoded(self, paper: Paper) -> EncodedPaper:
        seed = zlib.crc32(paper.id.encode())
        vector = with_noise(self._sample[seed % len(self._sample)][np.newaxis], np.random.default_rng(seed))
        words = [(match.start(), self._word_bits(match.group())) for match in _WORD.finditer(paper.abstract)]
        terms = [(start, bits) for start, bits in words if bits is not None]
        starts = np.array([start for start, _ in terms], dtype=np.int32)
        bits = np.array([bits for _, bits in terms], dtype=np.uint8).reshape(len(terms), self._bytes)
        return EncodedPaper(vector, WordVectors(starts, bits))

    def _word_bits(self, word: str) -> NDArray[np.uint8] | None:
        """Return the bits of a word; None where the lexicon does not index it."""
        if word not in self._bits:
            random = np.random.default_rng(zlib.crc32(word.encode()))
            self._bits[word] = (
                random.integers(0, 256, self._bytes, dtype=np.uint8) if self._lexicon.terms(word) else None
            )
        return self._bits[word]


def fill(papers: Sequence[Paper], library: Library) -> None:
    """Store the papers in a library, with the encodings of a sample; one that has been filled already stays."""
    with library.writing(), progress_bar() as progress:
        if library.catalog.papers.count() < len(papers):
            changes = [PaperChange(paper, {}, frozenset(), frozenset()) for paper in papers]
            library.catalog.put(changes, library.catalog.records.next_run())
        if library.catalog.ledger.pending_count():
            encodings = SampledEncodings(papers, library.embedder, library.lexicon)
            indexing.update_indexes(library, progress, encodings)


def with_noise(vectors: Vectors, random: np.random.Generator) -> Vectors:
    """Return the vectors with noise added, normalised to length one."""
    offsets = random.standard_normal(vectors.shape, dtype=np.float32)
    noisy = vectors + NOISE * offsets / np.linalg.norm(offsets, axis=1, keepdims=True)
    normalised: Vectors = noisy / np.linalg.norm(noisy, axis=1, keepdims=True)
    return normalised
