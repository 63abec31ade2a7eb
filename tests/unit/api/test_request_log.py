"""One line for each request, with an id that the client, the reply and every thread that works for it share."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from assistant.chat import Assistant
from assistant.settings import Settings
from tests.conftest import BEES
from tests.unit.api.conftest import Serve
from ui import logs
from ui.api.tokens import open_tokens
from ui.permissions import Role
from ui.request_context import RequestFacts, answering, current_request, on_behalf_of
from ui.users import add_user

EVERYWHERE = "0.0.0.0"  # noqa: S104
PASSWORD = "correct horse battery"  # noqa: S105
Lines = list[dict[str, Any]]
Log = Callable[..., Lines]
Written = Callable[..., list[str]]


@pytest.fixture
def capture(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Written]]:
    """Return a function that sets the log up, and returns what reads the lines since it did so last.

    It waits for so many lines with an id: a request is logged once it has been answered, which its client knows before.
    """

    def start(configure: Callable[..., None], *arguments: str) -> Written:
        monkeypatch.setattr(sys, "stderr", stream := io.StringIO())
        configure(*arguments)

        def lines(count: int = 0) -> list[str]:
            for _ in range(1000):
                if (text := stream.getvalue()).count("request_id") >= count:
                    break
                time.sleep(0.01)
            stream.seek(0)
            stream.truncate()
            return text.splitlines()

        return lines

    yield start
    logs.configure(None)
    logging.getLogger("uvicorn").handlers.clear()


@pytest.fixture
def log(capture: Callable[..., Written]) -> Log:
    """Log as JSON at debug, and return what reads the lines."""
    written = capture(logs.configure, "debug", logs.JSON)
    return lambda count=0: list(map(json.loads, written(count)))


def requests(lines: Lines) -> Lines:
    return [line for line in lines if line["message"] == "request"]


def test_a_request_is_one_line_with_the_template_of_its_route_and_nothing_that_was_asked(
    api: httpx.Client, log: Log
) -> None:
    api.get("/api/v1/papers", params={"filter": "glaciers"})
    api.get("/api/v1/papers/0123456789abcdef")
    api.get("/nothing/here")
    api.post("/api/v1/ask", content=b"{", headers={"content-type": "application/json"})
    api.get("/v1/models/paperchat/none")
    lines = log(5)
    assert [(line["method"], line["route"], line["status"], line["level"]) for line in requests(lines)] == [
        ("GET", "/api/v1/papers", 200, "info"),
        ("GET", "/api/v1/papers/{paper_id}", 404, "info"),
        ("GET", "unmatched", 404, "info"),
        ("POST", "/api/v1/ask", 400, "info"),
        ("GET", "/v1/models/{name:path}", 404, "info"),
    ]
    assert all(line["ms"] > 0 for line in requests(lines))
    assert not [line for line in lines if "glaciers" in str(line) or "0123456789" in str(line)]


def test_what_is_asked_every_few_seconds_is_not_logged_at_info(api: httpx.Client, log: Log) -> None:
    for path in ("/healthz", "/readyz"):
        assert api.get(path).status_code == 200
    assert {line["level"] for line in requests(log(2))} == {"debug"}


@pytest.mark.parametrize("offered", ["abc-123", "A.b_c:9", "x" * 64])
def test_an_id_that_a_proxy_gives_is_the_id_everywhere(api: httpx.Client, log: Log, offered: str) -> None:
    reply = api.get("/api/v1/papers/none", headers={"x-request-id": offered})
    assert reply.headers["x-request-id"] == reply.json()["request_id"] == offered
    assert [line["request_id"] for line in requests(log(1))] == [offered]


@pytest.mark.parametrize("offered", ["", "x" * 65, "a b", "ü", "a\tb", "id=1,level"])
def test_an_id_that_could_forge_a_line_is_replaced(api: httpx.Client, offered: str) -> None:
    reply = api.get("/healthz", headers=[(b"x-request-id", offered.encode())])
    assert re.fullmatch(r"[0-9a-f]{16}", reply.headers["x-request-id"])


def test_every_thread_that_works_for_a_request_logs_its_id_and_no_other(api: httpx.Client, log: Log) -> None:
    def ask(number: int) -> None:
        body = {"question": f"{BEES} {number}", "stream": bool(number % 2)}
        reply = httpx.post(f"{api.base_url}/api/v1/ask", json=body, headers={"x-request-id": f"n{number}"}, timeout=60)
        assert reply.headers["x-request-id"] == f"n{number}"

    with ThreadPoolExecutor(8) as clients:
        list(clients.map(ask, range(16)))
    lines = log(32)
    questions = [line for line in lines if line["message"] == "question"]
    expected = {f"n{number}" for number in range(16)}
    for kind in (requests(lines), questions):
        assert len(kind) == 16
        assert {line["request_id"] for line in kind} == expected
    assert "honey bees" not in json.dumps(lines)


def test_an_error_within_a_stream_names_its_request(api: httpx.Client, log: Log) -> None:
    body = {"question": "auther:nonsense", "stream": True}
    reply = api.post("/api/v1/ask", json=body, headers={"x-request-id": "s1"})
    assert reply.json()["request_id"] == "s1"
    [question] = [line for line in log(1) if line["message"] == "question"]
    assert (question["request_id"], question["outcome"]) == ("s1", "failed:InputError")


def test_who_sent_a_request_is_in_its_line_by_name_and_without_a_secret(
    serve_api: Serve, assistant: Assistant, settings: Settings, log: Log
) -> None:
    users = settings.home / "users"
    add_user(users, "ann", PASSWORD)
    secret = open_tokens(settings).add("notebook", Role.READ)
    address = serve_api(assistant, host=EVERYWHERE, auth=users).address.replace(EVERYWHERE, "127.0.0.1")
    httpx.get(f"{address}/api/v1/status", auth=("ann", PASSWORD))
    httpx.get(f"{address}/api/v1/status", headers={"authorization": f"Bearer {secret}"})
    httpx.get(f"{address}/api/v1/status", auth=("ann", "a wrong password"))
    lines = log(3)
    assert [(line.get("caller"), line["status"]) for line in requests(lines)] == [
        ("user:ann", 200),
        ("token:notebook", 200),
        (None, 401),
    ]
    assert not [text for text in (secret, PASSWORD, "wrong password") if text in json.dumps(lines)]


def test_text_has_the_same_facts_and_the_id_at_its_end(api: httpx.Client, capture: Callable[..., Written]) -> None:
    written = capture(logs.configure, "info")
    api.post("/api/v1/search", json={"query": BEES}, headers={"x-request-id": "t1"})
    [line] = written(1)
    pattern = (
        r"\S+ \S+ INFO ui\.api\.request_log: request method=POST route=/api/v1/search status=200 ms=[\d.]+ "
        r"request_id=t1"
    )
    assert re.fullmatch(pattern, line)


@pytest.mark.parametrize("form", [logs.TEXT, logs.JSON])
def test_the_http_server_writes_its_warnings_in_the_same_form(form: str, capture: Callable[..., Written]) -> None:
    logging.getLogger("uvicorn").addHandler(logging.StreamHandler())  # as the server's own set-up does
    written = capture(logs.configure_server, form)
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.\nforged")
    logging.getLogger("uvicorn.error").info("not shown")
    [line] = written()
    if form == logs.JSON:
        assert json.loads(line)["message"] == "Invalid HTTP request received.\nforged"
    else:
        assert line.endswith("WARNING uvicorn.error: Invalid HTTP request received. forged")


def test_json_is_one_line_whatever_a_record_holds(log: Log) -> None:
    try:
        raise ValueError("one\ntwo")
    except ValueError:
        logging.getLogger("ui.anything").exception("broken\nname \x1b[2J")
    [line] = log()
    assert (line["level"], line["logger"], line["message"]) == ("error", "ui.anything", "broken\nname \x1b[2J")
    assert "ValueError: one\ntwo" in line["exception"]
    assert "request_id" not in line


def test_an_iterator_works_for_its_request_whoever_takes_its_items() -> None:
    closed: list[str] = []

    def items() -> Iterator[str]:
        try:
            for _ in range(3):
                request = current_request()
                yield request.id if request else ""
        finally:
            request = current_request()
            closed.append(request.id if request else "")

    with answering(RequestFacts("other")):
        iterator = on_behalf_of(RequestFacts("mine"), items())
        with ThreadPoolExecutor(1) as thread:
            assert [next(iterator), thread.submit(next, iterator).result()] == ["mine", "mine"]
        iterator.close()  # type: ignore[attr-defined]
    assert closed == ["mine"]
