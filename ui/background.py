"""Open the assistant while something else goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

from assistant.chat import Assistant


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
