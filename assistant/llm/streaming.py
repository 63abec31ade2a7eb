"""A language model's reply as a stream that the reader can stop at any moment, within limits of time and length.

A request runs in a thread of its own and puts its pieces into a queue. The reader therefore never waits longer than a
heartbeat at a time, and closing the stream in between cancels the request.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Protocol

from assistant.retry import Backoff, retry_after, retrying

# Seconds between two empty pieces while the model is silent.
HEARTBEAT = 0.25
# Seconds that a cancelled request gets to end; a model in this process ends at its next token.
_GRACE = 1.0
# Seconds before the second attempt, the share by which pauses vary, and the longest pause that a server may ask for.
_PAUSE, _JITTER, _MAX_PAUSE = 0.5, 0.2, 30.0


@dataclass(frozen=True, slots=True)
class ReplyLimits:
    """How long to wait, in seconds, for the first token, between two tokens and in all, and how much may come.

    A request that fails before its first token is repeated up to `retries` times.
    """

    first_token: float = 300.0
    next_token: float = 60.0
    total: float = 900.0
    retries: int = 3
    max_characters: int = 16_000


class LimitReached(Exception):
    """A reply took longer, or was longer, than the limits allow."""


class ModelRequest(Protocol):
    """A single request to a model."""

    def run(self, emit: Callable[[str], None]) -> None:
        """Make the request and emit the pieces of the reply; runs in a thread of its own until the end."""
        ...

    def cancel(self) -> None:
        """End it as soon as possible. May be called from any thread, before, while and after it runs."""
        ...


def stream_reply(
    new_request: Callable[[], ModelRequest],
    limits: ReplyLimits,
    is_transient: Callable[[BaseException], bool] = lambda _: False,
) -> Iterator[str]:
    """Yield the pieces of a reply, and an empty one with every heartbeat while the model is silent.

    A request that fails before its first token with a transient error is repeated with exponential back-off, or after
    the longer pause that the server asks for. Raise LimitReached, and the error of the last request.
    """
    deadline = time.monotonic() + limits.total
    has_begun, pauses = False, list[float]()
    backoff = Backoff(limits.retries + 1, _PAUSE, _JITTER, deadline=limits.total)

    def may_repeat(error: BaseException) -> bool:
        return not has_begun and isinstance(error, Exception) and is_transient(error)

    for attempt in retrying(backoff, may_repeat, _requested_pause, sleep=pauses.append):
        while pauses:  # tenacity only notes its pause, so that the reader can stop in the middle of it
            yield from _heartbeats(pauses.pop())
        with attempt:
            for piece in _pieces(new_request(), limits, deadline):
                has_begun |= bool(piece)
                yield piece


def _requested_pause(error: BaseException) -> float:
    """Return the seconds of a server's Retry-After header, up to the longest pause."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    return min(retry_after(headers.get("retry-after") or ""), _MAX_PAUSE)


def _heartbeats(seconds: float) -> Iterator[str]:
    """Wait, and yield an empty piece with every heartbeat, so that the reader can stop meanwhile."""
    while seconds > 0:
        time.sleep(min(seconds, HEARTBEAT))
        seconds -= HEARTBEAT
        yield ""


def _pieces(request: ModelRequest, limits: ReplyLimits, deadline: float) -> Iterator[str]:
    """Yield the pieces of one request and heartbeats between them. Cancel it when the stream is closed."""
    queue: SimpleQueue[str | _End] = SimpleQueue()
    thread = Thread(target=_run, args=(request, queue, limits.max_characters), daemon=True)
    thread.start()
    timer = _Timer(limits, deadline)
    try:
        while True:
            try:
                item = queue.get(timeout=min(timer.remaining(), HEARTBEAT))
            except Empty:
                timer.check()
                yield ""
                continue
            if isinstance(item, _End):
                item.check()
                return
            timer.restart()
            yield item
    finally:
        request.cancel()
        thread.join(_GRACE)


class _Timer:
    """Watches the time until the next token and the time of the whole reply."""

    def __init__(self, limits: ReplyLimits, deadline: float) -> None:
        self._limits, self._deadline = limits, deadline
        self._next = time.monotonic() + limits.first_token
        self._message = f"no token came within {limits.first_token:g} s (raise PAPERCHAT_FIRST_TOKEN_TIMEOUT)"

    def remaining(self) -> float:
        """Return the seconds that are left for the next piece, at least 0."""
        return max(0.0, min(self._next, self._deadline) - time.monotonic())

    def restart(self) -> None:
        """Start to wait for the next token. Raise LimitReached if this one came after the deadline."""
        self._next = time.monotonic() + self._limits.next_token
        self._message = f"no further token came within {self._limits.next_token:g} s (raise PAPERCHAT_TOKEN_TIMEOUT)"
        self.check()

    def check(self) -> None:
        """Raise LimitReached if the time is up."""
        if time.monotonic() >= self._deadline:
            raise LimitReached(f"it did not finish within {self._limits.total:g} s (raise PAPERCHAT_TOTAL_TIMEOUT)")
        if self.remaining() <= 0:
            raise LimitReached(self._message)


@dataclass(frozen=True, slots=True)
class _End:
    """The end of a request's pieces, with the error that ended it if there was one."""

    error: Exception | None = None

    def check(self) -> None:
        """Raise the error."""
        if self.error:
            raise self.error


def _run(request: ModelRequest, queue: SimpleQueue[str | _End], max_characters: int) -> None:
    """Put the pieces of a request into the queue, and its end after them."""
    length = 0

    def emit(piece: str) -> None:
        nonlocal length
        length += max(1, len(piece))  # so that endless empty pieces reach the limit too
        if length > max_characters:
            reason = f"it wrote more than {max_characters:,} characters without an end"
            raise LimitReached(f"{reason} (raise PAPERCHAT_MAX_OUTPUT_TOKENS)")
        queue.put(piece)

    try:
        request.run(emit)
    except Exception as error:  # raised again in the reader's thread
        queue.put(_End(error))
    else:
        queue.put(_End())
