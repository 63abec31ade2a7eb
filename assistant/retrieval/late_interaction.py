"""Late interaction: a question is compared with a text word by word, each word as it is meant in its place.

A question word counts as much as the most similar word of the text, weighted by its rarity: MaxSim of Khattab and
Zaharia 2020, "ColBERT", over the embedder's own token vectors. Pieces of a word are averaged, stop-words and
punctuation left out. The texts' words are held as the signs of their coordinates, the question's stay whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assistant.protocols import EncodedQuery, EncodedText, Lexicon, WordVectors
from assistant.schema import Chunk, Paper
from assistant.text.sentences import spans

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assistant.protocols import Vectors
    from assistant.storage.library import Library

# How the words of a text are found and held; part of the recipe.
HELD_AS = "content words in context, one bit a coordinate"
# Stands for the offset of a word of the title.
_IN_TITLE = -1
# What a paper that is not in the index has.
NO_WORDS = WordVectors(np.empty(0, dtype=np.int32), np.empty((0, 0), dtype=np.uint8))
_WORD = re.compile(r"\w+")


class LateInteraction:
    """A Reranker over a library's word index."""

    name = "late-interaction"

    def __init__(self, library: Library) -> None:
        self._library = library

    def score(self, asked: EncodedQuery, papers: Sequence[Paper]) -> list[float]:
        """Each paper's likeness to the question, -1..1; 0 for a paper without words in the index."""
        held = self._library.words.get([paper.id for paper in papers])
        return _likeness(asked, [held.get(paper.id, NO_WORDS).bits for paper in papers])


@dataclass(frozen=True, slots=True, eq=False)
class _ContentWords:
    """Content words of a text in order: index terms, character offsets, and vectors of length one."""

    terms: list[str]
    starts: list[int]
    vectors: Vectors


def ask(question: str, reading: EncodedText, lexicon: Lexicon) -> EncodedQuery:
    """A question as retrieval needs it, from the embedder's reading of it."""
    words = _content_words(question, reading, lexicon)
    idf = lexicon.idf(set(words.terms))
    weights = np.array([idf[term] for term in words.terms], dtype=np.float32)
    shares = weights / np.maximum(weights.sum(), np.float32(1e-9))
    return EncodedQuery(question, reading.vector, words.vectors, shares, tuple(words.starts))


def held(
    papers: Sequence[Paper], chunks: Sequence[Chunk], readings: Sequence[EncodedText], lexicon: Lexicon
) -> dict[str, WordVectors]:
    """What the word index is to hold of each of the papers; reading i is of chunk i's text."""
    parts: dict[str, list[tuple[list[int], Vectors]]] = {paper.id: [] for paper in papers}
    for chunk, reading in zip(chunks, readings, strict=True):
        words = _content_words(chunk.text, reading, lexicon)
        parts[chunk.paper_id].append(_placed(words, chunk))
    return {paper_id: _joined(of_paper) for paper_id, of_paper in parts.items()}


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


def _content_words(text: str, reading: EncodedText, lexicon: Lexicon) -> _ContentWords:
    """The words of a text that the lexicon indexes and the embedder has read, each the mean of its pieces."""
    words = [(match.start(), match.end(), lexicon.terms(match.group())) for match in _WORD.finditer(text)]
    words = [word for word in words if word[2]]
    owners, pieces = _owned(words, reading)
    if not len(owners):
        return _ContentWords([], [], np.empty((0, reading.tokens.shape[1]), dtype=np.float32))
    firsts = np.flatnonzero(np.diff(owners, prepend=-1))
    vectors = _unit(np.add.reduceat(_unit(reading.tokens[pieces]), firsts, axis=0))
    found = [words[owner] for owner in owners[firsts]]
    return _ContentWords([terms[0] for _, _, terms in found], [start for start, _, _ in found], vectors)


def _owned(
    words: Sequence[tuple[int, int, list[str]]], reading: EncodedText
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The tokens that are pieces of one of the words, and which word each belongs to: (words, tokens), in order."""
    tokens = np.array(reading.spans, dtype=np.intp).reshape(-1, 2)
    bounds = np.array([(start, end) for start, end, _ in words], dtype=np.intp).reshape(-1, 2)
    owners = np.searchsorted(bounds[:, 0], tokens[:, 0], side="right") - 1
    known = np.flatnonzero(owners >= 0)
    inside = known[tokens[known, 1] <= bounds[owners[known], 1]]
    return owners[inside], inside


def _placed(words: _ContentWords, chunk: Chunk) -> tuple[list[int], Vectors]:
    """A chunk's words with offsets into the abstract; the title is told once, by the first chunk."""
    shift = chunk.start - (len(chunk.text) - (chunk.end - chunk.start))
    places = [start + shift if start + shift >= chunk.start else _IN_TITLE for start in words.starts]
    kept = [at for at, place in enumerate(places) if place != _IN_TITLE or chunk.number == 0]
    return [places[at] for at in kept], words.vectors[kept]


def _joined(parts: Sequence[tuple[list[int], Vectors]]) -> WordVectors:
    starts = np.array([start for places, _ in parts for start in places], dtype=np.int32)
    if not len(starts):
        return NO_WORDS
    return WordVectors(starts, np.packbits(np.concatenate([vectors for _, vectors in parts]) > 0, axis=1))


def _unit(vectors: Vectors) -> Vectors:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Vectors = vectors / np.maximum(length, 1e-9)
    return unit
