"""Late interaction: a question is compared with a text word by word, each word as it is meant in its place.

A question word counts as much as the most similar word of the text, weighted by its rarity: MaxSim of Khattab and
Zaharia 2020, "ColBERT", over the embedder's own token vectors. Pieces of a word are averaged, stop-words and
punctuation left out. The texts' words are held as the signs of their coordinates, the question's stay whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from assistant.embedding.content_words import NO_WORDS
from assistant.encodings import EncodedQuery, WordVectors
from assistant.schema import Paper
from assistant.text.sentences import spans

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assistant.encodings import Vectors
    from assistant.storage.library import Library


class LateInteraction:
    """A Reranker over a library's word index."""

    name = "late-interaction"

    def __init__(self, library: Library) -> None:
        self._library = library

    def score(self, asked: EncodedQuery, papers: Sequence[Paper]) -> list[float]:
        """Each paper's likeness to the question, -1..1; 0 for a paper without words in the index."""
        held = self._library.words.get([paper.id for paper in papers])
        return _likeness(asked, [held.get(paper.id, NO_WORDS).bits for paper in papers])


def by_sentence(asked: EncodedQuery, words: WordVectors, abstract: str) -> tuple[float, ...]:
    """The likeness of each sentence of the abstract to the question, -1..1, in order; 0 for one without words."""
    return tuple(_likeness(asked, of_sentences(words, abstract)))


def of_sentences(words: WordVectors, abstract: str) -> list[NDArray[np.uint8]]:
    """The signs of the words of each sentence of the abstract."""
    bounds = np.array(spans(abstract), dtype=np.int32).reshape(-1, 2)
    first, last = np.searchsorted(words.starts, bounds[:, 0]), np.searchsorted(words.starts, bounds[:, 1])
    return [words.bits[start:end] for start, end in zip(first, last, strict=True)]


def nearest(vectors: Vectors, runs: Sequence[NDArray[np.uint8]]) -> Vectors:
    """The likeness of each vector to the nearest word of each run, -1..1: shape (vectors, runs).

    It is 0 in a run without words.
    """
    found = np.zeros((len(vectors), len(runs)), dtype=np.float32)
    filled = [at for at, run in enumerate(runs) if len(run)]
    if filled and len(vectors):
        starts = np.cumsum([0] + [len(runs[at]) for at in filled[:-1]])
        cosines = _cosines(vectors, np.concatenate([runs[at] for at in filled]))
        found[:, filled] = np.maximum.reduceat(cosines, starts, axis=1)
    return found


def _likeness(asked: EncodedQuery, runs: Sequence[NDArray[np.uint8]]) -> list[float]:
    """MaxSim of the question with each run of words; 0 for a run without one."""
    return [float(score) for score in asked.weights @ nearest(asked.words, runs)]


def _cosines(whole: Vectors, bits: NDArray[np.uint8]) -> Vectors:
    """Cosines of vectors of length one, shape (n, dimension), with others of which the signs are known: (n, m)."""
    dimension = whole.shape[1]
    bits = np.unpackbits(bits, axis=1, count=dimension).astype(np.float32)
    # A sign is twice its bit less one.
    cosines: Vectors = (2 * whole @ bits.T - whole.sum(axis=1, keepdims=True)) / np.float32(dimension**0.5)
    return cosines
