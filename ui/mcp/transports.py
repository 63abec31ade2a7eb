"""The two ways to a server: standard input and output, and Streamable HTTP as an ASGI application."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import AbstractAsyncContextManager
from typing import Any

import anyio
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings

from ui.mcp.access import LibraryAccess

# Sessions that are open at once, and seconds after which one without a request ends.
_MAX_SESSIONS, _IDLE_SECONDS = 1000, 1800.0
# Seconds that the last answer may take to be written to a client that has closed its side.
_LAST_WRITE_SECONDS = 1.0
# What the end of the client looks like from within.
_DISCONNECTED = (BrokenPipeError, anyio.BrokenResourceError, anyio.ClosedResourceError)


def serve_stdio(server: Server[Any], access: LibraryAccess) -> None:
    """Serve one client over standard input and output, until it closes them; then end the process.

    While it serves, whatever else is printed goes to standard error. The process ends without waiting for threads that
    still load a model or read for a call that nobody waits for; what is being written is finished.
    """
    code = 0
    try:
        anyio.run(_serve_stdio, server, access)
    except KeyboardInterrupt:
        code = 130
    except BaseExceptionGroup as group:
        if group.split(_DISCONNECTED)[1] is not None:
            raise
    except _DISCONNECTED:
        pass
    _end(access, code)


async def _serve_stdio(server: Server[Any], access: LibraryAccess) -> None:
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())
        # A client that has stopped reading holds up the answer that is being written to it, and with it the end.
        last_write = threading.Timer(_LAST_WRITE_SECONDS, _end, (access, 0))
        last_write.daemon = True
        last_write.start()


def _end(access: LibraryAccess, code: int) -> None:
    """End the process as soon as nothing is being written to the library."""
    with access.writing():
        sys.stderr.flush()
        os._exit(code)


class HttpEndpoint:
    """Streamable HTTP: an ASGI application for the path that it is mounted at, which works while `run` is entered.

    Credentials, Host and Origin are checked by the application that mounts it, or by `security`.
    """

    def __init__(self, server: Server[Any], security: TransportSecuritySettings | None = None) -> None:
        self._manager = StreamableHTTPSessionManager(
            app=server,
            security_settings=security,
            max_sessions=_MAX_SESSIONS,
            session_idle_timeout=_IDLE_SECONDS,
        )

    def run(self) -> AbstractAsyncContextManager[None]:
        """Return the context in which requests are served, to be entered once, in the lifespan of the application."""
        return self._manager.run()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one HTTP request."""
        await self._manager.handle_request(scope, receive, send)
