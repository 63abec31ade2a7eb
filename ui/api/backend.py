"""What all requests share: the libraries with their assistants, and the conversations."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from pathlib import Path

from assistant import factory
from assistant.chat import Assistant
from assistant.errors import NotFoundError
from assistant.schema import Answer, Scope, Turn
from assistant.settings import LIBRARIES, Settings
from assistant.storage.catalog import Catalog
from assistant.storage.conversations import Conversations
from assistant.storage.papers import Papers
from ui.api.chat_messages import RecentAnswers


class ApiBackend:
    """Opens what requests need, each part once. Thread-safe.

    The library of the settings is served by the assistant, which may still be loading; other libraries are opened when
    they are first asked for, with the same models.
    """

    def __init__(self, settings: Settings, assistant: Future[Assistant]) -> None:
        """Raise LibraryError if the catalog or the conversations cannot be opened."""
        self.settings = settings
        self.catalog: Catalog = factory.open_catalog(settings.home)
        self._conversations = factory.open_conversations(settings.home)
        self._assistant = assistant
        self._opened: dict[str, Assistant] = {}
        self.recent_answers = RecentAnswers()
        self._lock = threading.Lock()

    @property
    def state(self) -> str:
        """Return whether the models are loading, ok or failed."""
        if not self._assistant.done():
            return "loading"
        return "failed" if self._assistant.exception() else "ok"

    def assistant(self, library: str | None = None) -> Assistant:
        """Return the assistant of a library, once its models are loaded; by default that of the settings.

        Raises NotFoundError for an unknown library, LibraryError for one that cannot be opened, ModelError.
        """
        shared = self._assistant.result()
        if library is None or library == self.settings.library:
            return shared
        with self._lock:
            if library not in self._opened:
                self._opened[library] = self._open(library, shared)
            return self._opened[library]

    def papers(self, library: str | None = None) -> Papers:
        """Return the papers of a library; for those of the settings, no model need be loaded. Raises as `assistant`."""
        return self.assistant(library).library.catalog.papers if library else self.catalog.papers

    def library_names(self) -> list[str]:
        """Return the names of the libraries that have one."""
        folders = (self.settings.shared / LIBRARIES).glob("*")
        return sorted(folder.name for folder in folders if (folder / factory.CATALOG_FILE).exists())

    def conversations(self, owner: str) -> Conversations:
        """Return the conversations of one owner, who sees nobody else's."""
        return self._conversations.for_owner(owner)

    def store(self, owner: str, conversation_id: str, question: str, answer: Answer, scope: Scope) -> int:
        """Add an answered question to a conversation of an owner, and return the number of the turn."""
        [turn_id] = self.conversations(owner).append(conversation_id, [Turn(question, answer, scope)], self.settings)
        return turn_id

    def close(self) -> None:
        """Release the files."""
        for opened in self._opened.values():
            opened.library.close()
        self._conversations.close()
        self.catalog.close()

    def _open(self, name: str, shared: Assistant) -> Assistant:
        if name not in self.library_names():
            raise NotFoundError(f"no library is named {name!r}; paperchat libraries lists them")
        settings = self.settings.model_copy(update={"library": name, "home": _home(self.settings, name)})
        library = factory.open_library(settings, shared.library.embedder)
        calibration = factory.open_calibration(settings, library.embedder)
        models = shared.llm, shared.reranker, shared.entailment, calibration, shared.messages
        return Assistant(library, settings, shared.reader, *models)


def _home(settings: Settings, name: str) -> Path:
    return settings.shared / LIBRARIES / name
