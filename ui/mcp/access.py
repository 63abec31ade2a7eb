"""Access to the library for the tools: the catalog at once, the assistant as soon as its models are loaded."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from functools import cached_property
from typing import TYPE_CHECKING

from assistant import factory

if TYPE_CHECKING:
    from assistant.chat import Assistant
    from assistant.settings import Settings
    from assistant.storage.catalog import Catalog

# Seconds: how often the models are asked for while they load, and how long loading waits for the handshake to leave.
_POLL = 0.5
_WARM_DELAY = 0.2


class LibraryAccess:
    """Opens catalog and assistant when they are first needed, each once. Safe to use from several threads."""

    def __init__(self, settings: Settings, assistant: Future[Assistant] | None = None) -> None:
        """Take over an assistant that is loading already, if there is one."""
        self.settings = settings
        self._loading = assistant
        self._lock = threading.RLock()

    @cached_property
    def _catalog(self) -> Catalog:
        return factory.open_catalog(self.settings.home)

    def catalog(self) -> Catalog:
        """Return the catalog, for which no model is loaded. Raises LibraryError."""
        with self._lock:
            return self._catalog

    @property
    def is_ready(self) -> bool:
        """Return whether the models are loaded."""
        future = self._loading
        return future is not None and future.done() and future.exception() is None

    def warm(self) -> None:
        """Begin to load the models in the background, unless they are loading already."""
        self._load(_WARM_DELAY)

    def assistant(self, waiting: Callable[[], None] = lambda: None) -> Assistant:
        """Return the assistant; `waiting` is called again and again until its models are loaded.

        Raises LibraryError and ModelError. A failed attempt is repeated by the next call, as the cause may be gone.
        """
        future = self._load(0)
        while not wait([future], _POLL).done:
            waiting()
        return future.result()

    def close(self) -> None:
        """Release the catalog."""
        with self._lock:
            if "_catalog" in self.__dict__:
                self._catalog.close()

    def _load(self, delay: float) -> Future[Assistant]:
        with self._lock:
            future = self._loading
            if future is None or (future.done() and future.exception() is not None):
                future = self._loading = Future()
                # A daemon, so that the end of the process does not wait for it.
                threading.Thread(target=self._open, args=(future, delay), daemon=True).start()
            return future

    def _open(self, future: Future[Assistant], delay: float) -> None:
        time.sleep(delay)
        try:
            future.set_result(factory.open_assistant(self.settings))
        except BaseException as error:  # raised again to those who wait for the result
            future.set_exception(error)
