"""Calls wait for their turn, are refused beyond a number, and leave the queue when they are cancelled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import anyio
import pytest
from anyio import to_thread

from assistant.serialization import Json
from ui.mcp.calls import ToolCall
from ui.work_queue import QueueFullError, WorkQueue


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
def make_call(session: RecordingSession) -> Callable[[], ToolCall]:
    """Return a function that returns a new call of the session."""
    return lambda: ToolCall(cast("Any", SimpleNamespace()), cast("Any", session), str)


@pytest.fixture
def call(make_call: Callable[[], ToolCall]) -> ToolCall:
    return make_call()


@pytest.fixture
def end() -> Iterator[threading.Event]:
    """Yield the event that ends the work of a test, also if the test fails."""
    event = threading.Event()
    yield event
    event.set()


def test_beyond_a_number_calls_are_refused_and_none_is_lost(
    make_call: Callable[[], ToolCall], end: threading.Event
) -> None:
    numbers: list[Json] = []

    async def main() -> None:
        queue = WorkQueue(running=2, waiting=3)

        async def run(number: int) -> None:
            numbers.append(await make_call().run(queue, lambda: {"number": number} if end.wait(30) else {}))

        async with anyio.create_task_group() as tasks:
            for number in range(5):
                tasks.start_soon(run, number)
            await anyio.sleep(0.5)
            with pytest.raises(QueueFullError, match="try again"):
                await make_call().run(queue, dict)
            end.set()

    anyio.run(main)
    assert sorted(result["number"] for result in numbers) == [0, 1, 2, 3, 4]


def test_a_cancelled_call_that_has_begun_counts_until_its_thread_has_ended(
    make_call: Callable[[], ToolCall], session: RecordingSession, end: threading.Event
) -> None:
    async def main() -> None:
        queue = WorkQueue(running=1)
        with anyio.move_on_after(0.2):
            await make_call().run(queue, lambda: {"ended": end.wait(30)})
        with anyio.move_on_after(0.8) as waiting:
            await make_call().run(queue, dict)
        assert waiting.cancelled_caught
        end.set()
        with anyio.fail_after(10):
            assert await make_call().run(queue, lambda: {"a": 1}) == {"a": 1}

    anyio.run(main)
    assert "waiting for other calls" in session.messages


def test_a_call_that_is_cancelled_while_it_waits_leaves_the_queue_at_once(
    make_call: Callable[[], ToolCall], end: threading.Event
) -> None:
    async def main() -> None:
        queue = WorkQueue(running=1, waiting=1)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(make_call().run, queue, lambda: {"ended": end.wait(30)})
            await anyio.sleep(0.2)
            for _ in range(3):
                with anyio.move_on_after(0.1) as waiting:
                    await make_call().run(queue, dict)
                assert waiting.cancelled_caught, "it waited, and was not refused"
            end.set()

    anyio.run(main)


def test_the_thread_of_a_cancelled_call_ends_at_its_next_report(
    make_call: Callable[[], ToolCall], end: threading.Event
) -> None:
    call, ended = make_call(), threading.Event()

    def work() -> Json:
        end.wait(30)
        try:
            call.report("answering")
        except asyncio.CancelledError:
            ended.set()
            raise
        return {}

    async def main() -> None:
        with anyio.move_on_after(0.2):
            await call.run(WorkQueue(), work)
        end.set()
        assert await to_thread.run_sync(ended.wait, 10)

    anyio.run(main)


def test_writing_waits_for_no_progress_to_be_sent_where_the_client_has_gone(call: ToolCall) -> None:
    async def main() -> None:
        await call.run(WorkQueue(), dict)

    asyncio.run(main())  # its loop is closed, as when the client has closed
    call.report_writing("records read: 1")


def test_progress_of_writing_reaches_the_client(call: ToolCall, session: RecordingSession) -> None:
    async def main() -> None:
        def write() -> Json:
            call.report_writing("records read: 1")
            return {}

        await call.run(WorkQueue(), write)
        await asyncio.sleep(0.01)

    anyio.run(main)
    assert session.messages == ["records read: 1"]
