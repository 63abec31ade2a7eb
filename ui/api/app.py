"""The API as one ASGI application: the JSON API, the OpenAI-compatible interface, and what is mounted beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, cast

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from assistant.errors import PaperchatError
from assistant.text.printable import one_line
from ui.api import (
    collection_routes,
    draft_routes,
    library_routes,
    openai_routes,
    operations_routes,
    question_routes,
    table_routes,
    watch_routes,
)
from ui.api.backend import ApiBackend
from ui.api.problems import ProblemError, problem_of, problem_response
from ui.api.request_log import RouteName, endpoint_names
from ui.api.request_queue import ClientGoneError
from ui.api.server_models import ProblemJson
from ui.page.cookies import AsgiApp, AsgiMessage, AsgiReceive, AsgiSend
from ui.work_queue import WorkQueue

JSON_PREFIX = "/api/v1"
_PREFIXES = ("/api", "/v1", *operations_routes.PATHS)
_SUMMARY = "Ask a library of research-paper abstracts; every statement of an answer has a citation behind it."
_PROBLEM: dict[int | str, dict[str, Any]] = {"default": {"model": ProblemJson, "description": "An error."}}
_ROUTERS = (
    *(
        (JSON_PREFIX, routes.router)
        for routes in (question_routes, draft_routes, table_routes, library_routes, collection_routes, watch_routes)
    ),
    ("/v1", openai_routes.router),
    ("", operations_routes.router),
)
# The client closed the connection; nobody reads the reply. The number is that of nginx.
_CLIENT_CLOSED = 499

Lifespan = Callable[[], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class MountedApp:
    """An application that is served at and below a path, and what has to be open while it is served.

    It gets the whole path, and who calls as `scope["state"]["caller"]`.
    """

    prefix: str
    app: AsgiApp
    lifespan: Lifespan | None = None


class PathDispatch:
    """An ASGI middleware that passes requests at and below some paths to another application."""

    def __init__(self, app: AsgiApp, other: AsgiApp, prefixes: Sequence[str]) -> None:
        self.app, self._other, self._prefixes = app, other, prefixes

    async def __call__(self, scope: AsgiMessage, receive: AsgiReceive, send: AsgiSend) -> None:
        """Pass a request on."""
        is_other = scope["type"] == "http" and _below(scope["path"], self._prefixes)
        await (self._other if is_other else self.app)(scope, receive, send)


def build_app(backend: ApiBackend, queue: WorkQueue, mounts: Sequence[MountedApp] = ()) -> AsgiApp:
    """Return the application with what is mounted beside it, without the checks of `ui.api.access`."""
    app: AsgiApp = endpoint_names(cast("Any", _routes(backend, queue, mounts)), _templates())
    for mounted in mounts:
        app = PathDispatch(app, _named(mounted), [mounted.prefix])
    return app


def _named(mounted: MountedApp) -> AsgiApp:
    return RouteName(mounted.app, lambda _: mounted.prefix)


def _templates() -> dict[object, str]:
    """Return the templates of the routes by the functions that answer them."""
    return {route.endpoint: f"{prefix}{route.path}" for prefix, router in _ROUTERS for route in _routes_of(router)}


def _routes_of(router: APIRouter) -> Iterator[APIRoute]:
    return (route for route in router.routes if isinstance(route, APIRoute))


def _routes(backend: ApiBackend, queue: WorkQueue, mounts: Sequence[MountedApp]) -> FastAPI:
    app = FastAPI(
        title="paperchat",
        summary=_SUMMARY,
        version=version("paperchat"),
        openapi_url=f"{JSON_PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lambda _: lifespan(mounts)(),
        redirect_slashes=False,
    )
    app.state.backend, app.state.queue = backend, queue
    for prefix, router in _ROUTERS:
        app.include_router(router, prefix=prefix, responses=_PROBLEM if prefix == JSON_PREFIX else None)
    for kind in (RequestValidationError, HTTPException, PaperchatError, ProblemError, ClientGoneError, Exception):
        app.add_exception_handler(kind, _refuse)
    return app


def prefixes(mounts: Sequence[MountedApp] = ()) -> tuple[str, ...]:
    """Return the paths below which the API is served."""
    return (*_PREFIXES, *(mounted.prefix for mounted in mounts))


def lifespan(mounts: Sequence[MountedApp]) -> Lifespan:
    """Return what has to be open while the API is served."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for mounted in mounts:
                if mounted.lifespan:
                    await stack.enter_async_context(mounted.lifespan())
            yield

    return opened


async def _refuse(request: Request, error: Exception) -> Response:
    """Return the reply to a request that failed."""
    if isinstance(error, ClientGoneError):
        return Response(status_code=_CLIENT_CLOSED)
    if isinstance(error, RequestValidationError):
        error = _invalid(error)
    elif isinstance(error, HTTPException):
        error = ProblemError(error.status_code, str(error.detail), headers=error.headers or {})
    return problem_response(request.url.path, problem_of(error))


def _invalid(error: RequestValidationError) -> ProblemError:
    """Return the refusal of a body that is no JSON, or has a wrong value; it names the first one."""
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return ProblemError(400, f"The body is not JSON: {first.get('ctx', {}).get('error', '')}.", "invalid_json")
    if first["loc"] == ("body",):
        return ProblemError(422, "The body must be a JSON object, sent with Content-Type: application/json.")
    where = ".".join(str(part) for part in first["loc"] if part != "body") or "the body"
    return ProblemError(422, one_line(f"{where}: {first['msg']}"), "invalid_value")


def _below(path: str, parents: Sequence[str]) -> bool:
    return any(path == parent or path.startswith(f"{parent}/") for parent in parents)
