"""A real server with the packaged models: many clients at once get their own answers, and memory stays bounded.

`pytest -s tests/contract/test_load.py -m slow -k fifty` prints how long fifty users wait, and how many answers a second
they get together.
"""

from __future__ import annotations

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT, SEEDS
from ui.users import add_user

pytestmark = pytest.mark.slow

CLIENTS, ANSWERS = 20, 100
# Users who ask at once, questions of each, and the password of all.
USERS, TURNS = [f"u{number}" for number in range(50)], 3
PASSWORD = "correct horse battery"  # noqa: S105
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
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a library of the seeds."""
    home = tmp_path_factory.mktemp("load")
    command = [sys.executable, "-m", "ui.cli", "--home", str(home), "ingest", str(SEEDS)]
    subprocess.run(command, env=environment(), capture_output=True, check=True)
    return home


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[tuple[int, str]]:
    """Serve the seeds to this machine, and return the process id and the address."""
    with served(home) as running:
        yield running


@pytest.fixture(scope="module")
def lab(home: Path) -> Iterator[str]:
    """Serve the seeds to users who log in, and return the address."""
    users = home / "users"
    for name in USERS:
        add_user(users, name, PASSWORD)
    with served(home, PAPERCHAT_AUTH=str(users)) as (_, address):
        yield address


def environment(**variables: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PAPERCHAT_")}
    return inherited | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | variables


@contextmanager
def served(home: Path, **variables: str) -> Iterator[tuple[int, str]]:
    """Serve a library by the command, and return its process id and its address; it ends in order."""
    serve = [sys.executable, "-m", "ui.cli", "--home", str(home), "serve", "--no-page", "--port", "0"]
    with subprocess.Popen(serve, env=environment(**variables), stdout=subprocess.PIPE, text=True) as process:
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


class User:
    """One of the users who ask at the same time, with questions of their own, who waits where the server is busy."""

    def __init__(self, address: str, name: str) -> None:
        self._client = httpx.Client(base_url=address, auth=(name, PASSWORD), timeout=600)
        self.name, self.refused = name, 0
        self.seconds: list[float] = []

    def __enter__(self) -> User:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def questions(self) -> list[str]:
        return [f"{QUESTIONS[(int(self.name[1:]) + turn) % len(QUESTIONS)]} asks {self.name}" for turn in range(TURNS)]

    def ask_all(self) -> list[str]:
        """Ask every question, in one conversation, and return the texts of the answers."""
        texts, conversation = [], None
        for number, question in enumerate(self.questions()):
            answer = self._ask({"question": question, "conversation": conversation, "save": True}, number % 2 == 1)
            assert answer["question"] == question
            assert conversation in (None, answer["conversation"])
            conversation = answer["conversation"]
            texts.append(answer["text"])
        return texts

    def stored(self) -> list[str]:
        """Return the questions of all stored conversations."""
        listed = self._client.get("/api/v1/conversations").json()["conversations"]
        shown = [self._client.get(f"/api/v1/conversations/{conversation['id']}").json() for conversation in listed]
        return [turn["question"] for conversation in shown for turn in conversation["turns"]]

    def _ask(self, body: dict[str, Any], stream: bool) -> dict[str, Any]:
        started = time.perf_counter()
        while (reply := self._client.post("/api/v1/ask", json=body | {"stream": stream})).status_code == 429:
            self.refused += 1
            time.sleep(float(reply.headers["retry-after"]))
        self.seconds.append(time.perf_counter() - started)
        assert reply.status_code == 200, reply.text
        last = reply.text.strip().rsplit("event: answer\ndata: ", 1)[-1] if stream else reply.text
        return dict(json.loads(last))


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


@pytest.mark.timeout(1800)
def test_fifty_users_at_once_get_answers_and_conversations_of_their_own(lab: str) -> None:
    with User(lab, USERS[0]) as first:
        alone = first.ask_all()
    with ExitStack() as opened, ThreadPoolExecutor(len(USERS)) as clients:
        users = [opened.enter_context(User(lab, name)) for name in USERS]
        started = time.perf_counter()
        answers = list(clients.map(User.ask_all, users))
        elapsed = time.perf_counter() - started
        stored = [user.stored() for user in users]
    assert answers[0] == alone, "what an answer says does not depend on who else asks"
    assert sorted(stored[0]) == sorted(users[0].questions() * 2)
    assert [sorted(questions) for questions in stored[1:]] == [sorted(user.questions()) for user in users[1:]]
    seconds = sorted(second for user in users for second in user.seconds)
    p95 = statistics.quantiles(seconds, n=20)[-1]
    refused = sum(user.refused for user in users)
    print(
        f"\n{len(seconds)} answers to {len(users)} users at once: {len(seconds) / elapsed:.1f} a second; "
        f"p50 {statistics.median(seconds):.1f} s, p95 {p95:.1f} s; told to come again {refused} times"
    )
