"""A question, and the conversation before it, to a query that stands on its own."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.errors import InputError
from assistant.schema import Query, Turn

# Words that point back at something said before, where they stand for a whole noun phrase.
_POINTER = re.compile(
    r"\b(?:it|its|they|them|their|theirs|these|those|this|that one|he|she|his|her"
    r"|the (?:first|second|third|last|other|same) (?:one|paper|method)"
    r"|the (?:paper|authors?|method|approach|model|dataset|results?))\b",
    re.IGNORECASE,
)
# Openings of a question that continues the one before.
_CONTINUATION = re.compile(
    r"\s*(?:and|but|or|so|also|what about|how about|why|how so|which ones?|tell me more|more)\b", re.IGNORECASE
)
# A question of fewer content words that opens so is no question on its own.
_FEW_WORDS = 6


def understand(question: str, history: Sequence[Turn] = (), limit: int = 4000) -> Query:
    """The query of a question; one that leans on the conversation takes the question before it along.

    Raises InputError where the question is longer than `limit` characters.
    """
    # A broken byte on the command line, or half an escaped character in JSON, is no text that can be encoded.
    text = " ".join(question.encode("utf-8", "replace").decode("utf-8").split())
    if len(text) > limit:
        raise InputError("question", f"{len(text):,} characters are too many for a question (most: {limit:,})")
    if history and _leans_on_history(text):
        return Query(text, f"{_subject(history)} {text}")
    return Query(text, text)


def _subject(history: Sequence[Turn]) -> str:
    """The last question that stood on its own."""
    own = (turn.answer.question for turn in reversed(history) if not _leans_on_history(turn.answer.question))
    return next(own, history[0].answer.question)


def _leans_on_history(text: str) -> bool:
    short = len(text.split()) < _FEW_WORDS
    return bool(_POINTER.search(text)) or (short and bool(_CONTINUATION.match(text)))
