"""What a route needs of the server and of the request: its parts, its caller, and the caller's permissions."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from ui.api.access import Caller
from ui.api.backend import ApiBackend
from ui.api.request_queue import RequestQueue


def _backend(request: Request) -> ApiBackend:
    return cast("ApiBackend", request.app.state.backend).for_caller(_caller(request).permissions)


def _queue(request: Request) -> RequestQueue:
    return RequestQueue(request.app.state.queue, request)


def _caller(request: Request) -> Caller:
    return cast("Caller", request.state.caller)


def _writer(request: Request) -> Caller:
    caller = _caller(request)
    caller.permissions.require_write()
    return caller


Backend = Annotated[ApiBackend, Depends(_backend)]
Queue = Annotated[RequestQueue, Depends(_queue)]
Reader = Annotated[Caller, Depends(_caller)]
Writer = Annotated[Caller, Depends(_writer)]
