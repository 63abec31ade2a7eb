"""How often somebody may be wrong: after a few tries the next has to wait, each time twice as long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

# Seconds: the first wait, the longest, and for how long a try is remembered.
_FIRST, _LONGEST, _REMEMBERED = 1.0, 900.0, 3600.0
# Whoever tries under ever new names fills no memory.
_MOST_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class _Tries:
    """How many there were, when the last was, and until when there may be no other; seconds of the clock."""

    count: int
    last: float
    until: float


class Attempts:
    """Counts tries, by whatever tells one who tries from another. Safe to use from several threads."""

    def __init__(self, free: int, now: Callable[[], float] = time.monotonic) -> None:
        """`free` tries in a row cost nothing; `now` is a clock in seconds."""
        self._free, self._now = free, now
        self._tries: dict[str, _Tries] = {}
        self._lock = threading.Lock()

    def begin(self, who: str) -> bool:
        """Whether somebody may try now. If so it counts as a failure, until `succeeded` says otherwise."""
        with self._lock:
            now = self._now()
            self._forget(now)
            before = self._tries.pop(who, _Tries(0, now, now))
            may_try = before.until <= now
            count = before.count + may_try
            until = now + self._wait(count) if may_try else before.until
            self._tries[who] = _Tries(count, now, until)
            return may_try

    def succeeded(self, who: str) -> None:
        """Forget the failures of somebody who was right in the end."""
        with self._lock:
            self._tries.pop(who, None)

    def _wait(self, count: int) -> float:
        # The exponent is bounded too: 2.0 ** 1024 is an error.
        return 0.0 if count < self._free else min(_FIRST * 2.0 ** min(count - self._free, 60), _LONGEST)

    def _forget(self, now: float) -> None:
        """Drop those who have tried nothing for long; they come first, because each try moves its own to the end."""
        while self._tries:
            who, oldest = next(iter(self._tries.items()))
            if len(self._tries) < _MOST_KEPT and oldest.last + _REMEMBERED > now:
                return
            del self._tries[who]
