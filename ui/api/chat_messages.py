"""The messages of a chat in OpenAI's form: what is asked, and the conversation before it."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.schema import Answer, Strength, Turn
from ui.api.problems import ProblemError
from ui.api.requests import ScopeBody

_MAX_MESSAGES = 1000
# Turns that are the history: what came before has no influence on a question.
_MAX_HISTORY = 20
_REMEMBERED = 200


class OpenAIBody(BaseModel):
    """A request in OpenAI's form; what it has for other servers is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ContentPart(OpenAIBody):
    """A part of a message; other kinds than text are ignored."""

    type: str
    text: str = ""


class ChatMessage(OpenAIBody):
    """A message of a chat."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[ContentPart] | None = None

    @property
    def text(self) -> str:
        """Return the text of the message."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if part.type in ("text", "input_text"))
        return self.content or ""


class StreamOptions(OpenAIBody):
    """Options of a stream."""

    include_usage: bool = False


class ChatExtension(OpenAIBody):
    """What a request can say that OpenAI has no word for."""

    scope: ScopeBody = ScopeBody()


class ChatBody(OpenAIBody):
    """A request for a chat completion."""

    model: str
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=_MAX_MESSAGES)]
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: int | None = 1
    paperchat: ChatExtension = ChatExtension()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question of a chat with the text that answered it."""

    question: str
    reply: str


class RecentAnswers:
    """The answers behind the latest replies, by their text, which is what a client sends back. Thread-safe."""

    def __init__(self) -> None:
        self._answers: OrderedDict[bytes, Answer] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, owner: str, text: str, answer: Answer) -> None:
        """Remember the answer behind a text that an owner got; the oldest is forgotten."""
        with self._lock:
            self._answers[_digest(owner, text)] = answer
            if len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)

    def turns(self, owner: str, exchanges: Sequence[Exchange]) -> list[Turn]:
        """Return the history; where no answer of the owner is remembered, it has the text alone."""
        with self._lock:
            return [Turn(exchange.question, self._answer(owner, exchange)) for exchange in exchanges]

    def _answer(self, owner: str, exchange: Exchange) -> Answer:
        text_alone = Answer(exchange.question, exchange.question, Strength.FIRM, 1.0, exchange.reply)
        return self._answers.get(_digest(owner, exchange.reply), text_alone)


def question_and_history(messages: Sequence[ChatMessage], limit: int) -> tuple[str, list[Exchange]]:
    """Return the last message and the exchanges before it, whose questions are cut to `limit` characters.

    Raises ProblemError where the last message is not the user's.
    """
    spoken = [message for message in messages if message.role in ("user", "assistant")]
    if not spoken or spoken[-1].role != "user":
        raise ProblemError(400, "The last message must be the user's question.", "no_question")
    pairs = pairwise(spoken)
    exchanges = [
        Exchange(question.text[:limit], reply.text)
        for question, reply in pairs
        if (question.role, reply.role) == ("user", "assistant")
    ]
    return spoken[-1].text, exchanges[-_MAX_HISTORY:]


def all_text(messages: Sequence[ChatMessage]) -> list[str]:
    """Return the texts of all messages."""
    return [message.text for message in messages]


def _digest(owner: str, text: str) -> bytes:
    return hashlib.sha256("\0".join([owner, *text.split()]).encode("utf-8", "replace")).digest()
