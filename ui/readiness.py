"""Whether a server can answer: its models are loaded, its catalog can be read, its vector store can be reached."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ui.background import run_in_background
from ui.lifecycle import Lifecycle

if TYPE_CHECKING:
    from assistant.chat import Assistant
    from assistant.storage.catalog import Catalog

logger = logging.getLogger(__name__)

OK, LOADING, FAILED, STOPPING = "ok", "loading", "failed", "stopping"
UNREADABLE, UNREACHABLE, SILENT = "unreadable", "unreachable", "silent"
# Seconds: how long a part has time to reply, and for how long a result is used again, whoever wants it.
_PATIENCE, _FRESH = 5.0, 1.0


@dataclass(frozen=True, slots=True)
class Readiness:
    """The state of each part by its name, one of the words above: no address, no message, no secret."""

    parts: dict[str, str]

    @property
    def is_ready(self) -> bool:
        """Return whether every part is in order."""
        return set(self.parts.values()) <= {OK}


class ReadinessCheck:
    """Checks the parts of a server, one check at a time however many want to know. For one event loop."""

    def __init__(
        self,
        assistant: Future[Assistant],
        catalog: Catalog,
        lifecycle: Lifecycle,
        now: Callable[[], float] = time.monotonic,
        patience: float = _PATIENCE,
    ) -> None:
        """`now` is a clock in seconds; a part that takes longer than `patience` counts as silent."""
        self._assistant, self._catalog, self._lifecycle = assistant, catalog, lifecycle
        self._now, self._patience = now, patience
        self._storage: dict[str, str] = {}
        self._running: Future[None] | None = None
        self._checked = float("-inf")

    async def readiness(self) -> Readiness:
        """Return the state of each part. What does not reply in time is silent, and is not asked again meanwhile."""
        models = models_state(self._assistant)
        if self._now() - self._checked > _FRESH and not self._lifecycle.is_stopping:
            await self._check_storage()
        server = STOPPING if self._lifecycle.is_stopping else OK
        return Readiness({"server": server, "models": models, **self._storage})

    async def _check_storage(self) -> None:
        if self._running is None or self._running.done():
            self._storage = {"catalog": SILENT, "store": SILENT}
            self._running = run_in_background(self._ask_storage, "readiness")
        done, _ = await asyncio.wait({asyncio.wrap_future(self._running)}, timeout=self._patience)
        if done:
            self._checked = self._now()

    def _ask_storage(self) -> None:
        """Read the catalog, then the vector store, and note what each is like."""
        states = self._storage
        states["catalog"] = _state(lambda: self._catalog.ledger.generation, UNREADABLE)
        models = models_state(self._assistant)
        states["store"] = models if models != OK else _state(self._ask_store, UNREACHABLE)

    def _ask_store(self) -> bool:
        return self._assistant.result().library.store.is_empty()


def models_state(assistant: Future[Assistant]) -> str:
    """Return whether the models of an assistant are loading, ok, or failed to load."""
    if not assistant.done():
        return LOADING
    return FAILED if assistant.exception() else OK


def _state(ask: Callable[[], object], otherwise: str) -> str:
    try:
        ask()
    except Exception as error:  # whatever is wrong: it is what the check is for
        logger.warning("not ready: %s", type(error).__name__)
        return otherwise
    return OK
