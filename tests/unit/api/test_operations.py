"""What those who run the server ask it: whether it is alive, and whether it can answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import httpx
import pytest

from assistant.chat import Assistant
from assistant.errors import LibraryError, ModelError, StoreUnavailable
from assistant.settings import Settings
from tests.unit.api.conftest import Serve, loaded
from ui.api import server
from ui.api.tokens import open_tokens
from ui.lifecycle import Lifecycle
from ui.permissions import Role
from ui.readiness import Readiness, ReadinessCheck
from ui.work_queue import WorkQueue

EVERYWHERE = "0.0.0.0"  # noqa: S104


@pytest.fixture
def starting(settings: Settings) -> Iterator[tuple[str, Future[Assistant]]]:
    """Return the address of a server whose models are not loaded yet, and what will be its assistant."""
    future: Future[Assistant] = Future()
    running = server.start(settings.model_copy(update={"port": 0}), future)
    yield running.address, future
    running.close()


def test_a_server_is_alive_before_its_models_are_loaded_and_ready_after(
    starting: tuple[str, Future[Assistant]], assistant: Assistant
) -> None:
    address, future = starting
    assert httpx.get(f"{address}/healthz").json() == {"status": "ok"}
    early = httpx.get(f"{address}/readyz")
    assert (early.status_code, early.json()["status"]) == (503, "not ready")
    assert early.json()["parts"] == {"server": "ok", "models": "loading", "catalog": "ok", "store": "loading"}
    future.set_result(assistant)
    later = until_ready(address)
    assert later.json() == {
        "status": "ready",
        "parts": {"server": "ok", "models": "ok", "catalog": "ok", "store": "ok"},
    }
    assert httpx.head(f"{address}/readyz").status_code == 200


def until_ready(address: str) -> httpx.Response:
    """Return the reply of a server that is ready; a result is used again for a second."""
    for _ in range(300):
        reply = httpx.get(f"{address}/readyz")
        if reply.status_code == 200:
            return reply
        threading.Event().wait(0.02)
    raise AssertionError(reply.text)


def test_models_that_cannot_be_loaded_are_named_without_the_reason(starting: tuple[str, Future[Assistant]]) -> None:
    address, future = starting
    future.set_exception(ModelError("the model at /secret/path is damaged"))
    reply = httpx.get(f"{address}/readyz")
    assert (reply.status_code, reply.json()["parts"]["models"]) == (503, "failed")
    assert "secret" not in reply.text
    assert httpx.get(f"{address}/healthz").status_code == 200


def test_a_store_that_cannot_be_reached_and_a_catalog_that_cannot_be_read_are_named_without_their_addresses(
    serve_api: Serve, assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> bool:
        raise StoreUnavailable("http://secret.example:8000")

    def damaged(*_: Any) -> int:
        raise LibraryError("/secret/catalog.db")

    running = serve_api(assistant)
    ledger = type(running.api.backend.catalog.ledger)
    monkeypatch.setattr(type(assistant.library.store), "is_empty", away)
    reply = httpx.get(f"{running.address}/readyz")
    assert (reply.status_code, reply.json()["parts"]["store"]) == (503, "unreachable")
    monkeypatch.setattr(ledger, "generation", property(damaged))
    second = serve_api(assistant)
    reply = httpx.get(f"{second.address}/readyz")
    assert reply.json()["parts"]["catalog"] == "unreadable"
    assert "secret" not in reply.text


def test_neither_waits_for_questions_nor_needs_credentials(
    serve_api: Serve, assistant: Assistant, settings: Settings
) -> None:
    open_tokens(settings).add("first", Role.READ)
    queue = WorkQueue(running=1, waiting=0)
    address = serve_api(assistant, queue, host=EVERYWHERE).address.replace(EVERYWHERE, "127.0.0.1")
    assert httpx.get(f"{address}/api/v1/status").status_code == 401
    assert httpx.get(f"{address}/healthz").status_code == httpx.get(f"{address}/readyz").status_code == 200


def test_a_part_that_is_silent_is_named_and_asked_once_however_many_want_to_know(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, replies = [], threading.Event()

    def silent(*_: Any) -> bool:
        asked.append(1)
        replies.wait(60)
        return False

    monkeypatch.setattr(type(assistant.library.store), "is_empty", silent)
    check = ReadinessCheck(loaded(assistant), assistant.library.catalog, Lifecycle(), patience=0.05)

    async def look() -> list[Readiness]:
        first = await asyncio.gather(*(check.readiness() for _ in range(10)))
        replies.set()
        while not (last := await check.readiness()).is_ready:
            await asyncio.sleep(0.01)
        return [*first, last]

    *first, last = asyncio.run(look())
    assert {readiness.parts["store"] for readiness in first} == {"silent"}
    assert {readiness.parts["catalog"] for readiness in first} == {"ok"}
    assert last.is_ready
    assert len(asked) == 1
