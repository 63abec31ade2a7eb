"""A logistic model over named features, by which answerability and verification are calibrated."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

# The probability is 0 or 1 beyond this anyway, and the exponential would overflow.
_MAX_LOGIT = 50.0
# Probabilities are kept this far from 0 and 1 before the logarithm of their odds is taken.
_SMALLEST = 1e-4


def log_odds(probability: float) -> float:
    """Return the logarithm of the odds, bounded so that no single feature decides."""
    bounded = min(1.0 - _SMALLEST, max(_SMALLEST, probability))
    return math.log(bounded / (1.0 - bounded))


def probability(bias: float, weights: Any, features: Any) -> float:
    """Return the probability, 0..1; `weights` and `features` are instances of one dataclass of numbers."""
    logit = bias + sum(getattr(weights, field.name) * getattr(features, field.name) for field in fields(weights))
    return 1.0 / (1.0 + math.exp(-max(-_MAX_LOGIT, min(_MAX_LOGIT, logit))))
