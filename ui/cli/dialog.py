"""A dialog in the terminal: its turns so far, each stored once it is answered."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import typer

from assistant import factory
from assistant.schema import EVERYTHING, Answer, Scope, Turn

if TYPE_CHECKING:
    from assistant.chat import Assistant
    from assistant.settings import Settings


class Dialog:
    """The turns of a conversation; a new conversation has no `id` until its first turn is stored."""

    def __init__(self, settings: Settings, id: str | None = None, title: str = "", turns: list[Turn] | None = None):
        self.id, self.title, self.turns = id, title, turns or []
        self._settings = settings
        self._pending: list[Turn] = []

    def store(self, turn: Turn) -> str:
        """Add a turn and store it, with those before it that could not be stored; return its id for the log.

        Raises LibraryError where it cannot be stored.
        """
        self.turns.append(turn)
        self._pending.append(turn)
        with closing(factory.open_conversations(self._settings)) as conversations:
            if self.id is None:
                self.id = conversations.begin().id
            *_, turn_id = conversations.append(self.id, self._pending, self._settings)
        self._pending.clear()
        return f"{self.id}-{turn_id}"


def resume(settings: Settings, last: bool, conversation_id: str | None) -> Dialog:
    """Return the last conversation, the one with this id, or a new one. Raises NotFoundError and LibraryError."""
    if not last and conversation_id is None:
        return Dialog(settings)
    with closing(factory.open_conversations(settings)) as conversations:
        stored = conversations.latest() if conversation_id is None else conversations.find(conversation_id)
        turns = [stored_turn.turn for stored_turn in conversations.turns(stored.id)]
    return Dialog(settings, stored.id, stored.title, turns)


def ask_with_progress(
    assistant: Assistant, question: str, history: Sequence[Turn], scope: Scope = EVERYTHING
) -> Answer:
    """Return the answer; on a terminal, say on standard error what a strategy of several calls is doing.

    Raises as `Assistant.ask` does.
    """
    progress = ""
    for answer in assistant.stream(question, history, scope):
        if answer.progress and answer.progress != progress and sys.stderr.isatty():
            typer.echo(f"{answer.progress} ...", err=True)
        progress = answer.progress
    return answer
