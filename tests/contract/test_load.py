"""A real server with the packaged models: twenty clients at once get their own answers, and memory stays bounded."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT, SEEDS

pytestmark = pytest.mark.slow

CLIENTS, ANSWERS = 20, 100
# What the process may grow by while it answers, beside the models that it has loaded.
MOST_GROWTH_MB = 150
QUESTIONS = (
    "Why does learning rate warmup help Adam?",
    "What is a transformer?",
    "How does AutoLRS choose a learning rate?",
    "Which papers are about theorem proving?",
    "What is the capital of Mongolia?",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str]]:
    """Serve the seeds by the command, and return its process id and its address."""
    home = tmp_path_factory.mktemp("load")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PAPERCHAT_")}
    environment |= {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "ui.cli", "--home", str(home)]
    subprocess.run([*command, "ingest", str(SEEDS)], env=environment, capture_output=True, check=True)
    serve = [*command, "serve", "--no-page", "--port", "0"]
    with subprocess.Popen(serve, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process.pid, process.stdout.readline().split("/api/v1")[0].split()[-1]
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def ask(address: str, number: int) -> str:
    """Return an answer; every other client uses OpenAI's form."""
    question = QUESTIONS[number % len(QUESTIONS)]
    if number % 2:
        return str(httpx.post(f"{address}/api/v1/ask", json={"question": question}, timeout=300).json()["text"])
    body = {"model": "paperchat", "messages": [{"role": "user", "content": question}]}
    reply = httpx.post(f"{address}/v1/chat/completions", json=body, timeout=300)
    return str(reply.json()["choices"][0]["message"]["content"])


def memory_mb(pid: int) -> int:
    """Return the memory that a process has now."""
    status = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert status
    return int(status[1]) // 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_twenty_clients_get_a_hundred_answers_of_their_own(server: tuple[int, str]) -> None:
    pid, address = server
    kinds = 2 * len(QUESTIONS)
    expected = [ask(address, number) for number in range(kinds)]
    assert len(set(expected)) > len(QUESTIONS)
    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(lambda number: ask(address, number), range(CLIENTS)))
        before = memory_mb(pid)
        answers = list(clients.map(lambda number: ask(address, number), range(ANSWERS)))
    assert answers == [expected[number % kinds] for number in range(ANSWERS)]
    assert memory_mb(pid) - before < MOST_GROWTH_MB
