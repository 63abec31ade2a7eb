"""Limit how often somebody may fail to log in: after a few failures, each wait is twice as long as the one before."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

# Seconds.
_FIRST_WAIT, _LONGEST_WAIT, _REMEMBERED = 1.0, 900.0, 3600.0
# Attempts under ever new names must not fill the memory.
_MAX_CLIENTS = 10_000


@dataclass(frozen=True, slots=True)
class _Failures:
    """The number of failures in a row, the time of the last attempt, and when the next is allowed, in seconds."""

    count: int
    last: float
    next_allowed: float


class LoginRateLimiter:
    """Counts failed attempts by client, which is any string that tells clients apart. Thread-safe."""

    def __init__(self, free_attempts: int, now: Callable[[], float] = time.monotonic) -> None:
        """Accept `free_attempts` failures in a row without a wait; `now` is a clock in seconds."""
        self._free_attempts, self._now = free_attempts, now
        self._failures: dict[str, _Failures] = {}
        self._lock = threading.Lock()

    def allow(self, client: str) -> bool:
        """Tell whether a client may try now; an allowed attempt counts as a failure until it is `reset`."""
        with self._lock:
            now = self._now()
            self._forget_old(now)
            before = self._failures.pop(client, _Failures(0, now, now))
            is_allowed = before.next_allowed <= now
            count = before.count + is_allowed
            next_allowed = now + self._wait(count) if is_allowed else before.next_allowed
            self._failures[client] = _Failures(count, now, next_allowed)
            return is_allowed

    def reset(self, client: str) -> None:
        """Clear the failures of a client that has logged in."""
        with self._lock:
            self._failures.pop(client, None)

    def _wait(self, count: int) -> float:
        # The exponent is bounded because 2.0 ** 1024 raises OverflowError.
        excess = min(count - self._free_attempts, 60)
        return 0.0 if excess < 0 else min(_FIRST_WAIT * 2.0**excess, _LONGEST_WAIT)

    def _forget_old(self, now: float) -> None:
        """Drop the clients that have been quiet for long; they come first, as each attempt moves its client last."""
        while self._failures:
            client, oldest = next(iter(self._failures.items()))
            if len(self._failures) < _MAX_CLIENTS and oldest.last + _REMEMBERED > now:
                return
            del self._failures[client]
