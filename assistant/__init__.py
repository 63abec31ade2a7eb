"""paperchat's core: answers questions from a library of research-paper abstracts, with citations."""

import importlib
import logging
import typing

if typing.TYPE_CHECKING:
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


# Where the public names are defined that are not values of the schema. They are imported when they are first used:
# every command line imports this package, and most need a part of it.
_MODULES = {
    "Assistant": "chat",
    "PaperchatError": "errors",
    "Settings": "settings",
    "load_settings": "settings",
    "open_assistant": "factory",
    "open_library": "factory",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used. Raise AttributeError for any other name."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_MODULES.get(name, 'schema')}")
    globals()[name] = getattr(module, "load" if name == "load_settings" else name)
    return globals()[name]
