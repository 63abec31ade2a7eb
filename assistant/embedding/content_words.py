"""Pool an embedder's token vectors into one vector for each content word.

Word pieces are averaged; stop words and punctuation, which the lexicon does not index, are left out. Papers keep one
bit for each coordinate of a word's vector, questions keep the whole vector.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assistant.encodings import EncodedQuery, EncodedText, WordVectors
from assistant.protocols import TermAnalyzer, TermStatistics
from assistant.schema import Chunk, Paper

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assistant.encodings import Vectors

# How the words of a paper are selected and stored; part of the recipe of an index.
STORED_AS = "content words in context, one bit a coordinate"
# The word vectors of a paper without words, and of one that the index lacks.
NO_WORDS = WordVectors(np.empty(0, dtype=np.int32), np.empty((0, 0), dtype=np.uint8))
# Stands for the offset of a title's word.
_IN_TITLE = -1
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, eq=False)
class _ContentWords:
    """Content words of a text in order: index terms, character offsets, and unit vectors."""

    terms: list[str]
    starts: list[int]
    vectors: Vectors


def encode_query(text: str, encoded: EncodedText, lexicon: TermStatistics) -> EncodedQuery:
    """Return a question with its pooled vector, its word vectors and the share of each word in the total idf."""
    words = _content_words(text, encoded, lexicon)
    idf = lexicon.idf(set(words.terms))
    weights = np.array([idf[term] for term in words.terms], dtype=np.float32)
    shares = weights / np.maximum(weights.sum(), np.float32(1e-9))
    return EncodedQuery(text, encoded.vector, words.vectors, shares, tuple(words.starts))


def word_vectors(
    papers: Sequence[Paper], chunks: Sequence[Chunk], encodings: Sequence[EncodedText], analyzer: TermAnalyzer
) -> dict[str, WordVectors]:
    """Return the word vectors to store for each paper; `encodings[i]` is of the text of `chunks[i]`."""
    parts: dict[str, list[tuple[list[int], Vectors]]] = {paper.id: [] for paper in papers}
    for chunk, encoded in zip(chunks, encodings, strict=True):
        words = _content_words(chunk.text, encoded, analyzer)
        parts[chunk.paper_id].append(_located(words, chunk))
    return {paper_id: _joined(of_paper) for paper_id, of_paper in parts.items()}


def _content_words(text: str, encoded: EncodedText, analyzer: TermAnalyzer) -> _ContentWords:
    """Return the words of a text that the lexicon indexes and the embedder encoded, each the mean of its pieces."""
    words = [(match.start(), match.end(), analyzer.terms(match.group())) for match in _WORD.finditer(text)]
    words = [word for word in words if word[2]]
    owners, pieces = _pieces(words, encoded)
    if not len(owners):
        return _ContentWords([], [], np.empty((0, encoded.tokens.shape[1]), dtype=np.float32))
    firsts = np.flatnonzero(np.diff(owners, prepend=-1))
    vectors = _unit(np.add.reduceat(_unit(encoded.tokens[pieces]), firsts, axis=0))
    encoded_words = [words[owner] for owner in owners[firsts]]
    return _ContentWords([terms[0] for _, _, terms in encoded_words], [start for start, _, _ in encoded_words], vectors)


def _pieces(
    words: Sequence[tuple[int, int, list[str]]], encoded: EncodedText
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the tokens that are pieces of a word, in order: the index of the word, and that of the token."""
    tokens = np.array(encoded.spans, dtype=np.intp).reshape(-1, 2)
    bounds = np.array([(start, end) for start, end, _ in words], dtype=np.intp).reshape(-1, 2)
    owners = np.searchsorted(bounds[:, 0], tokens[:, 0], side="right") - 1
    owned = np.flatnonzero(owners >= 0)
    inside = owned[tokens[owned, 1] <= bounds[owners[owned], 1]]
    return owners[inside], inside


def _located(words: _ContentWords, chunk: Chunk) -> tuple[list[int], Vectors]:
    """Return a chunk's words with offsets into the abstract; the title counts once, in the first chunk."""
    shift = chunk.start - (len(chunk.text) - (chunk.end - chunk.start))
    starts = [start + shift if start + shift >= chunk.start else _IN_TITLE for start in words.starts]
    rows = [row for row, start in enumerate(starts) if start != _IN_TITLE or chunk.number == 0]
    return [starts[row] for row in rows], words.vectors[rows]


def _joined(parts: Sequence[tuple[list[int], Vectors]]) -> WordVectors:
    starts = np.array([start for chunk_starts, _ in parts for start in chunk_starts], dtype=np.int32)
    if not len(starts):
        return NO_WORDS
    return WordVectors(starts, np.packbits(np.concatenate([vectors for _, vectors in parts]) > 0, axis=1))


def _unit(vectors: Vectors) -> Vectors:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Vectors = vectors / np.maximum(length, 1e-9)
    return unit
