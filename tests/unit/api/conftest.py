from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import httpx
import pytest

from assistant.chat import Assistant
from assistant.settings import Settings
from ui.api import server
from ui.api.server import Mounts, RunningApi, no_mounts
from ui.work_queue import WorkQueue

Serve = Callable[..., RunningApi]


def loaded(assistant: Assistant) -> Future[Assistant]:
    """Return an assistant that is loaded."""
    future: Future[Assistant] = Future()
    future.set_result(assistant)
    return future


@pytest.fixture
def serve_api(settings: Settings) -> Iterator[Serve]:
    """Return a function that serves the API over an assistant's library on a free port of this machine."""
    running: list[RunningApi] = []

    def serve(
        assistant: Assistant, queue: WorkQueue | None = None, mounts: Mounts = no_mounts, **changes: Any
    ) -> RunningApi:
        changed = settings.model_copy(update={"port": 0, **changes})
        running.append(server.start(changed, loaded(assistant), mounts, queue))
        return running[-1]

    yield serve
    for served in running:
        served.close()


@pytest.fixture
def api(serve_api: Serve, assistant: Assistant) -> Iterator[httpx.Client]:
    """Return a client of the API over the three papers."""
    with httpx.Client(base_url=serve_api(assistant).address, timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def shared_servers() -> Iterator[list[RunningApi]]:
    """Yield a list for the server that all uses of `read_api` share; the first of them starts it."""
    shared: list[RunningApi] = []
    yield shared
    for served in shared:
        served.close()


@pytest.fixture
def read_api(shared_servers: list[RunningApi], reader: Assistant) -> Iterator[httpx.Client]:
    """Return a client of a shared API over the three papers, for tests that change nothing."""
    if not shared_servers:
        changed = reader.settings.model_copy(update={"port": 0, "home": reader.library.home})
        shared_servers.append(server.start(changed, loaded(reader)))
    with httpx.Client(base_url=shared_servers[0].address, timeout=60) as client:
        yield client
