"""paperchat's core: answers questions from a library of research-paper abstracts, with citations."""

import logging

from assistant.chat import Assistant
from assistant.errors import PaperchatError
from assistant.factory import open_assistant
from assistant.schema import (
    Answer,
    Citation,
    Filters,
    Hit,
    Paper,
    Passage,
    Query,
    Scope,
    SearchResult,
    Strength,
    Turn,
    Verdict,
    Verification,
)

__all__ = [
    "Answer",
    "Assistant",
    "Citation",
    "Filters",
    "Hit",
    "Paper",
    "PaperchatError",
    "Passage",
    "Query",
    "Scope",
    "SearchResult",
    "Strength",
    "Turn",
    "Verdict",
    "Verification",
    "open_assistant",
]

logging.getLogger(__name__).addHandler(logging.NullHandler())
