"""Which words of one text say what words of another say: by stem, or by the likeness of their vectors in context.

Soft alignment after BERTScore (Zhang et al. 2020, "BERTScore: Evaluating text generation with BERT"), between words
rather than word-pieces; equal stems count as equal whatever the model makes of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.encodings import EncodedText
from assistant.protocols import Lexicon

if TYPE_CHECKING:
    from assistant.encodings import Vectors

_WORD = re.compile(r"\d[\d.,]*\d|\w+")
# Where a clause ends, and the fewest content words of one.
_CLAUSE = re.compile(
    r"[;:()]|,(?!\d)|--|\.\s"
    r"|\b(?:while|whereas|but|although|though|because|whose|which|even (?:as|if)|instead|rather than|than)\b",
    re.IGNORECASE,
)
_SHORTEST_CLAUSE = 3


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """A text's words in order: where they stand, their stems, and their vectors in context.

    A stop-word's stem is empty. `clauses` is the number of the clause of each word. `vectors` has shape
    (words, dimension) and unit rows; a word beyond what the embedder read has a row of zeros.
    """

    text: str
    spans: tuple[tuple[int, int], ...]
    stems: tuple[str, ...]
    clauses: tuple[int, ...]
    vectors: Vectors

    def __len__(self) -> int:
        return len(self.spans)

    def written(self, number: int) -> str:
        """The word as it is written."""
        start, end = self.spans[number]
        return self.text[start:end]

    def lower(self, number: int) -> str:
        """The word in lower case."""
        return self.written(number).casefold()

    def within(self, start: int, end: int) -> list[int]:
        """The numbers of the words that begin between two characters of the text."""
        return [number for number, (at, _) in enumerate(self.spans) if start <= at < end]

    def content(self) -> list[int]:
        """The numbers of the words that are no stop-words."""
        return [number for number, stem in enumerate(self.stems) if stem]

    def around(self, number: int, reach: int) -> list[int]:
        """The other content words of the same clause, at most `reach` words away."""
        near = range(max(0, number - reach), min(len(self), number + reach + 1))
        return [each for each in near if each != number and self.stems[each] and self._beside(each, number)]

    def before(self, number: int, reach: int) -> list[int]:
        """The words of the same clause that stand before one, at most `reach` words away."""
        return [each for each in range(max(0, number - reach), number) if self._beside(each, number)]

    def _beside(self, one: int, other: int) -> bool:
        return self.clauses[one] == self.clauses[other]


def words(text: str, reading: EncodedText, lexicon: Lexicon) -> Words:
    """The words of a text that the embedder has read."""
    spans = tuple(match.span() for match in _WORD.finditer(text))
    stems = tuple(" ".join(lexicon.terms(text[start:end])) for start, end in spans)
    return Words(text, spans, stems, _clauses(text, spans, stems), _vectors(spans, reading))


def likeness(claim: Words, other: Words) -> Vectors:
    """How alike each word of the claim is to each word of the other text: shape (words, words), -1..1."""
    import numpy as np

    alike: Vectors = claim.vectors @ other.vectors.T
    stems = np.array(other.stems, dtype=object)
    for number, stem in enumerate(claim.stems):
        if stem:
            alike[number, stems == stem] = 1.0
    return alike


def importance(claim: Words, numbers: Sequence[int], lexicon: Lexicon) -> Vectors:
    """What each of the words counts, 1 in sum: the root of its rarity, as rare words would drown the rest else."""
    import numpy as np

    idf = lexicon.idf({term for number in numbers for term in claim.stems[number].split()})
    rarest = [max(idf[term] for term in claim.stems[number].split()) for number in numbers]
    weights: Vectors = np.sqrt(np.array(rarest, dtype=np.float32))
    weights /= max(float(weights.sum()), 1e-9)
    return weights


def said(alike: Vectors, weights: Vectors, numbers: Sequence[int], within: Collection[int]) -> float:
    """How much of the claim's words is said by some of the other text's words, 0..1."""
    if not within or not numbers:
        return 0.0
    best = alike[list(numbers)][:, list(within)].max(axis=1)
    return min(1.0, max(0.0, float(weights @ best)))


def _clauses(text: str, spans: Sequence[tuple[int, int]], stems: Sequence[str]) -> tuple[int, ...]:
    """The number of each word's clause; one of too few content words belongs to that before it."""
    ends = [match.start() for match in _CLAUSE.finditer(text)]
    clauses: list[int] = []
    clause, told, end = 0, 0, 0
    for (start, _), stem in zip(spans, stems, strict=True):
        crossed = end < len(ends) and ends[end] <= start
        while end < len(ends) and ends[end] <= start:
            end += 1
        if crossed and told >= _SHORTEST_CLAUSE:
            clause, told = clause + 1, 0
        told += bool(stem)
        clauses.append(clause)
    return tuple(clauses)


def _vectors(spans: Sequence[tuple[int, int]], reading: EncodedText) -> Vectors:
    """The mean of the vectors of each word's tokens, of length one."""
    import numpy as np

    vectors = np.zeros((len(spans), reading.tokens.shape[1]), dtype=np.float32)
    token = 0
    for number, (start, end) in enumerate(spans):
        while token < len(reading.spans) and reading.spans[token][1] <= start:
            token += 1
        last = token
        while last < len(reading.spans) and reading.spans[last][0] < end:
            last += 1
        if last > token:
            mean = reading.tokens[token:last].mean(axis=0)
            vectors[number] = mean / max(float(np.linalg.norm(mean)), 1e-9)
    return vectors
