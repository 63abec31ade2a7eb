"""Wall-clock time spent, in milliseconds."""

from __future__ import annotations

import time


def milliseconds(started: float, ended: float | None = None) -> float:
    """From one `time.perf_counter` reading to another, or to now."""
    return round(((time.perf_counter() if ended is None else ended) - started) * 1000, 2)
