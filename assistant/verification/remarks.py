"""Classify a sentence of an answer: it states something, it says that the abstracts do not answer, or neither.

The classifier (`python -m eval.training.remarks`) is linear in the form of the sentence and reads no other. In doubt a
sentence counts as a statement, which is verified.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

from assistant.question import fitted
from assistant.verification.parts import split

WEIGHTS = Path(__file__).parent / "weights" / "remarks.npz"
# The probability from which a sentence is taken for something else than a statement: a statement that passes for a
# remark is not verified.
LEAST = 0.6
# What separates an announcement from what it announces.
_ANNOUNCEMENT = re.compile(r":\s+(?=\w)")


class SentenceKind(StrEnum):
    """What a sentence does: state something, say that there is no answer, or neither."""

    CLAIM = "claim"
    DENIAL = "denial"
    REMARK = "remark"


def kind(sentence: str) -> SentenceKind:
    """Return the kind of a sentence without citation markers; a claim joined to a denial, or announced, is a claim.

    Raises ModelError where the weights fail.
    """
    statements = split(sentence, min_words=2) or (sentence,)
    kinds = {_kind(part) for statement in statements for part in _ANNOUNCEMENT.split(statement)}
    return next((kind for kind in (SentenceKind.CLAIM, SentenceKind.DENIAL) if kind in kinds), SentenceKind.REMARK)


def _kind(sentence: str) -> SentenceKind:
    from assistant.question.form import form

    if sentence.rstrip(" *_\"'”’)").endswith("?") or not re.search(r"\w", sentence):
        return SentenceKind.REMARK
    probabilities = fitted.packaged(WEIGHTS).probabilities(form(sentence))
    likeliest = max(probabilities, key=probabilities.__getitem__)
    return SentenceKind(likeliest) if probabilities[likeliest] >= LEAST else SentenceKind.CLAIM
