"""The HTTP request that is being answered: its id, its route and its caller, as every thread that works for it sees."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
UNMATCHED = "unmatched"
# Ids that others may choose: no spaces and no control characters, so that a log stays readable.
_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)


@dataclass(slots=True)
class RequestFacts:
    """What is known of a request; what follows its id is filled in on its way.

    `route` is a template without values, `error` the kind of error that the caller was told of.
    """

    id: str
    caller: str = ""
    route: str = UNMATCHED
    error: str = ""


_CURRENT: ContextVar[RequestFacts | None] = ContextVar("request", default=None)


def current_request() -> RequestFacts | None:
    """Return the request that this thread or task works for; None outside a request."""
    return _CURRENT.get()


def request_id() -> str:
    """Return the id of the request that this thread or task works for; empty outside a request."""
    request = _CURRENT.get()
    return request.id if request else ""


def chosen_id(offered: str) -> str:
    """Return the id that a client or a proxy has chosen, or a new one where that is no valid id."""
    return offered if _ID.fullmatch(offered) else secrets.token_hex(8)


@contextmanager
def answering(request: RequestFacts) -> Iterator[None]:
    """Work for a request: its id is in every line of the log meanwhile."""
    token = _CURRENT.set(request)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def on_behalf_of(request: RequestFacts, items: Iterator[T]) -> Iterator[T]:
    """Yield the items of an iterator that works for a request, whichever threads take them one by one."""
    context = copy_context()
    context.run(_CURRENT.set, request)
    try:
        while True:
            with suppress(StopIteration):
                yield context.run(next, items)
                continue
            return
    finally:
        if close := getattr(items, "close", None):
            context.run(close)
