"""What a route needs of the server and of the request: its parts, its caller, and the check of the caller's scope."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from ui.api.access import Caller
from ui.api.backend import ApiBackend
from ui.api.problems import ProblemError
from ui.api.tokens import TokenScope
from ui.api.work_queue import WorkQueue


def _backend(request: Request) -> ApiBackend:
    return cast("ApiBackend", request.app.state.backend)


def _queue(request: Request) -> WorkQueue:
    return cast("WorkQueue", request.app.state.queue)


def _caller(request: Request) -> Caller:
    return cast("Caller", request.state.caller)


def _writer(request: Request) -> Caller:
    caller = _caller(request)
    if caller.scope is not TokenScope.WRITE:
        raise ProblemError(403, "This token may read only; papers are changed with one of scope write.", "scope")
    return caller


Backend = Annotated[ApiBackend, Depends(_backend)]
Queue = Annotated[WorkQueue, Depends(_queue)]
Reader = Annotated[Caller, Depends(_caller)]
Writer = Annotated[Caller, Depends(_writer)]
