"""A logistic model over named features, by which answerability and verification are calibrated."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from assistant.encodings import Vectors

# The probability is 0 or 1 beyond this anyway, and the exponential would overflow.
_MAX_LOGIT = 50.0
# Probabilities are kept this far from 0 and 1 before the logarithm of their odds is taken.
_SMALLEST = 1e-4

FeaturesT = TypeVar("FeaturesT")


@dataclass(frozen=True, slots=True)
class LogisticModel(Generic[FeaturesT]):
    """A bias, and the weights of features as an instance of the dataclass of numbers that the features are."""

    bias: float
    weights: FeaturesT

    def probability(self, features: FeaturesT) -> float:
        """Return the probability, 0..1."""
        names: list[str] = [field.name for field in fields(self.weights)]  # type: ignore[arg-type]
        logit = self.bias + sum(getattr(self.weights, name) * getattr(features, name) for name in names)
        return 1.0 / (1.0 + math.exp(-max(-_MAX_LOGIT, min(_MAX_LOGIT, logit))))


def log_odds(probability: float) -> float:
    """Return the logarithm of the odds, bounded so that no single feature decides."""
    bounded = min(1.0 - _SMALLEST, max(_SMALLEST, probability))
    return math.log(bounded / (1.0 - bounded))


def odds(probability: float) -> float:
    """Return the odds, finite for every probability."""
    return probability / max(1.0 - probability, 1e-9)


def softmax(logits: Vectors) -> Vectors:
    """Return the probabilities of classes, shape (classes,), which sum to 1."""
    import numpy as np

    exponentials = np.exp(logits - logits.max())
    probabilities: Vectors = exponentials / exponentials.sum()
    return probabilities
