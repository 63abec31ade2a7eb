"""Open the assistant while something else goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait

from assistant.chat import Assistant

# Seconds that a process which is to end waits for models that are being loaded.
_PATIENCE = 10


def load_in_background(
    open_assistant: Callable[[], Assistant], after: threading.Event | None = None
) -> Future[Assistant]:
    """Open the assistant in a daemon thread, so that Ctrl+C does not wait for it, once the event `after` is set."""
    future: Future[Assistant] = Future()

    def load() -> None:
        if after:
            after.wait()
        try:
            future.set_result(open_assistant())
        except BaseException as error:  # raised again to those who wait for the result
            future.set_exception(error)

    threading.Thread(target=load, daemon=True).start()
    return future


def await_loading(assistant: Future[Assistant]) -> None:
    """Wait until the assistant is open or has failed: a process that ends while a model is being loaded aborts."""
    wait([assistant], timeout=_PATIENCE)
