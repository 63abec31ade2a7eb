"""The server beside the API, at one port, behind the checks of the API."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from assistant.chat import Assistant
from assistant.settings import Settings
from tests.conftest import BEES
from tests.unit.api.conftest import loaded
from ui.api import server
from ui.api.server import RunningApi
from ui.api.tokens import open_tokens
from ui.mcp.mounting import mount_mcp
from ui.permissions import Role
from ui.request_context import request_id
from ui.work_queue import WorkQueue

EVERYWHERE = "0.0.0.0"  # noqa: S104
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


@pytest.fixture
def serve_all(library_assistant: Assistant, settings: Settings) -> Iterator[Callable[..., str]]:
    """Return a function that serves the API and the MCP server, and returns the address."""
    running: list[RunningApi] = []

    def serve(queue: WorkQueue | None = None, **changes: Any) -> str:
        changed = settings.model_copy(update={"port": 0, **changes})
        running.append(server.start(changed, loaded(library_assistant), mount_mcp, queue))
        return running[-1].address.replace(EVERYWHERE, "127.0.0.1")

    yield serve
    for served in running:
        served.close()


def test_assistants_and_programs_wait_in_one_queue(serve_all: Callable[..., str]) -> None:
    queue, end = WorkQueue(running=1, waiting=0), threading.Event()
    address = serve_all(queue)

    async def verify() -> Any:
        working = asyncio.ensure_future(queue.run(lambda: end.wait(30)))
        await asyncio.sleep(0)
        async with Client(f"{address}/mcp") as client:
            refused = await client.call_tool("verify", {"text": "Older bees dance longer."})
            end.set()
            await working
            return refused, await client.call_tool("verify", {"text": "Older bees dance longer."})

    refused, verified = anyio.run(verify)
    assert refused.is_error
    assert "try again" in refused.content[0].text
    assert not verified.is_error


async def tool_names(address: str, **headers: str) -> list[str]:
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Client(streamable_http_client(f"{address}/mcp", http_client=http)) as client,
    ):
        return [tool.name for tool in (await client.list_tools()).tools]


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_page_api_and_assistants_share_a_port(serve_all: Callable[..., str], mode: str) -> None:
    address = serve_all()

    async def ask() -> Any:
        async with Client(f"{address}/mcp", mode=mode) as client:
            return (await client.call_tool("ask", {"question": BEES})).structured_content

    answer = httpx.post(f"{address}/api/v1/ask", json={"question": BEES}, timeout=60).json()
    assert anyio.run(ask)["text"] == answer["text"]
    assert 'paperchat_questions_total{outcome="answer"} 2.0' in httpx.get(f"{address}/metrics").text


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_a_call_is_logged_under_the_id_of_its_own_request(
    serve_all: Callable[..., str], mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    address, calls = serve_all(), []

    async def ask() -> None:
        async with httpx2.AsyncClient(timeout=30) as http:
            transport = streamable_http_client(f"{address}/mcp", http_client=http)
            async with Client(transport, mode=mode) as client:
                for number in range(2):
                    http.headers["x-request-id"] = f"call-{number}"
                    await client.call_tool("ask", {"question": BEES})

    def note(record: logging.LogRecord) -> bool:
        calls.extend([request_id()] if getattr(record, "event", "") == "question" else [])
        return True

    caplog.handler.addFilter(note)
    with caplog.at_level(logging.INFO, "ui"):
        anyio.run(ask)
    caplog.handler.removeFilter(note)
    assert calls == ["call-0", "call-1"]


def test_papers_that_are_not_on_the_web_have_their_page_on_this_server(serve_all: Callable[..., str]) -> None:
    async def addresses() -> list[str]:
        async with Client(f"{serve_all()}/mcp") as client:
            results = (await client.call_tool("search", {"query": "robots"})).structured_content["results"]
            return [entry["url"] for entry in results if entry["title"].startswith("Robots")]

    [address] = anyio.run(addresses)
    assert "Robots that prompt" in httpx.get(address, headers={"accept": "text/html"}).text


def test_other_machines_need_a_token_and_one_of_scope_write_to_add(
    serve_all: Callable[..., str], settings: Settings
) -> None:
    tokens = open_tokens(settings)
    secrets = {scope: f"Bearer {tokens.add(scope, scope)}" for scope in Role}
    address = serve_all(host=EVERYWHERE, mcp_add=True)
    assert httpx.post(f"{address}/mcp", json=PING).status_code == 401
    read = anyio.run(lambda: tool_names(address, authorization=secrets[Role.READ]))
    write = anyio.run(lambda: tool_names(address, authorization=secrets[Role.WRITE]))
    assert "ask" in read
    assert "add" not in read
    assert "add" in write


def test_nobody_adds_papers_unless_the_settings_allow_it(serve_all: Callable[..., str]) -> None:
    address = serve_all()
    assert "add" not in anyio.run(lambda: tool_names(address))


def test_ten_megabytes_and_malformed_messages_are_refused(serve_all: Callable[..., str]) -> None:
    address = serve_all()
    headers = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
    for content, status in ((b"x" * (10 << 20), 413), (iter([b"x" * (10 << 20)]), 413), (b"{", 400)):
        assert httpx.post(f"{address}/mcp", content=content, headers=headers, timeout=60).status_code == status
    assert httpx.get(f"{address}/api/v1/health").status_code == 200


@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
def test_a_foreign_page_is_refused(serve_all: Callable[..., str], path: str) -> None:
    address = serve_all()
    reply = httpx.post(f"{address}{path}", json=PING, headers={"origin": "https://evil.example"})
    assert reply.status_code == 403


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_a_client_that_goes_away_while_its_call_waits_leaves_the_queue(
    serve_all: Callable[..., str], library_assistant: Assistant, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, end = WorkQueue(running=1, waiting=1), threading.Event()
    monkeypatch.setattr(type(library_assistant), "verify", lambda *_: end.wait(30))
    address = serve_all(queue)

    async def leave() -> None:
        async with Client(f"{address}/mcp", mode=mode) as client:
            calls = [asyncio.ensure_future(client.call_tool("verify", {"text": "Bees dance."})) for _ in range(2)]
            while queue.waiting != 1:
                await asyncio.sleep(0.01)
            for call in calls:
                call.cancel()
            await asyncio.wait(calls)
        for _ in range(500):
            if queue.waiting == 0:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("its place is still taken")

    try:
        anyio.run(leave)
    finally:
        end.set()
