"""The server over Streamable HTTP: official client, uvicorn on loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx
import pytest
import uvicorn
from mcp import Client, MCPError
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.routing import Mount

from assistant.chat import Assistant
from assistant.settings import Settings
from tests.conftest import BEES
from tests.fakes import ScriptedLLM, UnreliableLLM
from tests.unit.mcp.conftest import PAPERS, access_to
from ui.mcp.server import create_server
from ui.mcp.transports import HttpEndpoint

ACCEPT = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


class LoopbackServer:
    """A uvicorn server in a thread, on a free port of 127.0.0.1."""

    def __init__(self, endpoint: HttpEndpoint) -> None:
        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[None]:
            async with endpoint.run():
                yield

        application = Starlette(routes=[Mount("/mcp", app=endpoint)], lifespan=lifespan)
        self._server = uvicorn.Server(uvicorn.Config(application, log_level="critical", timeout_graceful_shutdown=1))
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/mcp/"
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})
        self._thread.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


@pytest.fixture
def serve(library_assistant: Assistant, settings: Settings) -> Iterator[Callable[..., str]]:
    """Return a function that serves the three papers and returns the address."""
    servers: list[LoopbackServer] = []

    def start(llm: ScriptedLLM | None = None) -> str:
        assistant = library_assistant
        if llm:
            assistant = Assistant(assistant.library, settings, assistant.reader, llm, assistant.reranker)
        security = TransportSecuritySettings(allowed_hosts=["127.0.0.1:*"], allowed_origins=["http://127.0.0.1:*"])
        server = create_server(access_to(settings, assistant), _has_written_header)
        servers.append(LoopbackServer(HttpEndpoint(server, security)))
        return servers[-1].url

    yield start
    for server in servers:
        server.stop()


def _has_written_header(context: Any) -> bool:
    return context.request is not None and context.request.headers.get("x-scope") == "write"


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_the_official_client_asks_and_verifies_over_http(serve: Callable[..., str], mode: str) -> None:
    messages: list[str | None] = []

    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        messages.append(message)

    async def conversation() -> None:
        async with Client(serve(), mode=mode) as client:
            assert len((await client.list_tools()).tools) == 7
            answer = await client.call_tool("ask", {"question": BEES}, progress_callback=on_progress)
            passage = answer.structured_content["citations"][0]["passages"][0]["text"]
            assert passage in PAPERS[0]["abstract"]
            claims = (await client.call_tool("verify", {"text": passage})).structured_content["claims"]
            assert claims[0]["verdict"] == "supported"

    anyio.run(conversation)
    assert "searching" in messages


def test_many_clients_at_once_get_their_own_answers(serve: Callable[..., str]) -> None:
    url = serve()

    async def ask(title: str, author: str) -> None:
        async with Client(url) as client:
            papers = (await client.call_tool("list", {"filter": f"author:{author}"})).structured_content["papers"]
            assert [paper["title"] for paper in papers] == [title]
            claims = await client.call_tool("verify", {"text": f"{title}.", "id": papers[0]["id"]})
            assert claims.structured_content["claims"][0]["claim"] == f"{title}."

    async def conversation() -> None:
        async with anyio.create_task_group() as clients:
            for number in range(20):
                paper = PAPERS[number % 2]
                clients.start_soon(ask, paper["title"], paper["authors"][0].split()[1])

    anyio.run(conversation)


def test_a_client_that_goes_away_stops_its_model(serve: Callable[..., str]) -> None:
    stopped = threading.Event()

    class WaitingLLM(ScriptedLLM):
        def stream(self, *_: Any) -> Iterator[str]:
            try:
                for _number in range(600):
                    yield "word "
                    stopped.wait(0.05)
            except GeneratorExit:
                stopped.set()
                raise

    async def conversation() -> None:
        async with Client(serve(WaitingLLM())) as client:

            async def on_progress(progress: float, total: float | None, message: str | None) -> None:
                if message == "answering":
                    scope.cancel()

            with anyio.CancelScope() as scope, anyio.fail_after(30):
                await client.call_tool("ask", {"question": BEES}, progress_callback=on_progress)
            assert scope.cancelled_caught

    anyio.run(conversation)
    assert stopped.wait(10)


def test_a_failing_model_is_no_error_of_the_server(serve: Callable[..., str]) -> None:
    async def conversation() -> None:
        async with Client(serve(UnreliableLLM("word ", raises={1: MemoryError("no memory")}))) as client:
            result = await client.call_tool("ask", {"question": BEES})
            assert result.is_error
            assert "MemoryError" in result.content[0].text  # type: ignore[union-attr]
            assert not (await client.call_tool("list", {})).is_error

    anyio.run(conversation)


def test_only_requests_with_the_right_to_write_see_the_tool_that_adds(serve: Callable[..., str]) -> None:
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    url = serve()

    async def conversation() -> None:
        async with Client(url) as client:
            with pytest.raises(MCPError, match="no tool 'add'"):
                await client.call_tool("add", {"papers": [{"title": "x"}]})
        async with (
            httpx2.AsyncClient(headers={"x-scope": "write"}, timeout=30) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            assert "add" in [tool.name for tool in (await client.list_tools()).tools]

    anyio.run(conversation)


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        (ACCEPT | {"origin": "https://evil.example"}, b"{}", 403),
        (ACCEPT | {"host": "evil.example"}, b"{}", 421),
        (ACCEPT, b"{", 400),
        (ACCEPT, b"[" * 100_000, 400),
        (ACCEPT, b"x" * 10_000_000, 413),
        (ACCEPT | {"mcp-session-id": "unknown"}, b'{"jsonrpc": "2.0", "id": 1, "method": "ping"}', 404),
    ],
)
def test_bad_requests_are_refused(serve: Callable[..., str], headers: dict[str, str], body: bytes, status: int) -> None:
    url = serve()
    assert httpx.post(url, headers=headers, content=body).status_code == status
    reply = httpx.get(url, headers=ACCEPT)
    assert reply.status_code in (400, 405)
