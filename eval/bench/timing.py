"""Measure how long calls take."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np


def measure_latency(call: Callable[[str], Any], texts: Sequence[str]) -> dict[str, float]:
    """Return the median and the 95th percentile over the texts, in milliseconds, after one call to warm up."""
    return measure_alternating({"call": call}, texts)["call"]


def measure_alternating(calls: Mapping[str, Callable[[str], Any]], texts: Sequence[str]) -> dict[str, dict[str, float]]:
    """Measure several calls in turn, so that a change in the load of the machine affects all of them alike.

    Each call gets every text once, after one call to warm up. Consecutive calls get different texts, so that no call
    profits from what another one has cached.
    """
    milliseconds: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call(texts[0])
    for step in range(len(texts)):
        for number, (name, call) in enumerate(calls.items()):
            text = texts[(step + number * len(texts) // len(calls)) % len(texts)]
            started = time.perf_counter()
            call(text)
            milliseconds[name].append((time.perf_counter() - started) * 1000)
    return {name: _summary(times) for name, times in milliseconds.items()}


def measure_seconds(call: Callable[[], object]) -> float:
    """Return the seconds that one call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _summary(times: Sequence[float]) -> dict[str, float]:
    median, high = np.quantile(times, (0.5, 0.95))
    return {"p50": float(median), "p95": float(high)}
