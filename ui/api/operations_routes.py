"""The addresses for those who run the server: `/healthz`, `/readyz`, `/metrics`."""

from __future__ import annotations

import asyncio
from typing import cast

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from ui.api.backend import ApiBackend
from ui.api.context import Backend
from ui.metrics import CONTENT_TYPE

HEALTHZ, READYZ, METRICS = "/healthz", "/readyz", "/metrics"
PATHS = (HEALTHZ, READYZ, METRICS)
router = APIRouter(include_in_schema=False)


@router.api_route(HEALTHZ, methods=["GET", "HEAD"])
async def healthz() -> Response:
    """Return that the process answers: for what restarts a process that does not."""
    return JSONResponse({"status": "ok"})


@router.api_route(READYZ, methods=["GET", "HEAD"])
async def readyz(request: Request) -> Response:
    """Return whether the server can answer questions, with the state of each part: for what sends it requests."""
    readiness = await cast("ApiBackend", request.app.state.backend).readiness.readiness()
    status = "ready" if readiness.is_ready else "not ready"
    return JSONResponse({"status": status, "parts": readiness.parts}, 200 if readiness.is_ready else 503)


@router.get(METRICS)
async def metrics(backend: Backend) -> Response:
    """Return the numbers of the server for Prometheus, to callers who may use its library."""
    backend.require()
    text = await asyncio.to_thread(backend.operations.metrics.text)
    return Response(text, media_type=CONTENT_TYPE)
