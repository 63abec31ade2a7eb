"""The outermost part of every server: it gives each request its id, and logs one line when it has been answered."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from ui.api.operations_routes import PATHS as OPERATIONS_PATHS
from ui.logs import log_event
from ui.metrics import ServerMetrics
from ui.page.cookies import AsgiApp, AsgiMessage, AsgiReceive, AsgiSend
from ui.request_context import UNMATCHED, RequestFacts, answering, chosen_id, current_request

logger = logging.getLogger(__name__)

HEADER = b"x-request-id"
# The client went away before the reply began. The number is that of nginx.
_CLIENT_CLOSED = 499
# Files of the page, dozens for one visit, and what is asked every few seconds; both are logged at debug.
_QUIET_ROUTES = ("/assets/", "/static/", "/custom_component/", "/svelte/", "/theme", "/favicon.ico", *OPERATIONS_PATHS)
NameCaller = Callable[[AsgiMessage], str]


class RequestLog:
    """An ASGI middleware that answers each request under an id, which the reply has as `X-Request-ID`.

    A valid id of the client or of a proxy is used. `name_caller` names who sent a request where no check within the
    application has done so.
    """

    def __init__(self, app: AsgiApp, metrics: ServerMetrics, name_caller: NameCaller = lambda _: "") -> None:
        self.app, self._metrics, self._name_caller = app, metrics, name_caller

    async def __call__(self, scope: AsgiMessage, receive: AsgiReceive, send: AsgiSend) -> None:
        """Pass a request on under its id."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request, reply = RequestFacts(_offered_id(scope)), _Reply(send)
        scope.setdefault("state", {})["request"] = request
        reply.headers = [(HEADER, request.id.encode())]
        started = time.perf_counter()
        with answering(request):
            try:
                await self.app(scope, receive, reply)
            except Exception:
                reply.status = reply.status or 500
                raise
            finally:
                status, seconds = reply.status or _CLIENT_CLOSED, time.perf_counter() - started
                request.route = _route_of(scope, request)
                self._count(scope["method"], request, status, seconds)
                self._log(scope, request, status, 1000 * seconds)

    def _count(self, method: str, request: RequestFacts, status: int, seconds: float) -> None:
        self._metrics.request(method, request.route, status, seconds)
        if request.error:
            self._metrics.error(request.error)

    def _log(self, scope: AsgiMessage, request: RequestFacts, status: int, elapsed_ms: float) -> None:
        route = request.route
        level = logging.DEBUG if route.startswith(_QUIET_ROUTES) else logging.INFO
        caller = request.caller or self._name_caller(scope)
        facts = {"method": scope["method"], "route": route, "status": status, "ms": round(elapsed_ms, 1)}
        more = {"caller": caller, "error": request.error}
        log_event(logger, level, "request", facts | {name: value for name, value in more.items() if value})


class _Reply:
    """Sends a reply with further headers, and remembers its status; 0 while it has not begun."""

    def __init__(self, send: AsgiSend) -> None:
        self._send = send
        self.status, self.headers = 0, list[tuple[bytes, bytes]]()

    async def __call__(self, message: AsgiMessage) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message = message | {"headers": [*message["headers"], *self.headers]}
        await self._send(message)


class RouteName:
    """An ASGI middleware that notes the route of a request, once the application within has found it."""

    def __init__(self, app: AsgiApp, name: Callable[[AsgiMessage], str]) -> None:
        """`name` returns the template of the route from the scope that the application has filled in."""
        self.app, self._name = app, name

    async def __call__(self, scope: AsgiMessage, receive: AsgiReceive, send: AsgiSend) -> None:
        """Pass a request on."""
        try:
            await self.app(scope, receive, send)
        finally:
            if request := current_request():
                request.route = self._name(scope)


def endpoint_names(app: AsgiApp, templates: Mapping[object, str]) -> RouteName:
    """Return an application that notes its routes, given the templates by the functions that answer them."""
    return RouteName(app, lambda scope: templates.get(scope.get("endpoint"), UNMATCHED))


def _route_of(scope: AsgiMessage, request: RequestFacts) -> str:
    """Return the template of the route: what was noted, or what the page's own routes have left in the scope."""
    route: Any = scope.get("route")
    return request.route if request.route != UNMATCHED else getattr(route, "path", UNMATCHED)


def _offered_id(scope: AsgiMessage) -> str:
    offered = next((value for name, value in scope["headers"] if name == HEADER), b"")
    return chosen_id(offered.decode("latin-1"))
