"""What a provider's error means: whether another attempt may succeed, and one line about it to show.

Each provider has exceptions of its own. Their classes are not imported, because that would import the provider: what
they have in common, an HTTP status and the errors that they were raised from, is enough.
"""

from __future__ import annotations

import os

from assistant.errors import causes
from assistant.llm.providers import PROVIDERS, Provider
from assistant.llm.streaming import LimitReached
from assistant.text.printable import one_line

# What the HTTP libraries of the providers raise when a connection is lost.
_CONNECTION_ERRORS = {"ReadError", "WriteError", "RemoteProtocolError"}
_KEY_REFUSED = (401, 403)
_NOT_FOUND = 404
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
_MAX_LENGTH = 300


def is_transient(error: BaseException) -> bool:
    """Return whether the same request may succeed later: a rate limit, a server's error, a lost connection."""
    status = _status(error)
    if status:
        return status == _TOO_MANY_REQUESTS or status >= _SERVER_ERROR
    return any(
        isinstance(cause, ConnectionError) or type(cause).__name__ in _CONNECTION_ERRORS for cause in causes(error)
    )


def describe(error: Exception, model: str) -> str:
    """Return one printable line on what went wrong with a model, and the remedy if there is one."""
    provider = PROVIDERS.get(model.partition("/")[0])
    message = _message(error)
    if isinstance(error, LimitReached) or provider is None:
        return message
    if status := _status(error):
        return f"{message} (status {status}){_remedy(status, provider)}"
    chain = list(causes(error))
    if any(isinstance(cause, UnicodeDecodeError) for cause in chain):
        return "its reply is not UTF-8 text"
    if any(type(cause).__name__ == "JSONDecodeError" for cause in chain):
        return f"its reply is not valid JSON: {message}"
    if provider.server and any(isinstance(cause, OSError) for cause in chain):
        return f"no connection to {provider.server} ({message}); is the server running?"
    return message


def _remedy(status: int, provider: Provider) -> str:
    if status in _KEY_REFUSED and provider.key_variable:
        state = "was refused" if os.environ.get(provider.key_variable) else "is not set"
        return f"; {provider.key_variable} {state}"
    return "; run paperchat models to list the available ones" if status == _NOT_FOUND else ""


def _status(error: BaseException) -> int:
    """Return the HTTP status of an error, or 0 if it has none."""
    status = getattr(error, "status_code", 0)
    return status if isinstance(status, int) and status > 0 else 0


def _message(error: Exception) -> str:
    """Return the first line of the server's message or, without one, of the exception's."""
    body = getattr(error, "body", None)
    details = body.get("error", body) if isinstance(body, dict) else None
    message = details.get("message") if isinstance(details, dict) else None
    lines = str(message or error).strip().splitlines() or [type(error).__name__]
    return one_line(lines[0])[:_MAX_LENGTH]
