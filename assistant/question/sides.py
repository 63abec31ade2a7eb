"""Find the two sides of a comparison: the shortest phrases that name what a question compares.

A tagger on the token vectors of the embedder reads them (`assistant.question.side_tagger`). For an embedder that it was
not fitted on, the word that joins or opposes them decides (`assistant.question.joining_words`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.question.joining_words import joined_spans
from assistant.question.terms import QuestionTerms, Term

if TYPE_CHECKING:
    from assistant.question.encoder import QuestionEncoder
    from assistant.question.linear import LinearClassifier

WEIGHTS = Path(__file__).parent / "weights" / "comparisons.npz"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two things that a question compares: its text, and its content words."""

    text: str
    terms: tuple[Term, ...]


def find_sides(question: str, terms: QuestionTerms, encoder: QuestionEncoder | None = None) -> tuple[Side, Side] | None:
    """Return two sides of a comparison, in their order; None where the question does not name two.

    A side without a content word counts as none, and so do two with the same text. Raises ModelError where the weights
    are missing or damaged.
    """
    spans = _spans(question, terms, encoder)
    if spans is None:
        return None
    first, second = (_side(question, start, end, terms) for start, end in spans)
    differ = first.text.casefold() != second.text.casefold()
    return (first, second) if differ and first.terms and second.terms else None


def _spans(
    question: str, terms: QuestionTerms, encoder: QuestionEncoder | None
) -> tuple[tuple[int, int], tuple[int, int]] | None:
    if encoder is None or not (classifier := _classifier(WEIGHTS)).applies_to(encoder.embedder):
        return joined_spans(question, terms.content)
    from assistant.question.side_tagger import tagged_spans  # numpy: not before the first question

    return tagged_spans(question, encoder.encode(question), classifier)


def _side(question: str, start: int, end: int, terms: QuestionTerms) -> Side:
    within = tuple(term for term in terms.content if start <= term.start and term.end <= end)
    return Side(question[start:end], within)


@lru_cache(maxsize=2)
def _classifier(file: Path) -> LinearClassifier:
    """Read the weights of the tagger, once. Raises ModelError."""
    from assistant.question import linear  # numpy: not before the first question

    return linear.load(file)
