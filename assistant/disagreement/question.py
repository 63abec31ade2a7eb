"""Recognize a question for what papers disagree on, and find the claim or topic in it.

"is there disagreement about [whether warmup helps Adam]?" The classifiers (`python -m
eval.training.disagreement_questions`) read the form and the vector of the question, and the role of each word. For an
embedder that they were not fitted on, no question counts as one for both sides.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.question import filters, fitted, subject
from assistant.question.subject import WordReader
from assistant.schema import Query

if TYPE_CHECKING:
    from assistant.encodings import Vectors
    from assistant.question.encoder import QuestionEncoder

_FOLDER = Path(__file__).parent / "weights"
WEIGHTS = _FOLDER / "disagreement_questions.npz"
WORDS, WORDING = _FOLDER / "disagreement_words.npz", _FOLDER / "disagreement_words.txt"
# The probability from which a question counts as one for both sides: to take another question for one is the worse
# mistake, as its answer leaves out what takes no side.
LEAST = 0.8
# Vectors have this length beside the features of form.
_VECTOR_LENGTH = 2.0


class Sought(StrEnum):
    """What a question asks for: both sides of something, or anything else."""

    SIDES = "sides"
    ANYTHING_ELSE = "other"


def disputed(query: Query, encoder: QuestionEncoder) -> str | None:
    """Return what a question for both sides is about; None for any other question. Raises ModelError."""
    text = filters.parse(query.text, typed_only=True).text
    if query.is_follow_up or not any(map(str.isalpha, text)):
        return None
    classifier = fitted.packaged(WEIGHTS)
    if not classifier.applies_to(encoder.embedder):
        return None
    features = disagreement_features(text, encoder.encode(text).vector)
    return claim_in(text) if classifier.probabilities(features)[Sought.SIDES] >= LEAST else None


def claim_in(text: str) -> str | None:
    """Return the claim or topic that a question for both sides is about; None where it names none."""
    return subject.mark(text, _words()).subject or None


def disagreement_features(text: str, vector: Vectors) -> Vectors:
    """Return the features of a question: its form, and its pooled vector, shape (dimension,)."""
    import numpy as np

    from assistant.question.form import form

    return np.concatenate([form(text), vector * np.float32(_VECTOR_LENGTH)])


@cache
def _words() -> WordReader:
    return subject.load(WORDS, WORDING)
