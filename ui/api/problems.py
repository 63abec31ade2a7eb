"""Errors as replies: problem details (RFC 9457), and OpenAI's form below `/v1`."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi.responses import JSONResponse

from assistant.errors import (
    InputError,
    LibraryBusy,
    LibraryError,
    ModelError,
    NotFoundError,
    PaperchatError,
    SettingsError,
)
from ui.api.server_models import ProblemJson
from ui.lifecycle import ServerStoppingError
from ui.permissions import ForbiddenError
from ui.request_context import current_request, request_id
from ui.work_queue import RETRY_AFTER, QueueFullError

logger = logging.getLogger(__name__)

OPENAI_PREFIX = "/v1"
_MEDIA_TYPE = "application/problem+json"
# The first class that an error belongs to decides.
_STATUSES: tuple[tuple[type[PaperchatError], int], ...] = (
    (QueueFullError, 429),
    (ServerStoppingError, 503),
    (ForbiddenError, 403),
    (NotFoundError, 404),
    (InputError, 422),
    (LibraryBusy, 409),
    (LibraryError, 503),
    (ModelError, 503),
    (SettingsError, 503),
)
_CODES = ((QueueFullError, "queue_full"), (ForbiddenError, "permission"), (ServerStoppingError, "stopping"))
_OPENAI_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
# Those that pass.
_PASSING = (409, 429)
# OpenAI has one status for everything that is wrong with the content of a request.
_OPENAI_STATUSES = {422: 400}


class ProblemError(Exception):
    """A request that is refused; `code` is a short name of the reason."""

    def __init__(
        self, status: int, detail: str, code: str | None = None, headers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.code, self.headers = status, detail, code, headers


def problem_of(error: Exception) -> ProblemError:
    """Return the refusal that an error stands for; an unexpected error tells nothing about itself."""
    if request := current_request():
        request.error = _kind(error)
    if isinstance(error, ProblemError):
        return error
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
    if not isinstance(error, PaperchatError):
        _log(error)
        return ProblemError(500, "Something went wrong in the server; its log says more.")
    is_stopping = isinstance(error, ServerStoppingError)
    headers = {"Retry-After": str(RETRY_AFTER)} if status in _PASSING or is_stopping else {}
    headers |= {"Connection": "close"} if is_stopping else {}
    code = next((code for kind, code in _CODES if isinstance(error, kind)), None)
    return ProblemError(status, str(error), code, headers)


def _kind(error: Exception) -> str:
    """Return the kind of an error, of which there are few."""
    if isinstance(error, ProblemError):
        return error.code or HTTPStatus(error.status).phrase
    return type(error).__name__


def _log(error: Exception) -> None:
    """Log an unexpected error by its kind and place; its message may quote a question."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    places = [f"{frame.filename}:{frame.lineno}" for frame in last]
    logger.error("a request failed: %s in %s", type(error).__name__, "".join(places) or "the server")


def problem_json(problem: ProblemError) -> dict[str, Any]:
    """Return the problem details of a refusal."""
    title = HTTPStatus(problem.status).phrase
    return ProblemJson(
        type="about:blank",
        title=title,
        status=problem.status,
        detail=problem.detail,
        request_id=request_id() or None,
    ).model_dump(exclude_none=True)


def openai_error_json(problem: ProblemError) -> dict[str, Any]:
    """Return a refusal as OpenAI writes it."""
    status = _OPENAI_STATUSES.get(problem.status, problem.status)
    kind = _OPENAI_TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": problem.detail, "type": kind, "param": None, "code": problem.code}}


def problem_response(path: str, problem: ProblemError) -> JSONResponse:
    """Return the reply that refuses a request to a path."""
    headers = dict(problem.headers)
    if is_openai(path):
        status = _OPENAI_STATUSES.get(problem.status, problem.status)
        return JSONResponse(openai_error_json(problem), status, headers)
    return JSONResponse(problem_json(problem), problem.status, headers, media_type=_MEDIA_TYPE)


def is_openai(path: str) -> bool:
    """Return whether a path belongs to the OpenAI-compatible interface."""
    return path == OPENAI_PREFIX or path.startswith(f"{OPENAI_PREFIX}/")
