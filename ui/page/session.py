"""The state of one browser tab, as values; tabs share none of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assistant.schema import Scope, Turn


@dataclass(frozen=True, slots=True)
class OpenConversation:
    """The conversation on the screen: its id once it is stored, and the turn that the next question replaces.

    `pending` is the turn that is being answered, with the answer so far.
    """

    id: str | None = None
    replacing: int | None = None
    pending: Turn | None = None


@dataclass(frozen=True, slots=True)
class TabSettings:
    """The settings of this tab; None stands for the server's. `filters` are added to every question."""

    llm: str | None = None
    top_k: int | None = None
    max_sentences: int | None = None
    tentative_threshold: float | None = None
    filters: str = ""
    strategy: str | None = None


NEW_CONVERSATION, SERVER_SETTINGS = OpenConversation(), TabSettings()


@dataclass(frozen=True, slots=True)
class PageUpdate:
    """What an event changes: states of the tab, parts of the page as HTML, and a message to its script.

    None leaves a part unchanged. `pending` is the turn below the stored `turns`; `question` fills the input box.
    """

    conversation: OpenConversation | None = None
    scope: Scope | None = None
    question: str | None = None
    turns: str | None = None
    pending: str | None = None
    evidence: str | None = None
    history: str | None = None
    scope_bar: str | None = None
    message: Mapping[str, Any] | None = None
