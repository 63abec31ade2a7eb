"""What all requests share: the libraries with their assistants, and the conversations."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from copy import copy
from pathlib import Path

from assistant import factory
from assistant.chat import Assistant
from assistant.errors import NotFoundError
from assistant.settings import Settings
from assistant.storage.catalog import Catalog
from assistant.storage.conversations import Conversations
from assistant.storage.papers import Papers
from ui.api.chat_messages import RecentAnswers
from ui.following import BackgroundRefresh
from ui.operations import Operations
from ui.permissions import UNLIMITED, Permissions
from ui.readiness import ReadinessCheck, models_state


class ApiBackend:
    """Opens what requests need, each part once. Thread-safe.

    The library of the settings is served by the assistant, which may still be loading; other libraries are opened when
    they are first asked for, with the same models.
    """

    def __init__(self, settings: Settings, assistant: Future[Assistant], operations: Operations) -> None:
        """Raise LibraryError if the catalog or the conversations cannot be opened."""
        self.settings = settings
        self.catalog: Catalog = factory.open_catalog(settings)
        self._conversations = {settings.home: factory.open_conversations(settings)}
        self._assistant = assistant
        self._opened: dict[Path, Assistant] = {}
        self.recent_answers = RecentAnswers()
        self.readiness = ReadinessCheck(assistant, self.catalog, operations.lifecycle)
        self.operations = operations
        operations.metrics.watch_library(self.catalog)
        operations.metrics.watch_loading(assistant)
        self._following = BackgroundRefresh(settings, assistant)
        self._lock = threading.Lock()
        self._permissions = UNLIMITED

    def for_caller(self, permissions: Permissions) -> ApiBackend:
        """Return the same backend for a caller: every library that it opens or names is one that the caller may use.

        Its methods raise ForbiddenError for another one.
        """
        restricted = copy(self)
        restricted._permissions = permissions
        return restricted

    @property
    def state(self) -> str:
        """Return whether the models are loading, ok or failed."""
        return models_state(self._assistant)

    def assistant(self, library: str | None = None) -> Assistant:
        """Return the assistant of a library, once its models are loaded; by default that of the settings.

        Raises NotFoundError for an unknown library, LibraryError for one that cannot be opened, ModelError.
        """
        self.require(library)
        shared = self._assistant.result()
        if self._is_served(library):
            return shared
        settings = self.settings_of(library)
        with self._lock:
            if settings.home not in self._opened:
                self._opened[settings.home] = _open(settings, shared)
            return self._opened[settings.home]

    def settings_of(self, library: str | None) -> Settings:
        """Return the settings with a library in place of that which is served. Raises NotFoundError."""
        self.require(library)
        if self._is_served(library):
            return self.settings
        if library is None or library not in self.library_names():
            raise NotFoundError(f"no library is named {library!r}; paperchat libraries lists them")
        return factory.settings_of(self.settings, library)

    def catalog_of(self, library: str | None = None) -> Catalog:
        """Return the catalog of a library; for that of the settings, no model need be loaded. Raises as `assistant`."""
        self.require(library)
        return self.catalog if self._is_served(library) else self.assistant(library).library.catalog

    def papers(self, library: str | None = None) -> Papers:
        """Return the papers of a library, as `catalog_of` does."""
        return self.catalog_of(library).papers

    def library_names(self) -> list[str]:
        """Return the names of the libraries that have one and may be used."""
        return [name for name in factory.library_names(self.settings) if name and self._permissions.may_use(name)]

    @property
    def may_use_served(self) -> bool:
        """Return whether the caller may use the library of the settings."""
        return self._permissions.may_use(self.settings.library)

    def require(self, library: str | None = None) -> None:
        """Raise ForbiddenError where the caller may not use a library, by default that of the settings."""
        self._permissions.require_library(self.settings.library if library is None else library)

    def conversations(self, owner: str, library: str | None = None) -> Conversations:
        """Return the conversations of one owner with a library; nobody else sees them. Raises NotFoundError."""
        settings = self.settings_of(library)
        with self._lock:
            if settings.home not in self._conversations:
                self._conversations[settings.home] = factory.open_conversations(settings)
            return self._conversations[settings.home].for_owner(owner)

    def close(self) -> None:
        """Release the files."""
        self._following.close()
        for opened in self._opened.values():
            opened.library.close()
        for conversations in self._conversations.values():
            conversations.close()
        self.catalog.close()

    def _is_served(self, library: str | None) -> bool:
        return library is None or library == self.settings.library


def _open(settings: Settings, shared: Assistant) -> Assistant:
    """Open the library of the settings with the models of another assistant."""
    library = factory.open_library(settings, shared.library.embedder)
    calibration = factory.open_calibration(settings, library.embedder)
    models = shared.llm, shared.reranker, shared.entailment, calibration, shared.messages
    return Assistant(library, settings, shared.reader, *models)
