"""Find the two sides of a comparison: what a question compares, by the word that joins or opposes them.

English names the sides of a comparison on both sides of a conjunction or preposition ("X and Y", "X versus Y", "from X
to Y", "X better than Y"): a closed class of words, which makes this a matter of grammar.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.question.terms import QuestionTerms, Term

if TYPE_CHECKING:
    from assistant.question.encoder import QuestionEncoder

# The words that stand between two sides.
_JOINING = frozenset("and or vs versus than with to against over from compared".split())
_TOKEN = re.compile(r"[^\W_]+(?:[-'’.+][^\W_]+)*")
# The most words of a side, counted from the word that joins.
_MAX_WORDS = 4


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two things that a question compares: its text, and its content words."""

    text: str
    terms: tuple[Term, ...]

    @property
    def idf(self) -> float:
        """Return the greatest idf of its words, in nats."""
        return max((term.idf for term in self.terms), default=0.0)


def find_sides(question: str, terms: QuestionTerms, encoder: QuestionEncoder | None = None) -> tuple[Side, Side] | None:
    """Return the two sides of a comparison, in their order; None where no word joins two of them.

    Of several joining words the one counts whose less informative side has the greatest idf.
    """
    pairs = list(_joined(question, terms.content))
    return max(pairs, key=lambda pair: min(pair[0].idf, pair[1].idf), default=None)


def _joined(question: str, content: Sequence[Term]) -> Iterator[tuple[Side, Side]]:
    tokens = list(_TOKEN.finditer(question))
    for index, token in enumerate(tokens):
        if token[0].casefold() in _JOINING:
            left = _side(question, tokens[max(0, index - _MAX_WORDS) : index][::-1], content)
            right = _side(question, tokens[index + 1 : index + 1 + _MAX_WORDS], content)
            if left and right and left.text.casefold() != right.text.casefold():
                yield left, right


def _side(question: str, outwards: Sequence[re.Match[str]], content: Sequence[Term]) -> Side | None:
    """Return the run of content words nearest to the joining word; `outwards` are the tokens, the nearest first."""
    run: list[re.Match[str]] = []
    for token in outwards:
        if _terms_in(token, content):
            run.append(token)
        elif run:
            break
    if not run:
        return None
    start, end = min(token.start() for token in run), max(token.end() for token in run)
    return Side(question[start:end], tuple(term for token in run for term in _terms_in(token, content)))


def _terms_in(token: re.Match[str], content: Sequence[Term]) -> list[Term]:
    return [term for term in content if token.start() <= term.start and term.end <= token.end()]
