"""The MCP server beside page and API, below `/mcp`: with their checks, their models and the caller's permissions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from ui.api.access import Caller
from ui.api.app import MountedApp
from ui.api.backend import ApiBackend
from ui.api.problems import problem_of, problem_response
from ui.mcp.access import LibraryAccess
from ui.mcp.results import paper_uri
from ui.mcp.server import Context, create_server
from ui.mcp.transports import HttpEndpoint
from ui.page.cookies import AsgiApp, AsgiMessage, AsgiReceive, AsgiSend
from ui.permissions import ForbiddenError
from ui.work_queue import WorkQueue

PREFIX = "/mcp"
# Shows a browser the page of a paper.
_PAPERS = "api/v1/papers"


def mount_mcp(backend: ApiBackend, queue: WorkQueue) -> Sequence[MountedApp]:
    """Return the server over the library of an API. Papers are added where the settings and the token allow it."""

    def may_write(context: Context) -> bool:
        if context.request is None or not backend.settings.mcp_add:
            return False
        return bool(_caller(context.request.scope).permissions.may_write)

    def paper_address(context: Context, paper_id: str) -> str:
        return f"{context.request.base_url}{_PAPERS}/{paper_id}" if context.request else paper_uri(paper_id)

    access = LibraryAccess(
        backend.settings, backend.assistant, lambda: backend.catalog, backend.operations.metrics.question
    )
    endpoint = HttpEndpoint(create_server(access, may_write, paper_address, queue))
    return [MountedApp(PREFIX, _PermittedCallers(endpoint, backend.settings.library), endpoint.run)]


class _PermittedCallers:
    """An ASGI middleware that refuses callers who may not use the library."""

    def __init__(self, app: AsgiApp, library: str | None) -> None:
        self._app, self._library = app, library

    async def __call__(self, scope: AsgiMessage, receive: AsgiReceive, send: AsgiSend) -> None:
        try:
            _caller(scope).permissions.require_library(self._library)
        except ForbiddenError as error:
            refused: Any = problem_response(scope["path"], problem_of(error))
            await refused(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _caller(scope: AsgiMessage) -> Caller:
    return cast("Caller", scope["state"]["caller"])
