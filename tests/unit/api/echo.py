"""An application to mount beside the API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.responses import PlainTextResponse

from ui.api.app import MountedApp
from ui.api.backend import ApiBackend
from ui.work_queue import WorkQueue


class Echo:
    """Replies with its path, its caller's role, the state of the models, and whether it is open."""

    def __init__(self) -> None:
        self.is_open = False

    def mounts(self, backend: ApiBackend, _: WorkQueue) -> list[MountedApp]:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            text = f"{scope['path']} {scope['state']['caller'].permissions.role.value} {backend.state} {self.is_open}"
            await PlainTextResponse(text)(scope, receive, send)

        @asynccontextmanager
        async def opened() -> AsyncIterator[None]:
            self.is_open = True
            yield
            self.is_open = False

        return [MountedApp("/mcp", app, opened)]
