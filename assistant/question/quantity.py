"""Classify a question: it asks for a figure (an amount, a count, a score, a duration, a date), or for something else.

The classifier (`python -m eval.training.quantity_questions`) is linear in the words and letters of the question.
In doubt a question asks for no figure, and its answer keeps the order of its evidence.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from assistant.question import fitted

WEIGHTS = Path(__file__).parent / "weights" / "quantity_questions.npz"
# The probability from which a question counts as one for a figure: nine of ten that are taken for one are (see
# docs/experiments.md).
LEAST = 0.75
# Buckets of the hashed words, and of the hashed runs of characters.
BUCKETS = 8192


class Sought(StrEnum):
    """What a question asks for."""

    NUMBER = "number"
    OTHER = "other"


def asks_for_number(question: str) -> bool:
    """Return whether a person who asks this expects a figure in the answer.

    Raises ModelError where the weights fail.
    """
    from assistant.question.form import occurrences

    if not any(map(str.isalpha, question)):
        return False
    return fitted.packaged(WEIGHTS).probabilities(occurrences(question, BUCKETS))[Sought.NUMBER] >= LEAST
