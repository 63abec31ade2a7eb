"""Repeating requests that fail for a while, with exponential back-off: the only home of tenacity."""

from __future__ import annotations

import logging
import math
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import tenacity

logger = logging.getLogger(__name__)

_SECONDS = re.compile(r"\s*[0-9]+(\.[0-9]+)?\s*")


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often a request is made, and the pauses between two attempts, in seconds.

    The first pause is `pause`, and each further one is twice as long. `jitter` is the share by which a pause is
    lengthened or shortened at random, so that clients that failed together do not return together. No attempt begins
    later than `deadline` after the first.
    """

    attempts: int
    pause: float
    jitter: float = 0.0
    deadline: float = math.inf


def retrying(
    backoff: Backoff,
    is_transient: Callable[[BaseException], bool],
    requested_pause: Callable[[BaseException], float] = lambda _: 0.0,
    sleep: Callable[[float], None] = time.sleep,
) -> tenacity.Retrying:
    """Return tenacity's controller: call it with a function, or iterate over its attempts.

    It makes another attempt where `is_transient` accepts the error, and raises the last error otherwise. The server
    may have asked for a longer pause than the back-off's, which `requested_pause` reads from the error.
    """
    exponential = tenacity.wait_exponential(multiplier=backoff.pause)

    def pause_after(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        spread = random.uniform(1 - backoff.jitter, 1 + backoff.jitter)  # noqa: S311 - no secret
        return max(exponential(state) * spread, requested_pause(error) if error else 0.0)

    def log_pause(state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None  # its message may quote what was sent
        name, pause = type(error).__name__, state.upcoming_sleep
        logger.debug("attempt %d failed with %s; the next follows in %.1f s", state.attempt_number, name, pause)

    return tenacity.Retrying(
        before_sleep=log_pause,
        sleep=sleep,
        wait=pause_after,
        stop=tenacity.stop_after_attempt(backoff.attempts) | tenacity.stop_before_delay(backoff.deadline),
        retry=tenacity.retry_if_exception(is_transient),
        reraise=True,
    )


def retry_after(header: str) -> float:
    """Return the seconds from now that a Retry-After header asks for; 0 where it is empty or malformed.

    The value is a number of seconds or a date (RFC 9110, section 10.2.3).
    """
    if _SECONDS.fullmatch(header):
        return float(header)
    try:
        return max(0.0, (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0.0
