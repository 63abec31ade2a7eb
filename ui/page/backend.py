"""What all browsers share: the library with its assistant, perhaps still loading, and the file of conversations."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict
from itertools import islice

from assistant import factory
from assistant.chat import Assistant
from assistant.protocols import LLM
from assistant.settings import Settings, changed
from assistant.storage.catalog import Catalog
from assistant.storage.conversations import Conversations
from assistant.storage.library import Library
from ui.page import welcome
from ui.page.ingest_view import SEEDS
from ui.page.session import Choices

_EXAMPLES = 4


class Backend:
    """Opens what the page needs, each once. Safe to use from several threads."""

    def __init__(self, settings: Settings, assistant: Future[Assistant]) -> None:
        """Raises LibraryError where the catalog or the conversations cannot be opened."""
        self.settings = settings
        self.catalog: Catalog = factory.open_catalog(settings.home)
        self._assistant = assistant
        self._conversations = factory.open_conversations(settings.home)
        self._models: dict[str, LLM | None] = {}
        self._lock = threading.Lock()

    @property
    def is_ready(self) -> bool:
        """Whether the models are loaded."""
        return self._assistant.done()

    def conversations(self, owner: str) -> Conversations:
        """The conversations of one owner, who sees no other's."""
        return self._conversations.for_owner(owner)

    def assistant(self, choices: Choices) -> Assistant:
        """The assistant as somebody has chosen it; waits until it is loaded. Raises SettingsError and ModelError."""
        common = self._assistant.result()
        settings = self.check(choices)
        if settings == self.settings:
            return common
        llm = common.llm if settings.llm == self.settings.llm else self._model(settings)
        return Assistant(common.library, settings, llm, common.reranker, common.entailment)

    def library(self) -> Library:
        """The library that everybody shares; waits until it is loaded. Raises PaperchatError where it cannot be."""
        return self._assistant.result().library

    def check(self, choices: Choices) -> Settings:
        """The settings as somebody has chosen them. Raises SettingsError."""
        chosen = {name: value for name, value in asdict(choices).items() if value is not None and name != "filters"}
        settings = changed(self.settings, **chosen)
        # A firm answer is never less sure than a tentative one.
        return settings.model_copy(
            update={"firm_threshold": max(settings.firm_threshold, settings.tentative_threshold)}
        )

    def welcome(self) -> str:
        """What stands where a conversation will be: questions that this very library answers, or what to do first.

        The questions are about the first few papers, which are in no order.
        """
        titles = (paper.title for paper in self.catalog.papers.all() if paper.title and paper.abstract)
        questions = [f"What does “{title}” show?" for title in islice(titles, _EXAMPLES)]
        return welcome.welcome_html(questions, self.catalog.papers.count(), SEEDS.is_dir())

    def close(self) -> None:
        """Release the files."""
        self._conversations.close()
        self.catalog.close()

    def _model(self, settings: Settings) -> LLM | None:
        with self._lock:
            if settings.llm not in self._models:
                self._models[settings.llm] = factory.open_llm(settings)
            return self._models[settings.llm]


def in_background(open_assistant: Callable[[], Assistant]) -> Future[Assistant]:
    """The assistant that a thread opens; a daemon, so that Ctrl+C does not wait for it."""
    future: Future[Assistant] = Future()

    def work() -> None:
        try:
            future.set_result(open_assistant())
        except BaseException as error:  # whoever asks for the result gets it
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return future
