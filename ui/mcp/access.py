"""Access to the library for the tools: the catalog at once, the assistant as soon as its models are loaded."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from assistant import factory
from ui.background import load_in_background
from ui.logs import QuestionObserver

if TYPE_CHECKING:
    from assistant.chat import Assistant
    from assistant.settings import Settings
    from assistant.storage.catalog import Catalog

# Seconds: how often the models are asked for while they load, and how long loading waits for the handshake to leave.
_POLL = 0.5
_WARM_DELAY = 0.2


class LibraryAccess:
    """Opens catalog and assistant when they are first needed, each once. Safe to use from several threads."""

    def __init__(
        self,
        settings: Settings,
        open_assistant: Callable[[], Assistant] | None = None,
        open_catalog: Callable[[], Catalog] | None = None,
        observe: QuestionObserver | None = None,
    ) -> None:
        """Open them by these functions, by default those of the library of the settings; `observe` counts questions."""
        self.settings, self.observe = settings, observe
        self._open_assistant = open_assistant or partial(factory.open_assistant, settings)
        self._open_catalog = open_catalog or partial(factory.open_catalog, settings)
        self._assistant: Future[Assistant] | None = None
        self._catalog: Catalog | None = None
        self._lock, self._writing = threading.Lock(), threading.Lock()

    def catalog(self) -> Catalog:
        """Return the catalog, for which no model is loaded. Raises LibraryError."""
        with self._lock:
            self._catalog = self._catalog or self._open_catalog()
            return self._catalog

    @property
    def is_ready(self) -> bool:
        """Return whether the models are loaded."""
        future = self._assistant
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

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Wait until no other call of this process writes to the library, and keep the others waiting."""
        with self._writing:
            yield

    def _load(self, delay: float) -> Future[Assistant]:
        def open_after_delay() -> Assistant:
            time.sleep(delay)
            return self._open_assistant()

        with self._lock:
            future = self._assistant
            if future is None or (future.done() and future.exception() is not None):
                future = self._assistant = load_in_background(open_after_delay)
            return future
