"""Calls wait for their turn, are refused beyond a number, and give their place back when their threads end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import anyio
import pytest

from assistant.serialization import Json
from ui.mcp import calls
from ui.mcp.calls import BusyError, CallQueue, ToolCall


class RecordingSession:
    """Records the messages of progress."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    async def report_progress(self, _progress: float, _total: float | None, message: str) -> None:
        self.messages.append(message)


@pytest.fixture
def session() -> RecordingSession:
    return RecordingSession()


@pytest.fixture
def call(session: RecordingSession) -> ToolCall:
    return ToolCall(cast("Any", SimpleNamespace()), cast("Any", session), str)


@pytest.fixture
def end() -> Iterator[threading.Event]:
    """Yield the event that ends the work of a test, also if the test fails."""
    event = threading.Event()
    yield event
    event.set()


def test_beyond_a_number_calls_are_refused_and_none_is_lost(call: ToolCall, end: threading.Event) -> None:
    numbers: list[Json] = []

    async def main() -> None:
        queue = CallQueue()

        async def run(number: int) -> None:
            numbers.append(await queue.run(call, lambda: {"number": number} if end.wait(30) else {}))

        async with anyio.create_task_group() as tasks:
            for number in range(calls._RUNNING + calls._WAITING):
                tasks.start_soon(run, number)
            await anyio.sleep(0.5)
            with pytest.raises(BusyError, match="repeat this one"):
                await queue.run(call, dict)
            end.set()

    anyio.run(main)
    assert sorted(result["number"] for result in numbers) == list(range(calls._RUNNING + calls._WAITING))


def test_a_cancelled_call_keeps_its_place_until_its_thread_has_ended(
    call: ToolCall, session: RecordingSession, end: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "_RUNNING", 1)

    async def main() -> None:
        queue = CallQueue()
        with anyio.move_on_after(0.2):
            await queue.run(call, lambda: {"ended": end.wait(30)})
        with anyio.move_on_after(0.8) as waiting:
            await queue.run(call, dict)
        assert waiting.cancelled_caught
        end.set()
        with anyio.fail_after(10):
            assert await queue.run(call, lambda: {"a": 1}) == {"a": 1}

    anyio.run(main)
    assert "waiting for other calls" in session.messages


def test_writing_waits_for_no_progress_to_be_sent_where_the_client_has_gone(call: ToolCall) -> None:
    loop = asyncio.new_event_loop()  # as it is when the client has closed: it runs no more
    call.begin(loop)
    call.report_writing("records read: 1")
    loop.close()
    call.report_writing("records read: 2")


def test_progress_of_writing_reaches_the_client(call: ToolCall, session: RecordingSession) -> None:
    async def main() -> None:
        def write() -> Json:
            call.report_writing("records read: 1")
            return {}

        await CallQueue().run(call, write)
        await asyncio.sleep(0.01)

    anyio.run(main)
    assert session.messages == ["records read: 1"]
