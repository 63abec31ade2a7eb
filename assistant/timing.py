"""Wall-clock time spent, in milliseconds."""

from __future__ import annotations

import time


class Stopwatch:
    """Times stages that follow one another."""

    def __init__(self) -> None:
        self._started = self._lap = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        """The stage of this name, such as `dense_ms`, ends now."""
        self._laps[name] = milliseconds(self._lap)
        self._lap = time.perf_counter()

    @property
    def timings(self) -> dict[str, float]:
        """Each stage's time, and `total_ms` until now."""
        return self._laps | {"total_ms": milliseconds(self._started)}


def milliseconds(started: float, ended: float | None = None) -> float:
    """From one `time.perf_counter` reading to another, or to now."""
    return round(((time.perf_counter() if ended is None else ended) - started) * 1000, 2)
