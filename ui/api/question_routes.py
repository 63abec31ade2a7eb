"""The JSON API of questions: search, ask, verify, sides."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, closing
from functools import partial
from typing import Any, cast

from fastapi import APIRouter, Request
from fastapi.responses import Response

from assistant.disagreement.serialization import sides_json
from assistant.errors import InputError
from assistant.schema import Answer, Strength, Turn
from assistant.serialization import Json, answer_from_json, search_json, verification_json
from ui.api.access import Caller
from ui.api.backend import ApiBackend
from ui.api.context import Backend, Queue, Reader
from ui.api.event_stream import EventStream, event, prefers_events, with_comments
from ui.api.models import AskJson, SearchJson, VerificationJson
from ui.api.paper_pages import PaperPages
from ui.api.problems import problem_json, problem_of
from ui.api.requests import AskBody, EarlierTurn, SearchBody, SidesBody, VerifyBody
from ui.api.sides_models import SidesJson
from ui.logs import QuestionLog

router = APIRouter(tags=["Questions"])
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "The answer."}
}


@router.post("/search", response_model=SearchJson, response_model_exclude_unset=True)
async def search(body: SearchBody, backend: Backend, queue: Queue) -> Json:
    """Find papers without composing an answer."""

    def work() -> Json:
        assistant = backend.assistant(body.library)
        if body.top_k:
            settings = assistant.settings.model_copy(update={"top_k": body.top_k})
            assistant = assistant.configured(settings, assistant.llm)
        return search_json(assistant.search(body.query, scope=body.scope.value()))

    return await queue.run(work)


@router.post("/verify", response_model=VerificationJson, response_model_exclude_unset=True)
async def verify(body: VerifyBody, backend: Backend, queue: Queue) -> Json:
    """Check whether a paper, an abstract, or any paper of the library supports a claim."""
    return await queue.run(
        lambda: verification_json(backend.assistant(body.library).verify(body.claim, body.paper_id, body.abstract))
    )


@router.post("/sides", response_model=SidesJson)
async def sides(body: SidesBody, backend: Backend, queue: Queue) -> Json:
    """Show which sentences support a claim, which contradict it, and which make it depend on a condition."""
    return await queue.run(lambda: sides_json(backend.assistant(body.library).sides(body.claim, body.scope.value())))


@router.post("/ask", response_model=AskJson, response_model_exclude_unset=True, responses=_EVENTS)
async def ask(body: AskBody, request: Request, backend: Backend, queue: Queue, caller: Reader) -> Any:
    """Answer a question, with citations.

    With `stream`, or where the client accepts `text/event-stream` only, the reply is a stream of events: `text` with
    `{"offset", "text"}`, which replaces the answer's text from the offset on; `progress`; and last `answer`, or
    `error` with problem details.
    """
    answers = partial(_answers, body, backend, caller, PaperPages(str(request.base_url), body.library))
    if not (body.stream or prefers_events(request)):
        return await queue.last(answers)
    return cast("Response", EventStream(with_comments(_events(await queue.stream(answers)))))


def _answers(body: AskBody, backend: ApiBackend, caller: Caller, pages: PaperPages) -> Iterator[Json]:
    """Yield the snapshots of an answer as JSON; the last one is stored where the request wants that."""
    scope, conversations = body.scope.value(), backend.conversations(caller.owner, body.library)
    stored_in = conversations.find(body.conversation).id if body.conversation else None
    history = [stored.turn for stored in conversations.turns(stored_in)] if stored_in else _history(body.history)
    assistant = backend.assistant(body.library)
    with QuestionLog(body.question, assistant.settings, backend.operations.metrics.question) as log:
        snapshots = cast("Callable[..., Any]", assistant.stream)(body.question, history, scope)
        with closing(snapshots):
            for log.answer in snapshots:
                if not log.answer.done:
                    yield _snapshot(log.answer)
        written = pages.answer_json(cast("Answer", log.answer))
        if stored_in or body.save:
            stored_in = stored_in or conversations.begin().id
            turn = Turn(body.question, cast("Answer", log.answer), scope)
            [number] = conversations.append(stored_in, [turn], assistant.settings)
            log.id = f"{stored_in}-{number}"
            written |= {"id": log.id, "conversation": stored_in}
    yield written


def _snapshot(answer: Answer) -> Json:
    return {"done": False, "text": answer.text, "progress": answer.progress}


async def _events(answers: AsyncGenerator[Json]) -> AsyncGenerator[str]:
    sent, progress = "", ""
    try:
        async with aclosing(answers):
            async for answer in answers:
                if answer["text"] != sent:
                    offset = _shared_length(sent, answer["text"])
                    yield event({"offset": offset, "text": answer["text"][offset:]}, "text")
                    sent = answer["text"]
                if answer.get("done", True):
                    yield event(
                        AskJson.model_validate(answer).model_dump_json(by_alias=True, exclude_unset=True), "answer"
                    )
                elif answer["progress"] != progress:
                    progress = answer["progress"]
                    yield event({"progress": progress}, "progress")
    except Exception as error:
        yield event(problem_json(problem_of(error)), "error")


def _shared_length(text: str, other: str) -> int:
    """Return the number of characters that two texts have in common at their beginning."""
    pairs = enumerate(zip(text, other, strict=False))
    return next((index for index, (one, two) in pairs if one != two), min(len(text), len(other)))


def _history(turns: Sequence[EarlierTurn]) -> list[Turn]:
    return [Turn(turn.question, _earlier_answer(turn)) for turn in turns]


def _earlier_answer(turn: EarlierTurn) -> Answer:
    """Return the answer of an earlier turn. Raises InputError where it is none."""
    if isinstance(turn.answer, str):
        return Answer(turn.question, turn.question, Strength.FIRM, 1.0, turn.answer)
    try:
        return answer_from_json(turn.answer.model_dump(mode="json", by_alias=True, exclude_unset=True))
    except ValueError as error:
        raise InputError("history", str(error)) from error
