"""The JSON API of drafts."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter

from assistant.drafts.serialization import check_json
from assistant.serialization import Json
from ui.api.backend import ApiBackend
from ui.api.context import Backend, Queue
from ui.api.draft_models import DraftCheckJson
from ui.api.requests import CheckBody

router = APIRouter(tags=["Drafts"])
_BIBLIOGRAPHY = "bibliography.bib"


@router.post("/check", response_model=DraftCheckJson)
async def check(body: CheckBody, backend: Backend, queue: Queue) -> Json:
    """Check the sentences, citations and bibliography of a draft. It stops where the client goes away."""
    return await queue.last(lambda: _checked(body, backend))


def _checked(body: CheckBody, backend: ApiBackend) -> Iterator[Json]:
    """Yield something after each sentence, so that the check can be stopped, and last the check as JSON."""
    from ingest import drafts

    opened = drafts.open_text(body.text, body.format)
    files = [(body.bibliography.encode("utf-8", "replace"), _BIBLIOGRAPHY)] if body.bibliography.strip() else []
    run = drafts.check(drafts.with_bibliography(opened, files), backend.assistant(body.library))
    for _ in run.sentences():
        yield {}
    yield check_json(run.result())
