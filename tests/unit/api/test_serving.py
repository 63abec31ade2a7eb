"""One server for many clients: nothing is mixed, nothing grows without bound, and what nobody reads is stopped."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from assistant import factory
from assistant.chat import Assistant
from assistant.schema import EVERYTHING, Answer, Message, Record, Sampling, Scope, Strength, Turn
from assistant.settings import Settings
from ingest import pipeline
from tests.conftest import BEES, ROOT
from tests.fakes import ScriptedLLM, WordHashEmbedder
from tests.libraries import lock
from tests.unit.api.conftest import Serve
from tests.unit.api.echo import Echo
from ui.api.event_stream import EventStream
from ui.work_queue import WorkQueue

QUESTIONS = {
    BEES: "waggle dance",
    "How much of their ice did glaciers in the northern Alps lose?": "third of their ice",
    "By what does sourdough bread rise?": "wild yeast",
}


class EndlessLLM(ScriptedLLM):
    """An LLM that begins a sentence and does not end it until it is stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.running, self.stopped = threading.Semaphore(0), threading.Semaphore(0)

    def stream(self, messages: Sequence[Message], sampling: Sampling | None = None) -> Iterator[str]:
        self.running.release()
        try:
            yield "Honey bees communicate the place of flowers by a dance. "
            while True:
                time.sleep(0.005)
                yield ""
        finally:
            self.stopped.release()


@pytest.fixture
def endless(assistant: Assistant) -> tuple[EndlessLLM, Assistant]:
    """Return a language model that never ends, and an assistant that answers all by it."""
    settings = assistant.settings.model_copy(update={"firm_threshold": 0.0, "tentative_threshold": 0.0})
    llm = EndlessLLM()
    return llm, assistant.configured(settings, llm)


def body_of(path: str, stream: bool) -> dict[str, Any]:
    if path == "/api/v1/ask":
        return {"question": BEES, "stream": stream}
    return {"model": "paperchat", "stream": stream, "messages": [{"role": "user", "content": BEES}]}


def send(address: str, path: str, body: dict[str, Any]) -> socket.socket:
    """Send a request, and return the connection without reading the reply."""
    where, content = urlsplit(address), json.dumps(body).encode()
    connection = socket.create_connection((where.hostname, where.port), timeout=60)
    head = f"POST {path} HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Type: application/json\r\n"
    connection.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
    return connection


@pytest.mark.parametrize("path", ["/api/v1/ask", "/v1/chat/completions"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_goes_away_stops_its_model(
    serve_api: Serve, endless: tuple[EndlessLLM, Assistant], path: str, stream: bool
) -> None:
    llm, assistant = endless
    connection = send(serve_api(assistant).address, path, body_of(path, stream))
    assert llm.running.acquire(timeout=30)
    connection.close()
    assert llm.stopped.acquire(timeout=30)


class FloodingAssistant(Assistant):
    """An assistant whose answers never end, and change as a whole each time."""

    flooded = 0
    stopped = threading.Event()

    def stream(self, question: str, history: Sequence[Turn] = (), scope: Scope = EVERYTHING) -> Iterator[Answer]:
        self.stopped.clear()
        try:
            for letter in itertools.cycle("ab"):
                yield Answer(question, question, Strength.FIRM, 1.0, letter * 100_000, done=False)
                self.flooded += 1
        finally:
            self.stopped.set()


def test_a_client_that_never_reads_its_stream_is_given_up(
    serve_api: Serve, assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EventStream, "read_timeout", 1.0)
    flooding = FloodingAssistant(assistant.library, assistant.settings, assistant.reader)
    address = serve_api(flooding).address
    with closing(send(address, "/api/v1/ask", body_of("/api/v1/ask", stream=True))):
        assert flooding.stopped.wait(timeout=30)
        assert flooding.flooded < 1000, "what is not read is not made"
        assert httpx.get(f"{address}/api/v1/health").status_code == 200


class BrokenAssistant(Assistant):
    """An assistant with a fault that nobody expected."""

    def stream(self, question: str, history: Sequence[Turn] = (), scope: Scope = EVERYTHING) -> Iterator[Answer]:
        yield Answer(question, question, Strength.FIRM, 1.0, "Bees dance. They do. So", done=False)
        raise RuntimeError("a secret of the server")


@pytest.mark.parametrize("path", ["/api/v1/ask", "/v1/chat/completions"])
@pytest.mark.parametrize("stream", [False, True])
def test_an_unexpected_fault_is_an_error_that_tells_nothing(
    serve_api: Serve, assistant: Assistant, path: str, stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    broken = BrokenAssistant(assistant.library, assistant.settings, assistant.reader)
    reply = httpx.post(f"{serve_api(broken).address}{path}", json=body_of(path, stream), timeout=60)
    assert reply.status_code == (200 if stream else 500)
    assert "went wrong" in reply.text
    assert "secret" not in reply.text
    assert "[DONE]" not in reply.text
    assert "RuntimeError" in "".join(record.message for record in caplog.records if record.name == "ui.api.problems")


def test_what_exceeds_the_queue_is_told_to_come_again(serve_api: Serve, endless: tuple[EndlessLLM, Assistant]) -> None:
    llm, assistant = endless
    running = serve_api(assistant, WorkQueue(running=1, waiting=1))
    with closing(send(running.address, "/api/v1/ask", body_of("/api/v1/ask", stream=True))) as first:
        assert llm.running.acquire(timeout=30)
        with closing(send(running.address, "/api/v1/ask", body_of("/api/v1/ask", stream=True))):
            for path in ("/api/v1/ask", "/v1/chat/completions"):
                refused = _refused(running.address, path)
                assert int(refused.headers["retry-after"]) > 0
            first.close()
            # The place of the one that has gone is taken by the one that waits.
            assert llm.stopped.acquire(timeout=30)
            assert llm.running.acquire(timeout=30)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/ask", body_of("/api/v1/ask", stream=False)),
        ("/api/v1/ask", body_of("/api/v1/ask", stream=True)),
        ("/v1/chat/completions", body_of("/v1/chat/completions", stream=True)),
        ("/api/v1/search", {"query": BEES}),
    ],
)
def test_a_client_that_leaves_while_it_waits_leaves_the_queue_at_once(
    serve_api: Serve, endless: tuple[EndlessLLM, Assistant], path: str, body: dict[str, Any]
) -> None:
    llm, assistant = endless
    queue = WorkQueue(running=1, waiting=1)
    address = serve_api(assistant, queue).address
    with closing(send(address, "/api/v1/ask", body_of("/api/v1/ask", stream=True))):
        assert llm.running.acquire(timeout=30)
        for _ in range(3):
            with closing(send(address, path, body)):
                _until(lambda: queue.waiting == 1)
            _until(lambda: queue.waiting == 0)


def _until(condition: Callable[[], bool]) -> None:
    for _ in range(500):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("the queue did not change")


def _refused(address: str, path: str) -> httpx.Response:
    """Return the refusal of a full queue, which may take a moment to be full."""
    for _ in range(100):
        with suppress(httpx.TimeoutException):
            reply = httpx.post(f"{address}{path}", json=body_of(path, stream=False), timeout=0.5)
            assert reply.status_code == 429
            return reply
    raise AssertionError("the queue never filled")


def test_twenty_clients_at_once_get_their_own_answers(serve_api: Serve, assistant: Assistant) -> None:
    address = serve_api(assistant).address

    def ask(number: int) -> bool:
        question, expected = list(QUESTIONS.items())[number % 3]
        if number % 2:
            reply = httpx.post(f"{address}/api/v1/ask", json={"question": question}, timeout=120).json()
            return reply["question"] == question and expected in reply["text"]
        chat = {"model": "paperchat", "messages": [{"role": "user", "content": question}]}
        reply = httpx.post(f"{address}/v1/chat/completions", json=chat, timeout=120).json()
        return expected in reply["choices"][0]["message"]["content"]

    with ThreadPoolExecutor(20) as threads:
        assert list(threads.map(ask, range(60))) == [True] * 60


def test_two_servers_serve_one_library(serve_api: Serve, assistant: Assistant) -> None:
    with closing(factory.open_library(assistant.settings, WordHashEmbedder())) as library:
        other = factory.open_assistant(assistant.settings, library)
        first, second = serve_api(assistant).address, serve_api(other).address
        record = {"records": [{"title": "Cats", "abstract": "Cats purr at a frequency of 25 hertz when content."}]}
        assert httpx.post(f"{first}/api/v1/papers", json=record, timeout=60).json()["added"] == 1
        for address in (first, second):
            hits = httpx.post(f"{address}/api/v1/search", json={"query": "At what frequency do cats purr?"}).json()
            assert hits["hits"][0]["paper"]["title"] == "Cats"


def test_while_another_process_writes_papers_questions_are_answered_and_changes_refused(
    serve_api: Serve, assistant: Assistant
) -> None:
    address = serve_api(assistant).address
    record = {"records": [{"abstract": "Cats purr at a frequency of 25 hertz when they are content."}]}
    with lock(assistant.settings.home):
        assert "waggle" in httpx.post(f"{address}/api/v1/ask", json={"question": BEES}, timeout=60).json()["text"]
        refused = httpx.post(f"{address}/api/v1/papers", json=record, timeout=60)
        assert refused.status_code == 409
        assert refused.headers["retry-after"]
    assert httpx.post(f"{address}/api/v1/papers", json=record, timeout=60).json()["added"] == 1


def test_questions_are_answered_while_papers_are_added(serve_api: Serve, assistant: Assistant) -> None:
    address = serve_api(assistant).address
    records = [Record(f"Cats number {n} purr at {n} hertz when they are content.", source="c") for n in range(300)]
    with ThreadPoolExecutor(2) as threads:
        adding = threads.submit(pipeline.ingest_records, records, assistant.library)
        while not adding.done():
            reply = httpx.post(f"{address}/api/v1/ask", json={"question": BEES}, timeout=60)
            assert (reply.status_code, "waggle" in reply.text) == (200, True)
        assert adding.result().records == 300


def test_what_is_mounted_is_open_while_the_api_is_served(serve_api: Serve, assistant: Assistant) -> None:
    echo = Echo()
    running = serve_api(assistant, mounts=echo.mounts)
    assert httpx.get(f"{running.address}/mcp").text == "/mcp write ok True"
    running.server.should_exit = True
    running.thread.join(20)
    assert not echo.is_open


def test_page_api_and_mounts_share_one_port(assistant: Assistant) -> None:
    environment = {"PYTHONPATH": str(ROOT), "PAPERCHAT_HOME": str(assistant.settings.home), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "tests.unit.api.page_and_api"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    replies = json.loads(done.stdout.splitlines()[-1])
    statuses = {name: status for name, (status, _, _) in replies.items()}
    refused = {"foreign": 403, "unknown": 404, "of the page": 404}
    assert statuses == dict.fromkeys(("page", "answer", "stream", "models", "mounted"), 200) | refused
    assert "gradio" in replies["page"][2]
    assert "waggle dance" in replies["answer"][2]
    assert "event: answer" in replies["stream"][2]
    assert replies["mounted"][2] == "/mcp write ok True"
    assert replies["unknown"][1] == "application/problem+json"
    assert replies["of the page"][1].startswith("text/html")


def test_the_api_alone_needs_no_gradio(settings: Settings) -> None:
    program = """
import sys, httpx
from concurrent.futures import Future
from assistant.settings import load
from ui.api import server
running = server.start(load(port=0), Future())
print(httpx.get(running.address + "/api/v1/health").json()["status"])
print(httpx.get(running.address + "/api/v1/papers").json()["total"])
running.close()
print([name for name in ("gradio", "torch", "sentence_transformers") if name in sys.modules])
"""
    environment = {"PYTHONPATH": str(ROOT), "PAPERCHAT_HOME": str(settings.home), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:3] == ["loading", "0", "[]"]


def test_the_command_serves_the_api_alone(settings: Settings) -> None:
    environment = {"PYTHONPATH": str(ROOT), "PAPERCHAT_HOME": str(settings.home), "PATH": "", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "ui.cli", "serve", "--no-page", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        line = process.stdout.readline()
        address = line.split("/api/v1")[0].split()[-1]
        assert f"{address}/api/v1, {address}/v1 and {address}/mcp" in line
        assert httpx.get(f"{address}/api/v1/health", timeout=60).status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
