"""The OpenAI-compatible interface: models, chat completions, embeddings.

A library is a model: `paperchat` is the one that is served, `paperchat/NAME` another one. The answer is Markdown; its
citations are links, and annotations of the message.
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Literal, cast

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import Field

from assistant.chat import Assistant
from assistant.schema import Answer
from assistant.serialization import Json
from ui.api.access import Caller
from ui.api.backend import ApiBackend
from ui.api.chat_messages import ChatBody, ChatMessage, OpenAIBody, question_and_history
from ui.api.chat_stream import TextStream
from ui.api.cited_markdown import CitedMarkdown, cited_markdown
from ui.api.client_tasks import task_reply
from ui.api.context import Backend, Queue, Reader
from ui.api.event_stream import EventStream, event, with_comments
from ui.api.paper_pages import PaperPages
from ui.api.problems import ProblemError, openai_error_json, problem_of
from ui.logs import QuestionLog

router = APIRouter(tags=["OpenAI-compatible"])
MODEL = "paperchat"
_MAX_INPUTS = 2048
_DONE = "[DONE]"


class EmbeddingsBody(OpenAIBody):
    """A request for embeddings."""

    model: str
    input: str | Annotated[list[str], Field(min_length=1, max_length=_MAX_INPUTS)]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None


@dataclass(frozen=True, slots=True)
class _ReplyPiece:
    """A piece of the reply, or its end with the whole answer and the usage."""

    text: str = ""
    end: Json | None = None


@router.get("/models")
def list_models(backend: Backend) -> Json:
    """List the libraries as models."""
    served = [MODEL] if backend.may_use_served else []
    names = [*served, *(f"{MODEL}/{name}" for name in backend.library_names())]
    return {"object": "list", "data": list(map(_model_json, names))}


@router.get("/models/{name:path}")
def show_model(name: str, backend: Backend) -> Json:
    """Return one model."""
    _library(name, backend)
    return _model_json(name)


@router.post("/chat/completions")
async def complete_chat(body: ChatBody, request: Request, backend: Backend, queue: Queue, caller: Reader) -> Any:
    """Answer the last message, in the conversation of those before it."""
    if body.n not in (None, 1):
        raise ProblemError(400, "n must be 1: an answer is made once.", "unsupported_value")
    library, identity = _library(body.model, backend), _Completion(body.model)
    pieces = partial(_answer, body, backend, caller, library, PaperPages(str(request.base_url), library))
    if not body.stream:
        end = (await queue.last(pieces)).end
        return identity.whole(cast("Json", end))
    includes_usage = bool(body.stream_options and body.stream_options.include_usage)
    events = _events(await queue.stream(pieces), identity, includes_usage)
    return cast("Response", EventStream(with_comments(events)))


@router.post("/embeddings")
async def embed(body: EmbeddingsBody, backend: Backend, queue: Queue) -> Json:
    """Return the vectors of texts by the library's embedder."""
    return await queue.run(lambda: _embeddings(body, backend))


@dataclass(frozen=True, slots=True)
class _Completion:
    """The identity of one completion, the same in all its chunks."""

    model: str
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, end: Json) -> Json:
        """Return the completion in one."""
        message = {"role": "assistant", "content": end["content"], "annotations": end["annotations"], "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": end["finish_reason"], "logprobs": None}
        head = self._head("chat.completion")
        return head | {"choices": [choice], "usage": end["usage"], "paperchat": end["answer"]}

    def chunk(self, delta: Json, finish_reason: str | None = None, **more: Any) -> Json:
        """Return a chunk of the completion."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        return self._head("chat.completion.chunk") | {"choices": [choice]} | more

    def usage_chunk(self, usage: Json) -> Json:
        """Return the chunk that has the usage alone."""
        return self._head("chat.completion.chunk") | {"choices": [], "usage": usage}

    def _head(self, kind: str) -> Json:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def _answer(
    body: ChatBody, backend: ApiBackend, caller: Caller, library: str | None, pages: PaperPages
) -> Iterator[_ReplyPiece]:
    """Yield the pieces of the reply, and last its end."""
    assistant = backend.assistant(library)
    question, exchanges = question_and_history(body.messages, assistant.settings.max_question_length)
    if reply := task_reply(question):
        usage = _counted(body.messages, reply, assistant)
        yield _ReplyPiece(reply, _end(CitedMarkdown(reply), False, usage, None))
        return
    history, stream = backend.recent_answers.turns(caller.owner, exchanges), TextStream(pages.address)
    with QuestionLog(question, assistant.settings, backend.operations.metrics.question) as log:
        snapshots = cast("Any", assistant.stream(question, history, body.paperchat.scope.value()))
        with closing(snapshots):
            for log.answer in snapshots:
                yield _ReplyPiece(stream.piece(cast("Answer", log.answer)))
        log.id = "chat"
    answer = cast("Answer", log.answer)
    markdown = stream.whole(answer) if body.stream else cited_markdown(answer, pages.address)
    backend.recent_answers.put(caller.owner, markdown.text, answer)
    usage = _usage(answer, body.messages, markdown.text, assistant)
    yield _ReplyPiece(end=_end(markdown, answer.cut, usage, pages.answer_json(answer)))


def _end(markdown: CitedMarkdown, is_cut: bool, usage: Json, answer: Json | None) -> Json:
    annotations = [
        {
            "type": "url_citation",
            "url_citation": {
                "start_index": citation.start,
                "end_index": citation.end,
                "url": citation.url,
                "title": citation.title,
            },
        }
        for citation in markdown.citations
    ]
    return {
        "content": markdown.text,
        "annotations": annotations,
        "finish_reason": "length" if is_cut else "stop",
        "usage": usage,
        "answer": answer,
    }


async def _events(
    pieces: AsyncGenerator[_ReplyPiece], identity: _Completion, includes_usage: bool
) -> AsyncGenerator[str]:
    yield event(identity.chunk({"role": "assistant", "content": ""}))
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                if piece.text:
                    yield event(identity.chunk({"content": piece.text}))
                if piece.end:
                    end = piece.end
                    yield event(identity.chunk({"annotations": end["annotations"]}, paperchat=end["answer"]))
                    yield event(identity.chunk({}, end["finish_reason"]))
                    if includes_usage:
                        yield event(identity.usage_chunk(end["usage"]))
    except Exception as error:
        yield event(openai_error_json(problem_of(error)))
        return
    yield event(_DONE)


def _usage(answer: Answer, messages: list[ChatMessage], reply: str, assistant: Assistant) -> Json:
    """Return the tokens that a language model read and wrote; without one, those of the messages and the reply."""
    if answer.cost:
        return _usage_json(answer.cost.prompt_tokens, answer.cost.output_tokens)
    return _counted(messages, reply, assistant)


def _counted(messages: list[ChatMessage], reply: str, assistant: Assistant) -> Json:
    *counts, written = assistant.library.embedder.count_tokens([*(message.text for message in messages), reply])
    return _usage_json(sum(counts), written)


def _usage_json(read: int, written: int) -> Json:
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _embeddings(body: EmbeddingsBody, backend: ApiBackend) -> Json:
    embedder = backend.assistant().library.embedder
    if body.model not in (MODEL, embedder.name):
        raise _unknown_model(body.model)
    if body.dimensions not in (None, embedder.dimension):
        raise ProblemError(400, f"The vectors have {embedder.dimension} dimensions.", "unsupported_value")
    texts = [body.input] if isinstance(body.input, str) else body.input
    counts = embedder.count_tokens(texts)
    if max(counts) > embedder.max_tokens:
        detail = f"A text has {max(counts)} tokens; at most {embedder.max_tokens} are embedded."
        raise ProblemError(400, detail, "context_length_exceeded")
    vectors = [encoded.vector.astype(np.float32) for encoded in embedder.encode_documents(texts)]
    data = [
        {"object": "embedding", "index": index, "embedding": _vector(vector, body.encoding_format)}
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": sum(counts), "total_tokens": sum(counts)}
    return {"object": "list", "data": data, "model": body.model, "usage": usage}


def _vector(vector: Any, encoding: str) -> Any:
    return base64.b64encode(vector.astype("<f4").tobytes()).decode() if encoding == "base64" else vector.tolist()


def _library(model: str, backend: ApiBackend) -> str | None:
    """Return the library of a model; None for the one that is served. Raises ProblemError for an unknown model."""
    if model == MODEL:
        backend.require()
        return None
    prefix, _, name = model.partition("/")
    if prefix != MODEL or name not in backend.library_names():
        raise _unknown_model(model)
    return name


def _unknown_model(model: str) -> ProblemError:
    return ProblemError(404, f"There is no model {model[:100]!r}; GET /v1/models lists them.", "model_not_found")


def _model_json(name: str) -> Json:
    return {"id": name, "object": "model", "created": 0, "owned_by": "paperchat"}
