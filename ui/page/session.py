"""What one browser tab has on its screen, as values: nothing of it is shared between tabs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assistant.schema import Scope, Turn


@dataclass(frozen=True, slots=True)
class Open:
    """The conversation on the screen: its id once it is kept, and the turn that the next question replaces.

    `asking` is the turn that is being answered, as far as it has come.
    """

    id: str | None = None
    replacing: int | None = None
    asking: Turn | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person has set for this tab; None is what the server's settings say. `filters` go with every question."""

    llm: str | None = None
    papers: int | None = None
    statements: int | None = None
    tentative_from: float | None = None
    filters: str = ""


NOTHING_OPEN, UNCHANGED = Open(), Choices()


@dataclass(frozen=True, slots=True)
class View:
    """What an event changes on the page: states of the tab, parts of the page as HTML, a message to its script.

    None leaves a part as it is.
    """

    open: Open | None = None
    scope: Scope | None = None
    box: str | None = None
    talk: str | None = None
    now: str | None = None
    evidence: str | None = None
    history: str | None = None
    looking: str | None = None
    message: Mapping[str, Any] | None = None
