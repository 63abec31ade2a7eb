"""The server as a process of its own, as a client starts it: official client, real pipes."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from assistant import factory
from assistant.storage.catalog import Catalog

pytestmark = pytest.mark.slow

HEAVY = {"torch", "sentence_transformers", "gradio", "chromadb", "transformers", "sqlalchemy", "numpy", "llama_index"}
# From the end of its input to the end of the process.
PROMPT_SECONDS = 5.0
QUESTION = "How do honey bees communicate the place of flowers by a waggle dance?"

Parameters = Callable[..., StdioServerParameters]


def request(number: int, method: str, **params: Any) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


INITIALIZE = request(
    1,
    "initialize",
    protocolVersion="2025-06-18",
    capabilities={},
    clientInfo={"name": "test", "version": "1"},
)
INITIALIZED = json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"})
ASK = request(3, "tools/call", name="ask", arguments={"question": QUESTION}, _meta={"progressToken": 3})


class Process:
    """A server process with its pipes, used without any client's help."""

    def __init__(self, parameters: StdioServerParameters) -> None:
        self._process = subprocess.Popen(
            [parameters.command, *parameters.args],
            env=os.environ | (parameters.env or {}),
            cwd=parameters.cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def send(self, *messages: str) -> None:
        assert self._process.stdin
        self._process.stdin.write("".join(f"{message}\n" for message in messages))
        self._process.stdin.flush()

    def receive(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())

    def stop_reading(self) -> None:
        assert self._process.stdout
        self._process.stdout.close()

    def close(self) -> tuple[int, float, str]:
        """Close its input; return the exit code, the seconds until it ended, and standard error."""
        started = time.monotonic()
        assert self._process.stdin
        assert self._process.stderr
        self._process.stdin.close()
        errors = self._process.stderr.read()
        code = self._process.wait(60)
        for stream in (self._process.stdout, self._process.stderr):
            if stream:
                stream.close()
        return code, time.monotonic() - started, errors


def test_the_handshake_and_the_tools_need_no_heavy_import(
    server_process: Parameters, filled_home: Path, tmp_path: Path
) -> None:
    process = Process(server_process(fakes="modules"))
    process.send(INITIALIZE, INITIALIZED, request(2, "tools/list"))
    assert process.receive()["result"]["serverInfo"]["name"] == "paperchat"
    assert len(process.receive()["result"]["tools"]) == 7
    code, _, errors = process.close()
    assert (code, errors) == (0, "")
    assert HEAVY & set(json.loads((tmp_path / "modules.json").read_text())) == set()


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
def test_an_agent_asks_quotes_and_verifies_through_the_protocol_alone(
    server_process: Parameters, filled_home: Path, mode: str
) -> None:
    async def agent() -> None:
        async with Client(server_process(), mode=mode) as client:
            answer = (await client.call_tool("ask", {"question": QUESTION})).structured_content
            quotations = [
                (citation["paper"], passage["text"])
                for citation in answer["citations"]
                for passage in citation["passages"]
            ]
            assert quotations
            draft = " ".join(text for _, text in quotations) + " Older bees do not dance longer."
            claims = (await client.call_tool("verify", {"text": draft})).structured_content["claims"]
            assert {claim["verdict"] for claim in claims[:-1]} == {"supported"}
            assert claims[-1]["verdict"] == "contradicted"
            for paper, text in quotations:
                document = (await client.call_tool("fetch", {"id": paper["id"]})).structured_content
                assert text in document["text"]

    anyio.run(agent)


def test_long_calls_report_progress_and_can_be_cancelled(
    server_process: Parameters, filled_home: Path, tmp_path: Path
) -> None:
    messages: list[str | None] = []

    async def conversation() -> None:
        async with Client(server_process(fakes="slow-llm"), mode="legacy") as client:
            await client.list_tools()

            async def on_progress(progress: float, total: float | None, message: str | None) -> None:
                messages.append(message)
                if message == "answering":
                    scope.cancel()

            with anyio.CancelScope() as scope, anyio.fail_after(60):
                await client.call_tool("ask", {"question": QUESTION}, progress_callback=on_progress)
            assert scope.cancelled_caught
            with anyio.fail_after(10):
                while not (tmp_path / "stopped.txt").exists():
                    await anyio.sleep(0.05)
            assert not (await client.call_tool("list", {})).is_error

    anyio.run(conversation)
    assert "answering" in messages


def test_what_libraries_print_never_reaches_the_protocol(server_process: Parameters, filled_home: Path) -> None:
    process = Process(server_process(fakes="noise"))
    process.send(INITIALIZE, INITIALIZED, ASK)
    replies = [process.receive()]
    while replies[-1].get("id") != 3:
        replies.append(process.receive())
    assert all(reply["jsonrpc"] == "2.0" for reply in replies)
    code, _, errors = process.close()
    assert code == 0
    assert "a library prints to standard output" in errors
    assert "and a library in C does, too" in errors


@pytest.mark.parametrize("fakes", ["slow-models", "slow-llm"])
@pytest.mark.parametrize("stops_reading", [False, True])
def test_the_process_ends_at_once_and_in_silence_where_the_client_closes_in_the_middle(
    server_process: Parameters, filled_home: Path, fakes: str, stops_reading: bool
) -> None:
    process = Process(server_process(fakes=fakes))
    process.send(INITIALIZE, INITIALIZED, ASK)
    process.receive()
    assert process.receive()["method"] == "notifications/progress"
    if stops_reading:
        process.stop_reading()
        time.sleep(1)
    code, seconds, errors = process.close()
    assert (code, errors) == (0, "")
    assert seconds < PROMPT_SECONDS


def test_a_client_that_never_reads_cannot_keep_the_process(server_process: Parameters, filled_home: Path) -> None:
    process = Process(server_process())
    process.send(INITIALIZE, INITIALIZED, *(request(number, "tools/list") for number in range(2, 102)))
    time.sleep(2)
    code, seconds, errors = process.close()
    assert (code, errors) == (0, "")
    assert seconds < 2 * PROMPT_SECONDS


def test_what_is_being_written_is_finished_where_the_client_closes_in_the_middle(
    server_process: Parameters, filled_home: Path
) -> None:
    paper = {"title": "Whale song", "abstract": "Whales sing across the whole ocean. " * 8}
    add = request(3, "tools/call", name="add", arguments={"papers": [paper]}, _meta={"progressToken": 3})
    process = Process(server_process("mcp", "--allow-add", fakes="slow-index"))
    process.send(INITIALIZE, INITIALIZED, add)
    process.receive()
    while process.receive()["params"]["message"] != "records read: 1":
        pass
    code, _, errors = process.close()
    assert (code, errors) == (0, "")
    with closing(Catalog(filled_home / factory.CATALOG_FILE)) as catalog:
        assert (catalog.papers.count(), catalog.ledger.pending_count()) == (4, 0)


def test_what_is_no_message_changes_nothing(server_process: Parameters, filled_home: Path) -> None:
    process = Process(server_process())
    process.send("{", "nothing", '"text"', "[]", "\x00", INITIALIZE, INITIALIZED)
    reply = process.receive()
    while reply.get("id") != 1:
        reply = process.receive()
    process.send(request(2, "tools/call", name="list", arguments=[]), request(4, "nothing/at_all"))
    replies = {reply["id"]: reply for reply in (process.receive(), process.receive())}
    assert "error" in replies[2]
    assert "error" in replies[4]
    process.send(request(5, "tools/call", name="list", arguments={}))
    assert process.receive()["result"]["structuredContent"]["total"] == 3
    assert process.close()[0] == 0


def test_a_library_that_cannot_be_opened_is_a_tool_error(server_process: Parameters, filled_home: Path) -> None:
    (filled_home / "catalog.db").write_bytes(b"no database" * 1000)

    async def conversation() -> None:
        async with Client(server_process()) as client:
            assert len((await client.list_tools()).tools) == 7
            for tool, arguments in (("ask", {"question": QUESTION}), ("list", {})):
                result = await client.call_tool(tool, arguments)
                assert result.is_error
                assert "catalog.db" in result.content[0].text  # type: ignore[union-attr]

    anyio.run(conversation)
