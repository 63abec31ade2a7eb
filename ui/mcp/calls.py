"""A call of a tool: it runs in a thread, reports its progress, and ends when the client cancels it or goes away."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import anyio
from anyio import from_thread, to_thread

from assistant.errors import PaperchatError
from assistant.serialization import Json

if TYPE_CHECKING:
    from mcp.server.session import ServerSession

    from assistant.chat import Assistant
    from ui.mcp.access import LibraryAccess
    from ui.mcp.results import Address

# Calls that run at once, and that wait for their turn.
_RUNNING = 4
_WAITING = 32
# Seconds between two reports of progress.
_PAUSE = 0.25


class BusyError(PaperchatError):
    """Too many calls are waiting."""


class ToolCall:
    """One call as the thread that runs it sees it; `address` is where on this server its client finds a paper."""

    def __init__(self, access: LibraryAccess, session: ServerSession, address: Address) -> None:
        self.access, self.address = access, address
        self._session = session
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sending: asyncio.Task[None] | None = None
        self._steps, self._reported = 0, 0.0

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Remember the event loop of the client, in which the progress of writing is sent."""
        self._loop = loop

    def report(self, message: str) -> None:
        """Report progress to the client. Raises the exception of a cancelled call, which ends the thread."""
        from_thread.check_cancelled()
        if time.monotonic() - self._reported >= _PAUSE:
            self._send(message)

    def report_writing(self, message: str) -> None:
        """Report progress of work that goes on to its end, even where nobody waits for it any more.

        Does not wait for it to be sent: the event loop ends with the client, and would hold up what is being written.
        """
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._start_sending, self._loop, message)

    def assistant(self) -> Assistant:
        """Return the assistant, once its models are loaded. Raises LibraryError and ModelError."""
        return self.access.assistant(lambda: self.report("loading the models"))

    def _start_sending(self, loop: asyncio.AbstractEventLoop, message: str) -> None:
        self._steps += 1
        self._sending = loop.create_task(self._send_if_open(self._steps, message))

    async def _send_if_open(self, step: int, message: str) -> None:
        with suppress(Exception):
            await self._session.report_progress(step, None, message)

    def _send(self, message: str) -> None:
        self._steps, self._reported = self._steps + 1, time.monotonic()
        from_thread.run(partial(self._session.report_progress, self._steps, None, message))


class CallQueue:
    """Runs calls in threads, a few at once; the next ones wait, and beyond those a call is refused.

    The place of a cancelled call is free again when its thread has ended, so that abandoned threads stay few.
    """

    def __init__(self) -> None:
        self._turns = threading.BoundedSemaphore(_RUNNING)
        self._threads = anyio.CapacityLimiter(_RUNNING + _WAITING)

    async def run(self, call: ToolCall, work: Callable[[], Json]) -> Json:
        """Return what the work returns, once it is the call's turn. Raises BusyError.

        Where the call is cancelled, the work is abandoned: its thread ends at its next report.
        """

        def work_in_turn() -> Json:
            while not self._turns.acquire(timeout=_PAUSE):
                call.report("waiting for other calls")
            try:
                return work()
            finally:
                self._turns.release()

        call.begin(asyncio.get_running_loop())
        if self._threads.available_tokens < 1:
            raise BusyError("the server is busy with other calls; repeat this one in a few seconds")
        return await to_thread.run_sync(work_in_turn, abandon_on_cancel=True, limiter=self._threads)
