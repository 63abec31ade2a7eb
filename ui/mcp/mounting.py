"""The MCP server beside page and API, below `/mcp`: with their checks, their models and the scope of the token."""

from __future__ import annotations

from collections.abc import Sequence

from ui.api.app import MountedApp
from ui.api.backend import ApiBackend
from ui.api.tokens import TokenScope
from ui.mcp.access import LibraryAccess
from ui.mcp.results import paper_uri
from ui.mcp.server import Context, create_server
from ui.mcp.transports import HttpEndpoint
from ui.work_queue import WorkQueue

PREFIX = "/mcp"
# Shows a browser the page of a paper.
_PAPERS = "api/v1/papers"


def mount_mcp(backend: ApiBackend, queue: WorkQueue) -> Sequence[MountedApp]:
    """Return the server over the library of an API. Papers are added where the settings and the token allow it."""

    def may_write(context: Context) -> bool:
        if context.request is None or not backend.settings.mcp_add:
            return False
        return context.request.scope["state"]["caller"].scope is TokenScope.WRITE

    def paper_address(context: Context, paper_id: str) -> str:
        return f"{context.request.base_url}{_PAPERS}/{paper_id}" if context.request else paper_uri(paper_id)

    access = LibraryAccess(backend.settings, backend.assistant, lambda: backend.catalog)
    endpoint = HttpEndpoint(create_server(access, may_write, paper_address, queue))
    return [MountedApp(PREFIX, endpoint, endpoint.run)]
