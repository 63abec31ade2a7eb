"""Texts as vectors: what an embedder returns, what the word index stores, what a search compares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class EncodedText:
    """The output of one forward pass over a text.

    `vector` is the pooled vector, shape (dimension,), of length one. `spans` are the character offsets (start, end) of
    the tokens, without special tokens; row i of `tokens`, shape (tokens, dimension), is the contextual vector of
    token i, not normalised. Text beyond the embedder's limit has no tokens.
    """

    vector: Vectors
    spans: tuple[tuple[int, int], ...]
    tokens: Vectors


@dataclass(frozen=True, slots=True, eq=False)
class WordVectors:
    """The content words of a paper: first those of the title, then those of the abstract, in order.

    `starts`, shape (words,), int32, are character offsets into the abstract, -1 for a word of the title. Row i of
    `bits`, shape (words, ceil(dimension / 8)), uint8, is the vector of word i, one bit a coordinate: 1 if above zero.
    """

    starts: NDArray[np.int32]
    bits: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class EncodedPaper:
    """A paper with the vectors of its chunks, shape (chunks, dimension), and of its content words."""

    vectors: Vectors
    words: WordVectors


@dataclass(frozen=True, slots=True, eq=False)
class EncodedQuery:
    """A question with its pooled vector and the vectors of its content words.

    `vector` has shape (dimension,). `words`, shape (words, dimension), are the contextual vectors of the content words;
    all vectors have length one. `weights`, shape (words,), are the words' shares of the total idf and sum to 1.
    `starts` are the words' character offsets in the text.
    """

    text: str
    vector: Vectors
    words: Vectors
    weights: Vectors
    starts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class PairReading:
    """A claim or question read together with the sentences of a text; all values are probabilities, 0..1.

    `supported` and `contradicted` are those of the claim (the rest: the text does not state it), `answers` that of the
    question. `answering[i]` says whether sentence i answers, `deciding[i]` whether it decides the claim.
    """

    contradicted: float
    supported: float
    answers: float
    answering: tuple[float, ...]
    deciding: tuple[float, ...]


def mean_direction(vectors: Vectors) -> Vectors:
    """Return the mean of vectors, shape (vectors, dimension), scaled to length one: shape (dimension,)."""
    import numpy as np

    mean: Vectors = vectors.mean(axis=0)
    return mean / np.float32(max(1e-9, float(np.linalg.norm(mean))))
