"""What all browsers share: the library with its assistant, which may still be loading, and the conversations."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import asdict

from assistant import factory
from assistant.chat import Assistant
from assistant.protocols import LLM
from assistant.settings import Settings, changed
from assistant.storage.catalog import Catalog
from assistant.storage.conversation_schema import StoredTurn
from assistant.storage.conversations import Conversations
from assistant.storage.library import Library
from assistant.topic_map import TopicMap, map_library
from ui.kept_answers import with_notices
from ui.operations import Operations
from ui.page import welcome
from ui.page.examples import ExampleQuestions
from ui.page.session import TabSettings


class PageBackend:
    """Opens what the page needs, each part once. Thread-safe."""

    def __init__(self, settings: Settings, assistant: Future[Assistant], operations: Operations | None = None) -> None:
        """Raise LibraryError if the catalog or the conversations cannot be opened."""
        self.settings, self.operations = settings, operations or Operations()
        self.catalog: Catalog = factory.open_catalog(settings)
        self._assistant = assistant
        self._conversations = factory.open_conversations(settings)
        self._models: dict[str, LLM | None] = {}
        self._lock, self._map_lock = threading.Lock(), threading.Lock()
        self._map: tuple[int, TopicMap] | None = None
        self._examples = ExampleQuestions(self.catalog, assistant, settings.home / "examples.json")

    @property
    def is_ready(self) -> bool:
        """Tell whether the models are loaded."""
        return self._assistant.done()

    def conversations(self, owner: str) -> Conversations:
        """Return the conversations of one owner, who sees nobody else's."""
        return self._conversations.for_owner(owner)

    def linked_turn(self, token: str) -> StoredTurn:
        """Return the turn, of any owner, that a link leads to. Raises NotFoundError."""
        return with_notices([self._conversations.linked_turn(token)], self.catalog)[0]

    def assistant(self, tab: TabSettings) -> Assistant:
        """Return the assistant with a tab's settings, once it is loaded. Raises SettingsError and ModelError."""
        shared = self._assistant.result()
        settings = self.apply(tab)
        if settings == self.settings:
            return shared
        llm = shared.llm if settings.llm == self.settings.llm else self._model(settings)
        return shared.configured(settings, llm)

    def shared_assistant(self) -> Assistant:
        """Return the assistant with the settings of the server, once it is loaded. Raises PaperchatError."""
        return self._assistant.result()

    def library(self) -> Library:
        """Return the shared library, once it is loaded. Raises PaperchatError if it cannot be."""
        return self._assistant.result().library

    def topic_map(self) -> TopicMap:
        """Return the map of the library, drawn once for each state of it. Raises PaperchatError."""
        library = self.library()
        with self._map_lock:
            generation = library.catalog.ledger.generation
            if self._map is None or self._map[0] != generation:
                self._map = (generation, map_library(library, self.settings.home))
            return self._map[1]

    def apply(self, tab: TabSettings) -> Settings:
        """Return the settings with a tab's own applied. Raises SettingsError."""
        values = {name: value for name, value in asdict(tab).items() if value is not None and name != "filters"}
        settings = changed(self.settings, **values)
        # A firm answer is never less certain than a tentative one.
        firm_threshold = max(settings.firm_threshold, settings.tentative_threshold)
        return settings.model_copy(update={"firm_threshold": firm_threshold})

    def welcome_html(self) -> str:
        """Return what stands in place of a conversation: questions about topics, or how to fill the library."""
        return welcome.welcome_html(self._examples.questions(), self.catalog.papers.count())

    def close(self) -> None:
        """Release the files."""
        self._examples.close()
        self._conversations.close()
        self.catalog.close()

    def _model(self, settings: Settings) -> LLM | None:
        with self._lock:
            if settings.llm not in self._models:
                self._models[settings.llm] = factory.open_llm(settings)
            return self._models[settings.llm]
