"""A conversation as it goes on in the terminal: its turns so far, kept one by one."""

from __future__ import annotations

from contextlib import closing

from assistant import factory
from assistant.schema import Turn
from assistant.settings import Settings


class Talk:
    """Turns that are kept under `id`; a conversation that is new gets its id with the first turn that is kept."""

    def __init__(self, settings: Settings, id: str | None = None, title: str = "", turns: list[Turn] | None = None):
        self.id, self.title, self.turns = id, title, turns or []
        self._settings = settings
        self._unkept: list[Turn] = []

    def keep(self, turn: Turn) -> str:
        """Store a turn, after those that could not be stored before, and return its id for the log.

        Raises LibraryError where it cannot be stored.
        """
        self.turns.append(turn)
        self._unkept.append(turn)
        with closing(factory.open_conversations(self._settings.home)) as kept:
            if self.id is None:
                self.id = kept.begin().id
            *_, turn_id = kept.append(self.id, self._unkept, self._settings)
        self._unkept.clear()
        return f"{self.id}-{turn_id}"


def resume(settings: Settings, last: bool, conversation_id: str | None) -> Talk:
    """The last conversation, or the one of an id, or a new one. Raises NotFoundError and LibraryError."""
    if not last and conversation_id is None:
        return Talk(settings)
    with closing(factory.open_conversations(settings.home)) as kept:
        found = kept.latest() if conversation_id is None else kept.find(conversation_id)
        return Talk(settings, found.id, found.title, [stored.turn for stored in kept.turns(found.id)])
