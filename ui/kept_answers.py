"""Stored answers as they are shown: with what has been announced about their papers since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.storage.catalog import Catalog
    from assistant.storage.conversation_schema import StoredTurn


def with_notices(stored: Sequence[StoredTurn], catalog: Catalog) -> list[StoredTurn]:
    """Return stored turns whose papers carry the present notices. Raises LibraryError."""
    return [
        replace(one_turn, turn=replace(one_turn.turn, answer=catalog.notices.current(one_turn.turn.answer)))
        for one_turn in stored
    ]
