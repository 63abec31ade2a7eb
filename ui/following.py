"""Follow what other machines write to a shared library while it is served, so that no question has to wait for it."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future

from assistant.chat import Assistant
from assistant.errors import PaperchatError
from assistant.settings import Settings

logger = logging.getLogger(__name__)

_SECONDS, _LAST_SECONDS = 5.0, 2.0


class BackgroundRefresh:
    """Refreshes the indexes of a shared library every few seconds in a thread; one that is not shared needs none."""

    def __init__(self, settings: Settings, assistant: Future[Assistant], seconds: float = _SECONDS) -> None:
        """Begin once the assistant is loaded."""
        self._assistant, self._seconds = assistant, seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="following", daemon=True)
        if settings.database is not None:
            self._thread.start()

    def close(self) -> None:
        """Begin no further refresh, and wait a moment for the one under way, which a silent server may hold up."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join(_LAST_SECONDS)

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds):
            if not self._assistant.done() or self._assistant.exception():
                continue
            try:
                self._assistant.result().library.fresh()
            except PaperchatError as error:  # a question tells the user, if it lasts
                logger.info("following the library: %s", error)
