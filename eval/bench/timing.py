"""Measure how long calls take."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np


def measure_latency(call: Callable[[str], Any], texts: Sequence[str]) -> dict[str, float]:
    """Return the median and the 95th percentile over the texts, in milliseconds, after one call to warm up."""
    return measure_alternating({"call": call}, texts)["call"]


def measure_alternating(
    calls: Mapping[str, Callable[[str], Any]], texts: Sequence[str], block: int = 7
) -> dict[str, dict[str, float]]:
    """Measure several calls in turn, so that a change in the load of the machine affects all of them alike.

    Each call gets every text once, in blocks: within a block no call competes with the threads that another library
    leaves spinning, which is why each block begins with a call that is not counted. Calls get their texts in different
    orders, so that none profits from what another one has cached.
    """
    milliseconds: dict[str, list[float]] = {name: [] for name in calls}
    for start in range(0, len(texts), block):
        for number, (name, call) in enumerate(calls.items()):
            shift = number * len(texts) // len(calls)
            stop = min(start + block, len(texts))
            block_texts = [texts[(position + shift) % len(texts)] for position in range(start, stop)]
            call(texts[(start + shift - 1) % len(texts)])
            milliseconds[name] += [_milliseconds(call, text) for text in block_texts]
    return {name: _summary(times) for name, times in milliseconds.items()}


def measure_seconds(call: Callable[[], object]) -> float:
    """Return the seconds that one call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _milliseconds(call: Callable[[str], Any], text: str) -> float:
    started = time.perf_counter()
    call(text)
    return (time.perf_counter() - started) * 1000


def _summary(times: Sequence[float]) -> dict[str, float]:
    median, high = np.quantile(times, (0.5, 0.95))
    return {"p50": float(median), "p95": float(high)}
