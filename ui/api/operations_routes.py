"""The addresses for those who run the server: `/healthz`, `/readyz`."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from ui.readiness import ReadinessCheck

HEALTHZ, READYZ = "/healthz", "/readyz"
PATHS = (HEALTHZ, READYZ)
router = APIRouter(include_in_schema=False)


@router.api_route(HEALTHZ, methods=["GET", "HEAD"])
async def healthz() -> Response:
    """Return that the process answers: for what restarts a process that does not."""
    return JSONResponse({"status": "ok"})


@router.api_route(READYZ, methods=["GET", "HEAD"])
async def readyz(request: Request) -> Response:
    """Return whether the server can answer questions, with the state of each part: for what sends it requests."""
    check = cast("ReadinessCheck", request.app.state.readiness)
    readiness = await check.readiness()
    status = "ready" if readiness.is_ready else "not ready"
    return JSONResponse({"status": status, "parts": readiness.parts}, 200 if readiness.is_ready else 503)
