"""A server that is told to stop: what runs may finish, what cannot ends well-formed, and the exit code is 0."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from assistant import factory
from assistant.settings import Settings
from tests.conftest import BEES, ROOT

pytestmark = [pytest.mark.timeout(900), pytest.mark.slow]
# Seconds that a process on a busy machine may take.
PATIENCE = 120
SIGNALS = [signal.SIGTERM, signal.SIGINT]


@dataclass(frozen=True)
class Server:
    """A running server, its address, and the folder by which its language model is told to finish."""

    process: subprocess.Popen[str]
    address: str
    flags: Path

    def until(self, condition: Callable[[], bool]) -> None:
        ends = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < ends, "it did not happen"
            time.sleep(0.01)

    def readyz(self) -> tuple[int, Mapping[str, str]]:
        reply = httpx.get(f"{self.address}/readyz", timeout=PATIENCE)
        return reply.status_code, reply.json()["parts"]

    def until_it_writes(self) -> None:
        self.until((self.flags / "writing").exists)

    def finish(self) -> None:
        (self.flags / "finish").touch()


@pytest.fixture
def start(settings: Settings, tmp_path: Path, papers_file: Path) -> Iterator[Callable[..., Server]]:
    """Return a function that serves the three papers with a language model that waits."""
    started: list[subprocess.Popen[str]] = []

    def start_server(kind: str = "api", **variables: object) -> Server:
        command = [sys.executable, "-m", "tests.unit.api.slow_server", kind, str(tmp_path), str(papers_file)]
        process = subprocess.Popen(
            command, env=environment(settings, **variables), cwd=ROOT, stdout=subprocess.PIPE, stderr=None, text=True
        )
        started.append(process)
        assert process.stdout
        address = process.stdout.readline().split("http://")[1].split()[0].removesuffix(",").split("/api")[0]
        return Server(process, f"http://{address}", tmp_path)

    yield start_server
    for process in started:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def environment(settings: Settings, **variables: object) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PAPERCHAT_")}
    named = {f"PAPERCHAT_{name.upper()}": str(value) for name, value in variables.items()}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "PAPERCHAT_HOME": str(settings.home)} | named


@contextmanager
def streaming(server: Server, path: str = "/api/v1/ask", **body: Any) -> Iterator[Iterator[str]]:
    """Ask for a stream, and return its lines from when the model writes."""
    sent = {"question": BEES, "stream": True, **body}
    with httpx.stream("POST", f"{server.address}{path}", json=sent, timeout=PATIENCE) as reply:
        lines = reply.iter_lines()
        server.until_it_writes()
        yield lines


def last_event(lines: Iterator[str]) -> tuple[str, dict[str, Any]]:
    """Return the name and the data of the last event; an end of the connection within one would be an error."""
    events = "\n".join(lines).strip().split("\n\n")
    name, _, data = events[-1].partition("\n")
    return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def stored(settings: Settings) -> list[int]:
    """Return the numbers of turns of the stored conversations."""
    with closing(factory.open_conversations(settings)) as conversations:
        return [conversation.turns for conversation in conversations.recent(limit=10)]


@pytest.mark.parametrize("number", SIGNALS)
def test_an_answer_that_is_being_written_is_finished_and_stored_and_nothing_else_is_begun(
    start: Callable[..., Server], settings: Settings, number: signal.Signals
) -> None:
    server = start(shutdown_seconds=PATIENCE)
    server.until(lambda: server.readyz()[0] == 200)
    with streaming(server, save=True) as lines:
        server.process.send_signal(number)
        server.until(lambda: server.readyz() == (503, {**server.readyz()[1], "server": "stopping"}))
        assert httpx.get(f"{server.address}/healthz").status_code == 200
        refused = httpx.post(f"{server.address}/api/v1/search", json={"query": BEES}, timeout=PATIENCE)
        assert (refused.status_code, refused.headers["connection"]) == (503, "close")
        assert int(refused.headers["retry-after"]) > 0
        assert server.process.poll() is None
        server.finish()
        name, answer = last_event(lines)
    assert name == "answer"
    assert "Older bees dance longer" in answer["text"]
    assert server.process.wait(PATIENCE) == 0
    assert stored(settings) == [1]


def test_a_stream_whose_time_is_up_ends_with_an_error_and_its_answer_is_not_stored(
    start: Callable[..., Server], settings: Settings
) -> None:
    server = start(shutdown_seconds=0.2)
    server.until(lambda: server.readyz()[0] == 200)
    with streaming(server, save=True) as lines:
        server.process.send_signal(signal.SIGTERM)
        name, problem = last_event(lines)
    assert (name, problem["status"]) == ("error", 503)
    assert "is being stopped" in problem["detail"]
    assert server.process.wait(PATIENCE) == 0
    assert stored(settings) == []


def test_a_chat_whose_time_is_up_ends_with_an_error_in_its_own_form(start: Callable[..., Server]) -> None:
    server = start(shutdown_seconds=0.2)
    server.until(lambda: server.readyz()[0] == 200)
    body = {"model": "paperchat", "stream": True, "messages": [{"role": "user", "content": BEES}]}
    with httpx.stream("POST", f"{server.address}/v1/chat/completions", json=body, timeout=PATIENCE) as reply:
        lines = reply.iter_lines()
        server.until_it_writes()
        server.process.send_signal(signal.SIGTERM)
        written = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    assert json.loads(written[-1])["error"]["type"] == "server_error"
    assert server.process.wait(PATIENCE) == 0


def test_a_second_signal_ends_the_process_at_once(start: Callable[..., Server]) -> None:
    server = start(shutdown_seconds=3600)
    server.until(lambda: server.readyz()[0] == 200)
    with streaming(server):
        server.process.send_signal(signal.SIGTERM)
        server.until(lambda: server.readyz()[0] == 503)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE) == -signal.SIGTERM


@pytest.mark.parametrize("number", SIGNALS)
def test_a_server_that_is_stopped_while_its_models_load_ends_in_order(
    settings: Settings, number: signal.Signals
) -> None:
    command = [sys.executable, "-m", "ui.cli", "serve", "--no-page", "--port", "0"]
    with subprocess.Popen(command, env=environment(settings), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert "/api/v1" in process.stdout.readline()
        process.send_signal(number)
        assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize("moment", range(10))
def test_it_ends_in_order_at_any_moment_of_loading(settings: Settings, moment: int) -> None:
    command = [sys.executable, "-m", "ui.cli", "serve", "--no-page", "--port", "0"]
    with subprocess.Popen(command, env=environment(settings), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert "/api/v1" in process.stdout.readline()
        time.sleep(moment * 0.3)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0


def test_the_page_stops_in_order_while_a_browser_is_connected(start: Callable[..., Server]) -> None:
    server = start("page", shutdown_seconds=PATIENCE)
    server.until(lambda: server.readyz()[0] == 200)
    with httpx.stream("GET", f"{server.address}/gradio_api/heartbeat/abc", timeout=PATIENCE) as heartbeat:
        assert heartbeat.status_code == 200
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE) == 0
