"""paperchat's core: answers questions from a library of research-paper abstracts, with citations."""

from assistant.chat import Assistant
from assistant.errors import PaperchatError
from assistant.schema import Answer, Citation, Hit, Paper, Passage, Query, SearchResult, Strength, Turn, Verdict
from assistant.wiring import open_assistant

__all__ = [
    "Answer",
    "Assistant",
    "Citation",
    "Hit",
    "Paper",
    "PaperchatError",
    "Passage",
    "Query",
    "SearchResult",
    "Strength",
    "Turn",
    "Verdict",
    "open_assistant",
]
