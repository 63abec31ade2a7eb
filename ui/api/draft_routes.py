"""The JSON API of drafts: check one, as a whole or sentence by sentence."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any, cast

from fastapi import APIRouter, Request
from fastapi.responses import Response

from assistant.drafts.serialization import check_json, sentence_json
from assistant.serialization import Json
from ui.api.backend import ApiBackend
from ui.api.context import Backend, Queue
from ui.api.draft_models import CheckedSentenceJson, DraftCheckJson
from ui.api.event_stream import EventStream, event, prefers_events, with_comments
from ui.api.problems import problem_json, problem_of
from ui.api.requests import CheckBody

router = APIRouter(tags=["Drafts"])
_BIBLIOGRAPHY = "bibliography.bib"
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "The check."}
}


@router.post("/check", response_model=DraftCheckJson, responses=_EVENTS)
async def check(body: CheckBody, request: Request, backend: Backend, queue: Queue) -> Any:
    """Check the sentences, citations and bibliography of a draft. It stops where the client goes away.

    With `stream`, or where the client accepts `text/event-stream` only, the reply is a stream of events: a `sentence`
    for each one as it is checked; and last `done` with `{"bibliography", "notes"}`, or `error` with problem details.
    """
    if body.stream or prefers_events(request):
        return cast("Response", EventStream(with_comments(_events(await queue.stream(lambda: _items(body, backend))))))
    return (await queue.last(lambda: _items(body, backend)))[1]


def _items(body: CheckBody, backend: ApiBackend) -> Iterator[tuple[str, Json]]:
    """Yield each sentence as it is checked, and last the whole check, with the names of their events."""
    from ingest import drafts

    opened = drafts.open_text(body.text, body.format)
    files = [(body.bibliography.encode("utf-8", "replace"), _BIBLIOGRAPHY)] if body.bibliography.strip() else []
    run = drafts.check(drafts.with_bibliography(opened, files), backend.assistant(body.library))
    for checked in run.sentences():
        yield "sentence", sentence_json(checked)
    yield "done", check_json(run.result())


async def _events(items: AsyncGenerator[tuple[str, Json]]) -> AsyncGenerator[str]:
    try:
        async with aclosing(items):
            async for name, item in items:
                yield event(_event_data(name, item), name)
    except Exception as error:
        yield event(problem_json(problem_of(error)), "error")


def _event_data(name: str, item: Json) -> str:
    if name == "sentence":
        return CheckedSentenceJson.model_validate(item).model_dump_json()
    return DraftCheckJson.model_validate(item).model_dump_json(exclude={"sentences"})
