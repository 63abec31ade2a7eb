"""Tell whether a sentence can be quoted alone: it stands alone, leans on one before it, or is boilerplate.

Both classifiers (`python -m eval.training.standalone`) are linear in the words of the sentence. The second finds the
opening of a sentence that connects it with the text before it, such as "Moreover, ".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from assistant.digest.boilerplate import boilerplate_probability
from assistant.digest.sentence_features import WEIGHTS_FOLDER, sentence_features
from assistant.question import fitted

if TYPE_CHECKING:
    from assistant.encodings import Vectors

WEIGHTS = WEIGHTS_FOLDER / "standalone.npz"
LEAD_WEIGHTS = WEIGHTS.with_name("leads.npz")
# The probability from which a sentence needs the one before it: as many of the labelled sentences reach it,
# cross-validated, as are labelled as leaning (0.188), so that their share is neither over- nor underestimated, although
# half of those found are not the labelled ones. From 0.5 on 6 % of them would count. To be measured again after a fit.
LEANS_FROM = 0.27
# The same for a sentence that a language model wrote, of which there may be no other: where it is likelier than not.
WRITTEN_LEANS_FROM = 0.5
# The probability from which a sentence is boilerplate: of those that reach it 69 % are, of all that are 28 % reach it.
BOILERPLATE_FROM = 0.3
# The probability from which an opening counts as one that connects.
LEAD_FROM = 0.8
# Characters of an opening that may connect.
_MAX_LEAD = 60


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
        """Return the role: boilerplate where that is likely, else whether it leans."""
        if self.boilerplate >= BOILERPLATE_FROM:
            return Role.BOILERPLATE
        return Role.LEANS if self.leans >= LEANS_FROM else Role.ALONE


def predict(sentence: str, position: int, title: str) -> RolePrediction:
    """Return the prediction for the sentence at a 0-based position of an abstract. Raises ModelError."""
    return RolePrediction(leaning(sentence, position, title), boilerplate_probability(sentence))


def leaning(sentence: str, position: int, title: str) -> float:
    """Return the probability that the sentence at a 0-based position of an abstract leans. Raises ModelError."""
    return fitted.packaged(WEIGHTS).probabilities(features(sentence, position, title))[Role.LEANS]


def leans(sentence: str) -> bool:
    """Return whether a written sentence rather needs the one before it to be understood. Raises ModelError."""
    return leaning(sentence, 1, "") >= WRITTEN_LEANS_FROM


def lead_length(sentence: str) -> int:
    """Return the number of leading characters that only connect the sentence with the text before it. ModelError."""
    opening, comma, rest = sentence[:_MAX_LEAD].partition(", ")
    if not comma or not rest:
        return 0
    probabilities = fitted.packaged(LEAD_WEIGHTS).probabilities(lead_features(opening))
    return len(opening) + len(comma) if probabilities["lead"] >= LEAD_FROM else 0


def features(sentence: str, position: int, title: str) -> Vectors:
    """Return the features of a sentence, without its lead, for the classifier of roles."""
    return sentence_features(sentence[lead_length(sentence) :], position, title)


def lead_features(opening: str) -> Vectors:
    """Return the features of the opening of a sentence, up to its first comma."""
    from assistant.question.form import form

    return form(opening)
