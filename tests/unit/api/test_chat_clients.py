"""Open WebUI and LibreChat: what they send is understood, and their own requests are not taken for questions."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.conftest import BEES
from tests.unit.api import client_requests as sent
from ui.api.client_tasks import task_reply

PATH = "/v1/chat/completions"


def reply(read_api: httpx.Client, body: sent.Body) -> str:
    """Return the text of a completion."""
    completion = read_api.post(PATH, json=body).json()
    assert completion["usage"]["total_tokens"] > 0
    return str(completion["choices"][0]["message"]["content"])


@pytest.mark.parametrize(
    ("body", "headers"),
    [(sent.OPEN_WEBUI, sent.OPEN_WEBUI_HEADERS), (sent.LIBRECHAT, sent.LIBRECHAT_HEADERS)],
    ids=["Open WebUI", "LibreChat"],
)
def test_a_chat_is_answered_by_a_stream_with_usage(
    read_api: httpx.Client, body: sent.Body, headers: dict[str, str]
) -> None:
    lines = read_api.post(PATH, json=body, headers=headers).text.split("\n\n")
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    assert data[-1] == "[DONE]"
    chunks: list[Any] = [json.loads(text) for text in data[:-1]]
    assert chunks[-1]["usage"]["total_tokens"] > 0
    pieces = [chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"]]
    assert "waggle dance" in "".join(pieces)


def test_the_models_are_listed_as_clients_ask_for_them(read_api: httpx.Client) -> None:
    for headers in (sent.OPEN_WEBUI_HEADERS, sent.LIBRECHAT_HEADERS):
        models = read_api.get("/v1/models", params={"user": "65f0"}, headers=headers).json()
        assert [model["id"] for model in models["data"]] == ["paperchat"]


def test_a_title_is_the_first_question_cut_after_a_word(read_api: httpx.Client) -> None:
    title = json.loads(reply(read_api, sent.TITLE))["title"]
    assert title == reply(read_api, sent.LIBRECHAT_TITLE)
    assert title.endswith(" …")
    assert BEES.startswith(title.removesuffix(" …"))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (sent.TAGS, {"tags": []}),
        (sent.FOLLOW_UPS, {"follow_ups": []}),
        (sent.QUERIES, {"queries": ["Which of them dance longer?"]}),
    ],
)
def test_other_tasks_get_json_of_the_form_that_they_ask_for(
    read_api: httpx.Client, body: sent.Body, expected: dict[str, Any]
) -> None:
    assert json.loads(reply(read_api, body)) == expected


def test_a_task_may_be_streamed(read_api: httpx.Client) -> None:
    stream = read_api.post(PATH, json=sent.TAGS | {"stream": True}).text
    assert '{\\"tags\\": []}' in stream
    assert stream.rstrip().endswith("[DONE]")


@pytest.mark.parametrize("text", ["", "### Task:", "What is a <chat_history>?", "### Task: what is RL?", BEES])
def test_a_question_is_no_task(text: str) -> None:
    assert task_reply(text) is None


def test_a_task_without_a_conversation_gets_a_title_still() -> None:
    prompt = '### Task:\nTitle?\nJSON format: { "title": "x" }\n<chat_history></chat_history>'
    assert json.loads(str(task_reply(prompt))) == {"title": "Conversation"}


def test_a_long_prompt_that_is_no_task_is_read_quickly() -> None:
    assert task_reply("### Task:\n" + "<chat_history>" * 50_000) is None
    assert task_reply("### Task:\n" + '{ "a": ' * 50_000 + "<chat_history></chat_history>") == "Conversation"
