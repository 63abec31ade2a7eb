"""Align the words of two texts, by stem or by the similarity of their vectors in context.

Soft alignment after BERTScore (Zhang et al. 2020, "BERTScore: Evaluating text generation with BERT"), between words
rather than word-pieces; equal stems count as equal whatever their vectors.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.encodings import EncodedText
from assistant.protocols import TermStatistics

if TYPE_CHECKING:
    from assistant.encodings import Vectors

_WORD = re.compile(r"\d[\d.,]*\d|\w+")
# Where a clause ends, and how many content words a clause has at least.
_CLAUSE_END = re.compile(
    r"[;:()]|,(?!\d)|--|\.\s"
    r"|\b(?:while|whereas|but|although|though|because|whose|which|even (?:as|if)|instead|rather than|than)\b",
    re.IGNORECASE,
)
_MIN_CLAUSE_WORDS = 3


@dataclass(frozen=True, slots=True, eq=False)
class TokenizedText:
    """The words of a text in order, with character offsets, stems, clause numbers and vectors in context.

    The stem of a stop-word is empty. `vectors` has shape (words, dimension) and unit rows; a word beyond the
    embedder's limit has a row of zeros.
    """

    text: str
    spans: tuple[tuple[int, int], ...]
    stems: tuple[str, ...]
    clauses: tuple[int, ...]
    vectors: Vectors

    def __len__(self) -> int:
        return len(self.spans)

    def surface(self, index: int) -> str:
        """Return the word as written."""
        start, end = self.spans[index]
        return self.text[start:end]

    def lower(self, index: int) -> str:
        """Return the word in lower case."""
        return self.surface(index).casefold()

    def starting_in(self, start: int, end: int) -> list[int]:
        """Return the indices of the words that begin at an offset in `[start, end)`."""
        return [index for index, (offset, _) in enumerate(self.spans) if start <= offset < end]

    def content_words(self) -> list[int]:
        """Return the indices of the words that are not stop-words."""
        return [index for index, stem in enumerate(self.stems) if stem]

    def context(self, index: int, reach: int) -> list[int]:
        """Return the other content words of the same clause, at most `reach` words away."""
        near = range(max(0, index - reach), min(len(self), index + reach + 1))
        return [word for word in near if word != index and self.stems[word] and self._share_clause(word, index)]

    def preceding(self, index: int, reach: int) -> list[int]:
        """Return the words before this one in the same clause, at most `reach` words away."""
        return [word for word in range(max(0, index - reach), index) if self._share_clause(word, index)]

    def _share_clause(self, first: int, second: int) -> bool:
        return self.clauses[first] == self.clauses[second]


def tokenize(text: str, encoded: EncodedText, lexicon: TermStatistics) -> TokenizedText:
    """Split an encoded text into words."""
    spans = tuple(match.span() for match in _WORD.finditer(text))
    stems = tuple(" ".join(lexicon.terms(text[start:end])) for start, end in spans)
    return TokenizedText(text, spans, stems, _clauses(text, spans, stems), _pool(spans, encoded))


def similarity(claim: TokenizedText, reference: TokenizedText) -> Vectors:
    """Compute the cosine of each claim word with each reference word, -1..1: shape (claim words, reference words)."""
    import numpy as np

    cosines: Vectors = claim.vectors @ reference.vectors.T
    stems = np.array(reference.stems, dtype=object)
    for index, stem in enumerate(claim.stems):
        if stem:
            cosines[index, stems == stem] = 1.0
    return cosines


def term_weights(claim: TokenizedText, words: Sequence[int], lexicon: TermStatistics) -> Vectors:
    """Return weights that sum to 1: the square roots of idf, so that rare words do not drown the others."""
    import numpy as np

    idf = lexicon.idf({term for word in words for term in claim.stems[word].split()})
    highest = [max(idf[term] for term in claim.stems[word].split()) for word in words]
    weights: Vectors = np.sqrt(np.array(highest, dtype=np.float32))
    weights /= max(float(weights.sum()), 1e-9)
    return weights


def coverage(cosines: Vectors, weights: Vectors, words: Sequence[int], reference_words: Collection[int]) -> float:
    """Return the weighted share of the claim's words that the reference words express, 0..1."""
    if not reference_words or not words:
        return 0.0
    best = cosines[list(words)][:, list(reference_words)].max(axis=1)
    return min(1.0, max(0.0, float(weights @ best)))


def _clauses(text: str, spans: Sequence[tuple[int, int]], stems: Sequence[str]) -> tuple[int, ...]:
    """Number the clause of each word; a clause with too few content words joins the one before it."""
    ends = [match.start() for match in _CLAUSE_END.finditer(text)]
    clauses: list[int] = []
    clause, content, end = 0, 0, 0
    for (start, _), stem in zip(spans, stems, strict=True):
        crossed = end < len(ends) and ends[end] <= start
        while end < len(ends) and ends[end] <= start:
            end += 1
        if crossed and content >= _MIN_CLAUSE_WORDS:
            clause, content = clause + 1, 0
        content += bool(stem)
        clauses.append(clause)
    return tuple(clauses)


def _pool(spans: Sequence[tuple[int, int]], encoded: EncodedText) -> Vectors:
    """Compute the mean of the vectors of each word's tokens, scaled to unit length."""
    import numpy as np

    vectors = np.zeros((len(spans), encoded.tokens.shape[1]), dtype=np.float32)
    token = 0
    for word, (start, end) in enumerate(spans):
        while token < len(encoded.spans) and encoded.spans[token][1] <= start:
            token += 1
        last = token
        while last < len(encoded.spans) and encoded.spans[last][0] < end:
            last += 1
        if last > token:
            mean = encoded.tokens[token:last].mean(axis=0)
            vectors[word] = mean / max(float(np.linalg.norm(mean)), 1e-9)
    return vectors
