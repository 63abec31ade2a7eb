"""Fit how figures grow with the number of papers: powers of the size, as straight lines of the logarithms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Json = dict[str, Any]


def fit_power(sizes: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Return a and b of the curve a * size ** b that fits the values best, by least squares of the logarithms."""
    exponent, logarithm = np.polyfit(np.log(sizes), np.log(values), 1)
    return float(np.exp(logarithm)), float(exponent)


def fit_all(figures: Mapping[str, Mapping[int, Json]], sizes: Sequence[int]) -> Json:
    """Return the exponent of each figure of each part, given by size, and what its curve gives at further sizes.

    Figures that were measured at fewer than three sizes, or are not above zero at each, are left out.
    """
    return {
        part: {name: _curve(values, sizes) for name, values in _by_name(by_size).items() if _can_be_fitted(values)}
        for part, by_size in figures.items()
    }


def _by_name(by_size: Mapping[int, Json]) -> dict[str, dict[int, float]]:
    """Return the values of each figure by size; of a latency, the median."""
    values: dict[str, dict[int, float]] = {}
    for size, figures in by_size.items():
        for name, value in figures.items():
            values.setdefault(name, {})[size] = float(value["p50"] if isinstance(value, Mapping) else value)
    return values


def _can_be_fitted(values: Mapping[int, float]) -> bool:
    return len(values) >= 3 and min(values.values()) > 0


def _curve(values: Mapping[int, float], sizes: Sequence[int]) -> Json:
    factor, exponent = fit_power(list(values), list(values.values()))
    return {"exponent": exponent} | {f"{size:,} papers": factor * size**exponent for size in sizes}
