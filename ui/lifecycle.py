"""The end of a server: it takes no further work, lets what runs finish for a bounded time, and ends with code 0."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import Any

from assistant.errors import PaperchatError

logger = logging.getLogger(__name__)

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# What ends the wait for a signal: one of them, or no signal at all.
_STOP = 0
_ENDS_WAIT = (_STOP, *_SIGNALS)


class ServerStoppingError(PaperchatError):
    """The server is being stopped, and takes no more work, or has no more time for what it does."""

    def __init__(self) -> None:
        super().__init__("the server is being stopped; ask again in a few seconds")


class Lifecycle:
    """Counts the work of a server, and ends it. Thread-safe.

    Work is counted from when it is accepted, while it still waits for its turn, until its thread has ended.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running = 0
        self._is_stopping = self._is_abandoned = False
        self._on_abandon: dict[object, Callable[[], None]] = {}

    @property
    def is_stopping(self) -> bool:
        """Return whether the server takes no more work."""
        return self._is_stopping

    @property
    def running(self) -> int:
        """Return how much work was accepted and has not ended."""
        return self._running

    def begin(self) -> None:
        """Count work that begins. Raises ServerStoppingError."""
        with self._changed:
            if self._is_stopping:
                raise ServerStoppingError
            self._running += 1

    def end(self) -> None:
        """Count work that has ended."""
        with self._changed:
            self._running -= 1
            self._changed.notify_all()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Count work while it lasts. Raises ServerStoppingError where it may not begin."""
        self.begin()
        try:
            yield
        finally:
            self.end()

    def check(self) -> None:
        """Raise ServerStoppingError where there is no more time for work that has begun."""
        if self._is_abandoned:
            raise ServerStoppingError

    @contextmanager
    def when_abandoned(self, callback: Callable[[], None]) -> Iterator[None]:
        """Call back, in another thread, when there is no more time for what goes on meanwhile."""
        key = object()
        with self._changed:
            self._on_abandon[key] = callback
            is_late = self._is_abandoned
        try:
            if is_late:
                callback()
            yield
        finally:
            with self._changed:
                self._on_abandon.pop(key, None)

    def stop(self, seconds: float) -> bool:
        """Accept no more work, wait so long for what runs, and abandon the rest; return whether all has finished."""
        with self._changed:
            self._is_stopping = True
            if self._changed.wait_for(lambda: not self._running, seconds):
                return True
            self._is_abandoned = True
            callbacks = list(self._on_abandon.values())
        logger.warning("%s tasks did not finish in %s s and are abandoned", self._running, seconds)
        for callback in callbacks:
            callback()
        return False


class StopSignals:
    """Waits for SIGINT or SIGTERM; the second one ends the process at once, as if nobody handled it.

    The wait reads from a socket, into which the interpreter writes the number of each signal the moment that it comes.
    A wait for a lock would miss a signal that comes just before it: Python's own handler runs only between two steps of
    the main thread, which then waits for ever.
    """

    def __init__(self) -> None:
        self._received, self._sent = socket.socketpair()
        self._sent.setblocking(False)
        self._previous: dict[signal.Signals, Any] = {}
        self._previous_descriptor = -1

    def __enter__(self) -> StopSignals:
        """Handle the signals from now on. For the main thread."""
        self._previous_descriptor = signal.set_wakeup_fd(self._sent.fileno(), warn_on_full_buffer=False)
        self._previous = {number: signal.signal(number, self._handle) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the signals to those who handled them before."""
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._previous_descriptor)
        self._received.close()
        self._sent.close()

    def wait(self) -> None:
        """Wait for a signal, or for `stop`."""
        while self._received.recv(1)[0] not in _ENDS_WAIT:
            continue

    def stop(self) -> None:
        """End the wait, from any thread; nothing happens where it has ended."""
        with suppress(OSError):
            self._sent.send(bytes([_STOP]))

    @staticmethod
    def _handle(number: int, frame: FrameType | None) -> None:
        for other in _SIGNALS:
            signal.signal(other, signal.SIG_DFL)


def end_process() -> None:
    """End the process with exit code 0 where threads are left, without waiting for them; else do nothing.

    A thread that loads a model or computes with one is in native code, from which Python cannot call it back. While the
    interpreter takes itself down, such a thread is ended when it next needs Python, from within C++ code that does not
    expect it, and the whole process aborts.
    """
    if threading.active_count() > 1:
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(0)


def remaining(ends: float) -> float:
    """Return the seconds until a time of `time.monotonic`; 0 where it has passed."""
    return max(0.0, ends - time.monotonic())
