"""Do work in the background while something else goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from assistant.chat import Assistant

T = TypeVar("T")


def load_in_background(
    open_assistant: Callable[[], Assistant], after: threading.Event | None = None
) -> Future[Assistant]:
    """Open the assistant in a daemon thread, once the event `after` is set. The process does not wait for it to end."""

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
