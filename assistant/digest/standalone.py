"""Tell whether a sentence can be quoted alone: it stands alone, leans on one before it, or is boilerplate.

Both classifiers (`python -m eval.training.standalone`) are linear in the words of the sentence. The second finds the
opening of a sentence that connects it with the text before it, such as "Moreover, ".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.schema import Passage
from assistant.text.function_words import FUNCTION_WORDS

if TYPE_CHECKING:
    from assistant.encodings import Vectors
    from assistant.question.linear import LinearClassifier

    pass

WEIGHTS = Path(__file__).parent / "weights" / "standalone.npz"
LEAD_WEIGHTS = WEIGHTS.with_name("leads.npz")
# The probability from which an opening counts as one that connects.
LEAD_FROM = 0.5
# Characters of an opening that may connect.
_MAX_LEAD = 60
_WORD = re.compile(r"\w+")


class Role(StrEnum):
    """What a sentence is on its own."""

    ALONE = "alone"
    LEANS = "leans"
    BOILERPLATE = "boilerplate"


@dataclass(frozen=True, slots=True)
class RolePrediction:
    """The probability that a sentence leans on one before it, and that it is boilerplate, 0..1 each."""

    leans: float
    boilerplate: float

    @property
    def role(self) -> Role:
        """Return the likeliest role."""
        shares = {Role.ALONE: 1 - self.leans - self.boilerplate, Role.LEANS: self.leans}
        shares[Role.BOILERPLATE] = self.boilerplate
        return max(shares, key=shares.__getitem__)


def predict(sentence: str, position: int, title: str) -> RolePrediction:
    """Return the prediction for the sentence at a 0-based position of an abstract. Raises ModelError."""
    probabilities = classifier(WEIGHTS).probabilities(features(sentence, position, title))
    return RolePrediction(probabilities[Role.LEANS], probabilities[Role.BOILERPLATE])


def find_context(passages: Sequence[Passage], position: int, title: str) -> int | None:
    """Return the position of the sentence that the one at a position leans on; None where that leans itself.

    It is the one before: of 100 sentences that lean, that is so of most (docs/experiments.md).
    """
    previous = position - 1
    if previous < 0 or predict(passages[previous].text, previous, title).role is not Role.ALONE:
        return None
    return previous


def lead_length(sentence: str) -> int:
    """Return the number of leading characters that only connect the sentence with the text before it. ModelError."""
    opening, comma, rest = sentence[:_MAX_LEAD].partition(", ")
    if not comma or not rest:
        return 0
    probabilities = classifier(LEAD_WEIGHTS).probabilities(lead_features(opening))
    return len(opening) + len(comma) if probabilities["lead"] >= LEAD_FROM else 0


def features(sentence: str, position: int, title: str) -> Vectors:
    """Return the features of a sentence: its form, its place in the abstract, and its words that the title has."""
    import numpy as np

    from assistant.question.form import form

    words = {word.casefold() for word in _WORD.findall(sentence)} - FUNCTION_WORDS
    shared = words & {word.casefold() for word in _WORD.findall(title)}
    place = [float(position == 0), min(position, 10) / 10, len(shared) / max(1, len(words)), float(bool(shared))]
    return np.concatenate([form(sentence), np.array(place, dtype=np.float32)])


def lead_features(opening: str) -> Vectors:
    """Return the features of the opening of a sentence, up to its first comma."""
    from assistant.question.form import form

    return form(opening)


@cache
def classifier(file: Path) -> LinearClassifier:
    """Return a classifier of the package. Raises ModelError."""
    from assistant.question import linear

    return linear.load(file)
