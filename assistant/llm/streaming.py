"""A language model's reply as it comes, within limits of time and length, that can be given up at any moment.

A call runs in a thread of its own and puts what it hears into a queue. Whoever reads the reply therefore waits no
longer than a heartbeat at a time, and can stop between two of them: closing the reply ends the call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Protocol

from assistant.retry import Backoff, retry_after, retrying

# Seconds between two signs of life while the model is silent.
HEARTBEAT = 0.25
# Seconds that a call has to end once it is given up; a model in this process ends at its next token.
_GRACE = 1.0
# Seconds before the second attempt, the share by which pauses vary, and the longest pause that a server may ask for.
_PAUSE, _JITTER, _LONGEST_PAUSE = 0.5, 0.2, 30.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait, in seconds: for the first token, from one to the next, and in all.

    `retries` is how often a call that failed before its first token is made again, `characters` how much may come.
    """

    first: float = 300.0
    between: float = 60.0
    total: float = 900.0
    retries: int = 3
    characters: int = 16_000


class LimitReached(Exception):
    """A reply took longer, or was longer, than the limits allow."""


class Call(Protocol):
    """One request to a model."""

    def run(self, say: Callable[[str], None]) -> None:
        """Make the request and say each piece of the reply; runs in a thread of its own, until all is said."""
        ...

    def cancel(self) -> None:
        """End it as soon as possible, from any thread, whether it has begun, runs or is over."""
        ...


def reply(
    start: Callable[[], Call], limits: Limits, passes: Callable[[Exception], bool] = lambda _: False
) -> Iterator[str]:
    """The pieces of a reply; an empty one is only a sign that the model is still awaited.

    A call that fails before its first token with an error that `passes` is made again after a pause, which doubles;
    the server may ask for a longer one. Raises LimitReached, and whatever a call raises.
    """
    ends = time.monotonic() + limits.total
    begun, pauses = False, list[float]()
    backoff = Backoff(limits.retries + 1, _PAUSE, _JITTER, deadline=limits.total)

    def is_transient(error: BaseException) -> bool:
        return not begun and isinstance(error, Exception) and passes(error)

    for attempt in retrying(backoff, is_transient, _requested_pause, sleep=pauses.append):
        while pauses:  # tenacity only notes its pause, so that the reader can stop in the middle of it
            yield from _heartbeats(pauses.pop())
        with attempt:
            for piece in _pieces(start(), limits, ends):
                begun |= bool(piece)
                yield piece


def _requested_pause(error: BaseException) -> float:
    """Return the seconds of a server's Retry-After header, up to the longest pause."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    return min(retry_after(headers.get("retry-after") or ""), _LONGEST_PAUSE)


def _heartbeats(seconds: float) -> Iterator[str]:
    """Wait, and yield an empty piece with every heartbeat, so that the reader can stop meanwhile."""
    while seconds > 0:
        time.sleep(min(seconds, HEARTBEAT))
        seconds -= HEARTBEAT
        yield ""


def _pieces(call: Call, limits: Limits, ends: float) -> Iterator[str]:
    """What one call says; it is ended however this ends."""
    said: SimpleQueue[str | _End] = SimpleQueue()
    thread = Thread(target=_work, args=(call, said, limits.characters), daemon=True)
    thread.start()
    wait = _Wait(limits, ends)
    try:
        while True:
            try:
                item = said.get(timeout=min(max(0.0, wait.left()), HEARTBEAT))
            except Empty:
                wait.check()
                yield ""
                continue
            if isinstance(item, _End):
                item.check()
                return
            wait.heard()
            yield item
    finally:
        call.cancel()
        thread.join(_GRACE)


class _Wait:
    """What is waited for, and until when."""

    def __init__(self, limits: Limits, ends: float) -> None:
        self._limits, self._ends = limits, ends
        self._until = time.monotonic() + limits.first
        self._late = f"no token came within {limits.first:g} s (raise PAPERCHAT_FIRST_TOKEN_TIMEOUT)"

    def left(self) -> float:
        """Seconds that are left for the next piece."""
        return min(self._until, self._ends) - time.monotonic()

    def heard(self) -> None:
        """A piece has come. Raises LimitReached where it came after the end."""
        self._until = time.monotonic() + self._limits.between
        self._late = f"no more came for {self._limits.between:g} s (raise PAPERCHAT_TOKEN_TIMEOUT)"
        self.check()

    def check(self) -> None:
        """Raises LimitReached where the time is over."""
        if time.monotonic() >= self._ends:
            raise LimitReached(f"it did not finish within {self._limits.total:g} s (raise PAPERCHAT_TOTAL_TIMEOUT)")
        if self.left() <= 0:
            raise LimitReached(self._late)


@dataclass(frozen=True, slots=True)
class _End:
    """The end of what a call says, with the error that it may have ended in."""

    error: Exception | None = None

    def check(self) -> None:
        if self.error:
            raise self.error


def _work(call: Call, said: SimpleQueue[str | _End], characters: int) -> None:
    written = 0

    def say(piece: str) -> None:
        nonlocal written
        written += max(1, len(piece))  # an endless stream of nothing is endless too
        if written > characters:
            raise LimitReached(
                f"it wrote more than {characters:,} characters without an end (raise PAPERCHAT_MAX_OUTPUT_TOKENS)"
            )
        said.put(piece)

    try:
        call.run(say)
    except Exception as error:  # whoever reads the reply is told
        said.put(_End(error))
    else:
        said.put(_End())
