"""Late interaction: compare a question with papers word by word, each word as its context gives it.

A word of the question counts as much as the most similar word of the text, weighted by idf: MaxSim of Khattab and
Zaharia 2020, "ColBERT: Efficient and Effective Passage Search via Contextualized Late Interaction over BERT", over the
embedder's own token vectors. Stored words keep one bit a coordinate, so a similarity is the cosine of a unit vector
with a vector of signs: about -0.8..0.8.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assistant.embedding.content_words import NO_WORDS
from assistant.encodings import EncodedQuery, WordVectors
from assistant.protocols import WordVectorLookup
from assistant.schema import Passage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assistant.encodings import Vectors

# Stored words unpacked at once. A block stays in the processor's cache, its memory is reused, and OpenBLAS multiplies
# small matrices fastest: MaxSim of 50 papers takes 0.5-0.75 of the time that one large product takes.
_BLOCK_ROWS = 128


@dataclass(frozen=True, slots=True, eq=False)
class _Compared:
    """A paper's stored words compared with the question's.

    `products`, shape (stored words, query words), are inner products of bits with query words; `best`, shape
    (query words,), the similarity of each with the most similar stored word.
    """

    stored: WordVectors
    products: Vectors
    best: Vectors


class Interactions:
    """Similarities of a question's words with those of papers, each paper read and compared once."""

    def __init__(self, query: EncodedQuery, index: WordVectorLookup) -> None:
        self.query = query
        self._index = index
        self._papers: dict[str, _Compared] = {}
        self._sums = query.words.sum(axis=1)

    def load(self, paper_ids: Collection[str]) -> None:
        """Read and compare those of the papers that are not loaded yet, all in one matrix product."""
        missing = [paper_id for paper_id in dict.fromkeys(paper_ids) if paper_id not in self._papers]
        if not missing:
            return
        stored = self._index.get(missing)
        words = [stored.get(paper_id, NO_WORDS) for paper_id in missing]
        products = self._products([paper.bits for paper in words if len(paper.starts)])
        ends = np.cumsum([len(paper.starts) for paper in words])
        starts = np.concatenate([[0], ends[:-1]])
        best = self._similarities(products, starts, ends)
        for row, (paper_id, paper) in enumerate(zip(missing, words, strict=True)):
            self._papers[paper_id] = _Compared(paper, products[starts[row] : ends[row]], best[row])

    def get(self, paper_ids: Collection[str]) -> dict[str, WordVectors]:
        """Return the stored words of papers, read once: another question's interactions may be made of these."""
        self.load(paper_ids)
        return {paper_id: self._papers[paper_id].stored for paper_id in paper_ids}

    def maxsim(self, paper_ids: Sequence[str]) -> list[float]:
        """Return MaxSim of the question with title and abstract of each paper; 0 for a paper without stored words."""
        self.load(paper_ids)
        return [float(self.query.weights @ self._papers[paper_id].best) for paper_id in paper_ids]

    def best(self, paper_id: str) -> Vectors:
        """Return the similarity of each query word with the most similar word of a loaded paper: shape (words,)."""
        return self._papers[paper_id].best

    def by_passage(self, paper_id: str, passages: Sequence[Passage]) -> Vectors:
        """Return the similarity of each query word with the most similar word of each passage of a loaded paper.

        Shape (words, passages); 0 in a passage without stored words, such as one beyond what the embedder reads.
        """
        paper = self._papers[paper_id]
        bounds = np.array([(passage.start, passage.end) for passage in passages], dtype=np.int32).reshape(-1, 2)
        starts, ends = (np.searchsorted(paper.stored.starts, bounds[:, side]) for side in (0, 1))
        return self._similarities(paper.products, starts, ends).T

    def _products(self, bits: Sequence[NDArray[np.uint8]]) -> Vectors:
        """Return the inner products of all stored words with the query words."""
        words = np.ascontiguousarray(self.query.words.T)
        dimension, columns = words.shape
        stored = np.concatenate(bits) if bits else NO_WORDS.bits
        products = np.empty((len(stored), columns), dtype=np.float32)
        block = np.empty((_BLOCK_ROWS, dimension), dtype=np.float32)
        for start in range(0, len(stored), _BLOCK_ROWS):
            unpacked = np.unpackbits(stored[start : start + _BLOCK_ROWS], axis=1, count=dimension)
            floats = block[: len(unpacked)]
            np.copyto(floats, unpacked)
            np.matmul(floats, words, out=products[start : start + len(unpacked)])
        return products

    def _similarities(self, products: Vectors, starts: NDArray[np.intp], ends: NDArray[np.intp]) -> Vectors:
        """Return the greatest cosine in each segment of stored words: shape (segments, query words), 0 in an empty one.

        A sign is twice its bit less one, which leaves the order of the products as it is: so the maximum comes first.
        """
        similarities = np.zeros((len(starts), products.shape[1]), dtype=np.float32)
        filled = np.flatnonzero(starts < ends)
        if len(filled):
            edges = np.stack([starts[filled], ends[filled]], axis=1).ravel()
            edges = edges[:-1] if edges[-1] == len(products) else edges
            greatest = np.maximum.reduceat(products, edges, axis=0)[::2]
            similarities[filled] = (2 * greatest - self._sums) / np.float32(self.query.words.shape[1] ** 0.5)
        return similarities
