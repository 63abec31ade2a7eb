"""Measure wall-clock time, in milliseconds."""

from __future__ import annotations

import time


class Stopwatch:
    """A timer of consecutive stages."""

    def __init__(self) -> None:
        self._started = self._lap = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        """Record the time since the last lap under a name such as `dense_ms`."""
        self._laps[name] = milliseconds(self._lap)
        self._lap = time.perf_counter()

    @property
    def timings(self) -> dict[str, float]:
        """Return the time of each stage, and `total_ms` until now."""
        return self._laps | {"total_ms": milliseconds(self._started)}


def milliseconds(started: float, ended: float | None = None) -> float:
    """Return the time between two readings of `time.perf_counter`, or until now."""
    return round(((time.perf_counter() if ended is None else ended) - started) * 1000, 2)


def at_once(started: float) -> dict[str, float]:
    """Return the timings of an answer whose text is there as soon as anything is, since a reading of the clock."""
    elapsed = milliseconds(started)
    return {"retrieve_ms": elapsed, "first_text_ms": elapsed, "total_ms": elapsed}
