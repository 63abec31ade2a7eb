"""A logistic model over a handful of named signs: how the gate, the choice of sentences and the claim check decide."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

# Beyond this the probability is 0 or 1 anyway, and the exponential would overflow.
_MOST = 50.0


def probability(bias: float, weights: Any, signs: Any) -> float:
    """The model's probability, 0..1; `weights` and `signs` are values of one dataclass, field by field."""
    total = bias + sum(getattr(weights, field.name) * getattr(signs, field.name) for field in fields(weights))
    return 1.0 / (1.0 + math.exp(-max(-_MOST, min(_MOST, total))))
