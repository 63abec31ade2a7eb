"""Do work in the background while something else goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from assistant.chat import Assistant

T = TypeVar("T")
# Seconds that a process which is to end waits for models that are being loaded.
_PATIENCE = 10


def load_in_background(
    open_assistant: Callable[[], Assistant], after: threading.Event | None = None
) -> Future[Assistant]:
    """Open the assistant in a daemon thread, so that Ctrl+C does not wait for it, once the event `after` is set."""

    def load() -> Assistant:
        if after:
            after.wait()
        return open_assistant()

    return run_in_background(load, "loading")


def run_in_background(work: Callable[[], T], name: str) -> Future[T]:
    """Run work in a daemon thread of this name, for which the end of the process does not wait."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # raised again to those who wait for the result
            future.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return future


def await_loading(assistant: Future[Assistant]) -> None:
    """Wait until the assistant is open or has failed: a process that ends while a model is being loaded aborts."""
    wait([assistant], timeout=_PATIENCE)
