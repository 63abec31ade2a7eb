"""The routes about what watched sources have brought: digests, and their feed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from assistant.serialization import Json
from ui.api import watch_models
from ui.api.context import Backend, Reader
from ui.api.library_routes import LibraryName
from ui.export import watch_digest

router = APIRouter(tags=["Digests"])
Limit = Annotated[int, Query(ge=1, le=100, description="Most digests.")]
_ATOM = "application/atom+xml"


@router.get("/digests", response_model=watch_models.DigestsJson)
def list_digests(backend: Backend, caller: Reader, limit: Limit = 20, library: LibraryName = None) -> Json:
    """Return the last digests of what watched sources have brought, the newest first."""
    digests = backend.catalog_of(library).digests
    dated = watch_digest.digests_of(digests.recent(caller.owner, limit))
    return {"unread": digests.unread(caller.owner), "digests": list(map(watch_digest.as_json, dated))}


@router.get("/digests.atom", response_class=Response, responses={200: {"content": {_ATOM: {}}}})
def digest_feed(request: Request, backend: Backend, caller: Reader, library: LibraryName = None) -> Response:
    """Return the last digests as an Atom feed."""
    stored = backend.catalog_of(library).digests.recent(caller.owner, 50)
    feed = watch_digest.atom(list(watch_digest.digests_of(stored)), str(request.url))
    return Response(feed, media_type=_ATOM)


@router.post("/digests/{number}/read", status_code=204)
def mark_read(number: int, backend: Backend, caller: Reader, library: LibraryName = None) -> Response:
    """Mark a digest as read by the caller."""
    backend.catalog_of(library).digests.mark_read([number], caller.owner)
    return Response(status_code=204)
