"""What an error of a model's provider means: whether it passes by itself, and one line on it for the person.

Each provider has exceptions of its own. What they share is read from them: the status of an HTTP reply, and the errors
that they were raised from. Their classes are not imported, for that would import the provider.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from assistant.llm.providers import PROVIDERS, Provider
from assistant.llm.streaming import LimitReached

# What the HTTP libraries of the providers raise where a connection is lost.
_LOST = {"ReadError", "WriteError", "RemoteProtocolError"}
_REFUSED_KEY = (401, 403)
_UNKNOWN = 404
_TOO_MANY = 429
_SERVER_ERROR = 500
_LONGEST = 300


def is_passing(error: Exception) -> bool:
    """Whether the same request may succeed a little later: too many of them, a server's error, a lost connection."""
    status = _status(error)
    if status:
        return status == _TOO_MANY or status >= _SERVER_ERROR
    return any(isinstance(each, ConnectionError) or type(each).__name__ in _LOST for each in chain(error))


def in_words(error: Exception, name: str) -> str:
    """What went wrong with the model of this name, and the cure where there is one, in one line."""
    provider = PROVIDERS.get(name.partition("/")[0])
    said = _said(error)
    if isinstance(error, LimitReached) or provider is None:
        return said
    if status := _status(error):
        return f"{said} (status {status}){_cure_of_status(status, provider)}"
    if any(isinstance(each, UnicodeDecodeError) for each in chain(error)):
        return "what it sent is not UTF-8 text"
    if any(type(each).__name__ == "JSONDecodeError" for each in chain(error)):
        return f"what it sent is not JSON: {said}"
    if provider.server and any(isinstance(each, OSError) for each in chain(error)):
        return f"no connection to {provider.server} ({said}); is the server running?"
    return said


def _cure_of_status(status: int, provider: Provider) -> str:
    if status in _REFUSED_KEY and provider.key:
        state = "is refused" if os.environ.get(provider.key) else "is not set"
        return f"; {provider.key} {state}"
    if status == _UNKNOWN:
        return "; paperchat models lists what there is"
    return ""


def _status(error: Exception) -> int:
    """The status of the HTTP reply behind an error; 0 where there was none."""
    status = getattr(error, "status_code", 0)
    return status if isinstance(status, int) and status > 0 else 0


def _said(error: Exception) -> str:
    """What the server or the exception says, its first line."""
    body = getattr(error, "body", None)
    inner = body.get("error", body) if isinstance(body, dict) else None
    message = inner.get("message") if isinstance(inner, dict) else None
    lines = str(message or error).strip().splitlines() or [type(error).__name__]
    return lines[0][:_LONGEST]


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what it was raised from, and so on."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            yield from error.exceptions
        error = error.__cause__ or error.__context__
