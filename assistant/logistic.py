"""A logistic model over named features, which the gate, the choice of evidence and the claim check use."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

# The probability is 0 or 1 beyond this anyway, and the exponential would overflow.
_MAX_LOGIT = 50.0


def probability(bias: float, weights: Any, features: Any) -> float:
    """Return the probability, 0..1; `weights` and `features` are instances of one dataclass of numbers."""
    logit = bias + sum(getattr(weights, field.name) * getattr(features, field.name) for field in fields(weights))
    return 1.0 / (1.0 + math.exp(-max(-_MAX_LOGIT, min(_MAX_LOGIT, logit))))
