"""A message as it is understood, with what every later stage needs of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from assistant.question import intent
from assistant.question.intent import IntentPrediction
from assistant.schema import Query, Scope, Turn

if TYPE_CHECKING:
    from assistant.question.encoder import QuestionEncoder
    from assistant.storage.library import Indexes


@dataclass(frozen=True)
class UserMessage:
    """A message as it is understood in its conversation, and what one state of the library is searched with.

    `scope` is that of the conversation, which the query may narrow. `started` is the reading of the clock at the
    message, in seconds.
    """

    query: Query
    history: Sequence[Turn]
    scope: Scope
    indexes: Indexes
    encoder: QuestionEncoder
    started: float

    @cached_property
    def prediction(self) -> IntentPrediction:
        """Return what the message as typed asks for. Raises ModelError."""
        return intent.predict_message(self.query, self.encoder)
