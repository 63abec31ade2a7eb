"""How long work takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def milliseconds_each(work: Callable[[str], Any], texts: Sequence[str]) -> dict[str, float]:
    """Median and 95th percentile over the texts, in milliseconds, after one to warm up."""
    work(texts[0])
    times = []
    for text in texts:
        started = time.perf_counter()
        work(text)
        times.append((time.perf_counter() - started) * 1000)
    median, high = np.quantile(times, (0.5, 0.95))
    return {"p50": float(median), "p95": float(high)}
