"""Limit how many requests a caller may send a minute: a bucket of tokens that fills again evenly (RFC 2697)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from ui.api.problems import ProblemError

# Buckets that are full again are forgotten when there are more than this.
_MAX_CALLERS = 10_000


class RequestRate:
    """Counts requests by caller. For one event loop."""

    def __init__(self, per_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        self._capacity, self._per_second, self._now = float(per_minute), per_minute / 60, now
        self._buckets: dict[str, tuple[float, float]] = {}  # requests left, and when that was so

    def count(self, caller: str) -> None:
        """Count a request. Raises ProblemError with 429 where the caller has sent too many."""
        now = self._now()
        self._forget(now)
        left = self._left(caller, now)
        if left < 1:
            seconds = math.ceil((1 - left) / self._per_second)
            detail = f"Too many requests; try again in {seconds} s."
            raise ProblemError(429, detail, "rate_limit_exceeded", {"Retry-After": str(seconds)})
        self._buckets[caller] = (left - 1, now)

    def _left(self, caller: str, now: float) -> float:
        left, since = self._buckets.get(caller, (self._capacity, now))
        return min(self._capacity, left + (now - since) * self._per_second)

    def _forget(self, now: float) -> None:
        if len(self._buckets) > _MAX_CALLERS:
            self._buckets = {
                caller: bucket for caller, bucket in self._buckets.items() if self._left(caller, now) < self._capacity
            }
