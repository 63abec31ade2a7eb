"""paperchat's core: answers questions from a library of research-paper abstracts, with citations."""

import logging
import typing

from assistant.chat import Assistant
from assistant.errors import PaperchatError
from assistant.factory import open_assistant, open_library
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

if typing.TYPE_CHECKING:
    from assistant.settings import Settings
    from assistant.settings import load as load_settings

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
    "Settings",
    "Strength",
    "Turn",
    "Verdict",
    "Verification",
    "load_settings",
    "open_assistant",
    "open_library",
]

logging.getLogger(__name__).addHandler(logging.NullHandler())


# The settings are validated by pydantic, which `import assistant` must not load.
_LAZY = {"Settings": "Settings", "load_settings": "load"}


def __getattr__(name: str) -> object:
    """Import the public names of the settings when they are first used. Raise AttributeError for any other name."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from assistant import settings

    globals()[name] = getattr(settings, _LAZY[name])
    return globals()[name]
