"""The JSON of what only a server has: conversations, health, errors."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from ui.api.models import AnswerJson, ScopeJson, ServedModel


class ConversationSummaryJson(ServedModel):
    """A conversation in a list."""

    id: str = Field(description="Id of the conversation.")
    title: str = Field(description="Its title.")
    created: str = Field(description="Time of its beginning, ISO 8601.")
    changed: str = Field(description="Time of its last change, ISO 8601.")
    turns: int = Field(description="Number of questions.")


class TurnJson(ServedModel):
    """A stored question with its answer."""

    id: int = Field(description="Number of the turn.")
    question: str = Field(description="The question.")
    scope: ScopeJson = Field(description="Papers that it was restricted to.")
    asked: str = Field(description="Time of the question, ISO 8601.")
    settings: dict[str, Any] = Field(description="The settings that the answer was made with.")
    prompt: str | None = Field(description="Hash of the prompts, where a language model wrote the answer.")
    feedback: dict[str, Any] | None = Field(description="A person's opinion of the answer.")
    answer: AnswerJson = Field(description="The answer.")


class ConversationJson(ServedModel):
    """A conversation with its turns."""

    id: str = Field(description="Id of the conversation.")
    title: str = Field(description="Its title.")
    created: str = Field(description="Time of its beginning, ISO 8601.")
    changed: str = Field(description="Time of its last change, ISO 8601.")
    turns: list[TurnJson] = Field(description="Its questions, in order.")


class ConversationPageJson(ServedModel):
    """A page of a list of conversations."""

    conversations: list[ConversationSummaryJson] = Field(description="The conversations of this page, newest first.")
    offset: int = Field(description="Position of the first of them, from 0.")
    total: int = Field(description="Number of conversations in the whole list.")


class HealthJson(ServedModel):
    """Whether the server can answer."""

    status: str = Field(description="`loading`, `ok` or `failed`.")
    version: str = Field(description="Version of paperchat.")


class ProblemJson(ServedModel):
    """An error, by RFC 9457."""

    type: str = Field(description="Kind of the error: a URI reference.")
    title: str = Field(description="The kind in words.")
    status: int = Field(description="HTTP status.")
    detail: str = Field(description="What is wrong and what to do.")
    request_id: str | None = Field(default=None, description="Id of the request, by which the log has it.")
