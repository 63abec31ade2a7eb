"""A message as it is understood, with what every later stage needs of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.question import intent
from assistant.question.intent import IntentPrediction
from assistant.schema import Query, Turn

if TYPE_CHECKING:
    from assistant.question.encoder import QuestionEncoder
    from assistant.storage.library import Indexes


@dataclass(frozen=True, slots=True)
class UserMessage:
    """A message as it is understood in its conversation, and what one state of the library is searched with.

    `started` is the reading of the clock at the message, in seconds.
    """

    query: Query
    history: Sequence[Turn]
    indexes: Indexes
    encoder: QuestionEncoder
    started: float

    @property
    def prediction(self) -> IntentPrediction:
        """Return what the message as typed asks for. Raises ModelError."""
        return intent.predict_message(self.query, self.encoder)
