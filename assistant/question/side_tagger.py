"""Tag the two sides of a comparison in a question, with the weights that `eval.training.comparisons` fits.

A linear chain: each word has a score for each tag, a linear function of its features. The tags of a question are the
sequence with the greatest sum of scores among those that have either no side or two, each of them one run of words.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

import numpy as np

from assistant.encodings import mean_direction
from assistant.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assistant.encodings import EncodedText, Vectors
    from assistant.question.linear import LinearClassifier

Span = tuple[int, int]

# The tags in the order in which they occur: words before, between and after the sides, the word that begins a side,
# and those that continue it. A question that compares nothing has only words before.
TAGS = ("before", "first", "first continued", "between", "second", "second continued", "after")
BEFORE, FIRST, FIRST_CONTINUED, BETWEEN, SECOND, SECOND_CONTINUED, AFTER = range(len(TAGS))
# The tags that may come after each tag, that a question may begin with, and that it may end with.
FOLLOWING = {
    BEFORE: (BEFORE, FIRST),
    FIRST: (FIRST_CONTINUED, BETWEEN),
    FIRST_CONTINUED: (FIRST_CONTINUED, BETWEEN),
    BETWEEN: (BETWEEN, SECOND),
    SECOND: (SECOND_CONTINUED, AFTER),
    SECOND_CONTINUED: (SECOND_CONTINUED, AFTER),
    AFTER: (AFTER,),
}
OPENING, CLOSING = (BEFORE, FIRST), (BEFORE, SECOND, SECOND_CONTINUED, AFTER)

_WORD = re.compile(r"[^\W_](?:[\w+*.-]*[\w+*])?|[^\w\s]|_")
# Longer questions are tagged by their start.
_MAX_WORDS = 200
# Vectors of words have this length; the other features are about 0..1.
_VECTOR_LENGTH = 2.0
_WORD_BUCKETS, _ENDING_BUCKETS = 512, 256
# How far the words and their endings around a word are read.
_WORDS_AROUND, _ENDINGS_AROUND = 2, 1
_ENDINGS = (1, 2, 3)


def word_spans(question: str) -> list[Span]:
    """Return the character offsets of the words and punctuation marks of a question."""
    return [match.span() for match in _WORD.finditer(question)][:_MAX_WORDS]


def tagged_spans(question: str, encoded: EncodedText, classifier: LinearClassifier) -> tuple[Span, Span] | None:
    """Return the character offsets of the two sides, the first before the second; None where there are not two.

    Raises ModelError where the weights are those of other tags or features.
    """
    words = word_spans(question)
    if not words:
        return None
    features = word_features(question, words, encoded)
    if (classifier.labels, classifier.weights.shape[1]) != (TAGS, features.shape[1]):
        raise ModelError("the weights of comparisons belong to another version of paperchat: reinstall paperchat")
    return spans_of(best_tags(features @ classifier.weights.T + classifier.bias), words)


def spans_of(tags: Sequence[int], words: Sequence[Span]) -> tuple[Span, Span] | None:
    """Return the character offsets of the sides that the words are tagged with; None without them."""
    first = [word for word, tag in zip(words, tags, strict=True) if tag in (FIRST, FIRST_CONTINUED)]
    second = [word for word, tag in zip(words, tags, strict=True) if tag in (SECOND, SECOND_CONTINUED)]
    return ((first[0][0], first[-1][1]), (second[0][0], second[-1][1])) if first and second else None


def best_tags(scores: Vectors) -> list[int]:
    """Return the sequence of tags with the greatest sum of scores, of shape (words, tags) (Viterbi 1967)."""
    allowed = log_allowed()
    totals = scores[0] + _log_among(OPENING)
    previous = []
    for row in scores[1:]:
        candidates = totals[:, None] + allowed
        previous.append(candidates.argmax(axis=0))
        totals = candidates.max(axis=0) + row
    tags = [int((totals + _log_among(CLOSING)).argmax())]
    for step in reversed(previous):
        tags.append(int(step[tags[-1]]))
    return tags[::-1]


def log_allowed() -> Vectors:
    """Return 0 where a tag (column) may follow another (row) and minus infinity elsewhere."""
    return np.stack([_log_among(FOLLOWING[tag]) for tag in range(len(TAGS))])


def _log_among(tags: Sequence[int]) -> Vectors:
    """Return 0 for these tags and minus infinity for the others."""
    return np.array([0 if tag in tags else -np.inf for tag in range(len(TAGS))], dtype=np.float32)


def word_features(question: str, words: Sequence[Span], encoded: EncodedText) -> Vectors:
    """Return the features of each word, float32: its vector and its neighbours', and the forms of the words around."""
    vectors = _vectors(words, encoded)
    texts = [question[start:end].casefold() for start, end in words]
    shapes = np.array([_shape(question[start:end]) for start, end in words], dtype=np.float32)
    features = [
        *(_shifted(vectors * _VECTOR_LENGTH, step) for step in (0, -1, 1)),
        *(_shifted(shapes, step) for step in (0, -1, 1)),
        _hashed([[text] for text in texts], _WORD_BUCKETS, _WORDS_AROUND),
        _hashed([[text[-length:] for length in _ENDINGS] for text in texts], _ENDING_BUCKETS, _ENDINGS_AROUND),
        _parallels(vectors, texts),
        _offsets(len(words)),
    ]
    return np.hstack(features)


def _vectors(words: Sequence[Span], encoded: EncodedText) -> Vectors:
    """Return the mean of the token vectors of each word, scaled to length one; zeros beyond the embedder's limit."""
    vectors = np.zeros((len(words), encoded.tokens.shape[1]), np.float32)
    for row, (start, end) in enumerate(words):
        tokens = [n for n, (left, right) in enumerate(encoded.spans) if left < end and right > start]
        if tokens:
            vectors[row] = mean_direction(encoded.tokens[tokens])
    return vectors


def _shifted(rows: Vectors, step: int) -> Vectors:
    """Return for each word the row of the word `step` further; zeros beyond the ends."""
    shifted = np.zeros_like(rows)
    for index in range(len(rows)):
        if 0 <= index + step < len(rows):
            shifted[index] = rows[index + step]
    return shifted


def _shape(word: str) -> list[float]:
    flags = (word[0].isupper(), word.isupper(), any(map(str.isdigit, word)), not any(map(str.isalnum, word)))
    return [0.5 * flag for flag in (*flags, "-" in word)]


def _hashed(runs: Sequence[Sequence[str]], buckets: int, around: int) -> Vectors:
    """Return for each word which hashed runs it and each word up to `around` before and after it has, 0 or 1."""
    rows = np.zeros((len(runs), buckets), np.float32)
    for row, texts in zip(rows, runs, strict=True):
        row[[zlib.crc32(text.encode("utf-8", "replace")) % buckets for text in texts]] = 1
    return np.hstack([_shifted(rows, step) for step in range(-around, around + 1)])


def _parallels(vectors: Vectors, texts: Sequence[str]) -> Vectors:
    """Return the greatest cosine to a word before and after that is no neighbour, and whether one is the same."""
    cosines = vectors @ vectors.T
    rows = np.zeros((len(texts), 4), np.float32)
    for row in range(len(texts)):
        before, after = slice(0, max(0, row - 1)), slice(row + 2, None)
        rows[row] = (
            max(cosines[row, before], default=0.0),
            max(cosines[row, after], default=0.0),
            texts[row] in texts[before],
            texts[row] in texts[after],
        )
    return rows


def _offsets(words: int) -> Vectors:
    """Return for each word whether it is the first or the last, its relative offset, and the length of the question."""
    index = np.arange(words)
    columns = [index == 0, index == words - 1, index / words, np.full(words, min(words, 30) / 30)]
    offsets: Vectors = np.stack(columns, axis=1).astype(np.float32) * np.float32(0.5)
    return offsets
