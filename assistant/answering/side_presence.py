"""Measure how strongly the two sides of a comparison are present in the hits of a search, and in their passages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from assistant.question.sides import Side
from assistant.question.terms import Term
from assistant.retrieval.alignment import Alignment
from assistant.retrieval.search import Found

if TYPE_CHECKING:
    from assistant.encodings import Vectors

# The presence from which a paper or passage speaks of a side (docs/experiments.md).
SPEAKS_FROM = 0.45
# The idf, in nats, of a word that is in every tenth paper. A side of nothing but such words, as "the best one", names
# nothing that a library could lack.
_SPECIFIC_FROM = 2.3


def in_passages(side: Side, aligned: Alignment) -> list[float]:
    """Return the presence of the side in each passage of a paper: the mean of its words', weighted by idf, 0..1."""
    rows = _rows(side, aligned)
    if not rows:
        return [0.0] * len(aligned.passages)
    return _mean(aligned.presence[rows], [aligned.terms[row] for row in rows])


def in_paper(side: Side, aligned: Alignment) -> float:
    """Return the presence of the side in title and abstract together, 0..1."""
    rows = _rows(side, aligned)
    return _mean(aligned.overall[rows][:, None], [aligned.terms[row] for row in rows])[0] if rows else 0.0


def absent_sides(found: Found) -> tuple[Side, ...]:
    """Return the sides with a specific word that no hit speaks of."""
    return tuple(
        side
        for side in found.sides
        if _is_specific(side) and not any(speaks_of(side, aligned) for aligned in found.alignments)
    )


def compares(found: Found) -> bool:
    """Return whether one paper speaks of both sides, so far as they have a specific word."""
    specific = tuple(filter(_is_specific, found.sides))
    return any(all(speaks_of(side, aligned) for side in specific) for aligned in found.alignments)


def speaks_of(side: Side, aligned: Alignment) -> bool:
    """Return whether a paper speaks of the side."""
    return in_paper(side, aligned) >= SPEAKS_FROM


def _is_specific(side: Side) -> bool:
    return max((term.idf for term in side.terms), default=0.0) >= _SPECIFIC_FROM


def _rows(side: Side, aligned: Alignment) -> list[int]:
    starts = {term.start for term in side.terms}
    return [row for row, term in enumerate(aligned.terms) if term.start in starts]


def _mean(presence: Vectors, terms: Sequence[Term]) -> list[float]:
    """Return the mean over the rows of an array of shape (terms, n), weighted by idf."""
    import numpy as np

    weights = np.array([max(term.idf, 1e-6) for term in terms])
    mean: list[float] = (weights @ np.maximum(presence, 0.0) / weights.sum()).tolist()
    return mean
