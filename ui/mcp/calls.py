"""A call of a tool: it runs in a thread, reports its progress, and ends when the client cancels it or goes away."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from assistant.serialization import Json
from ui.work_queue import WorkQueue

if TYPE_CHECKING:
    from mcp.server.session import ServerSession

    from assistant.chat import Assistant
    from ui.mcp.access import LibraryAccess
    from ui.mcp.results import Address

# Seconds between two reports of progress.
_PAUSE = 0.25


class ToolCall:
    """One call as the thread that runs it sees it; `address` is where on this server its client finds a paper."""

    def __init__(self, access: LibraryAccess, session: ServerSession, address: Address) -> None:
        self.access, self.address = access, address
        self._session = session
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sending: asyncio.Task[None] | None = None
        self._begun, self._cancelled = threading.Event(), threading.Event()
        self._steps, self._reported = 0, 0.0

    async def run(self, queue: WorkQueue, work: Callable[[], Json]) -> Json:
        """Return what the work returns, once it is the call's turn; report meanwhile that it waits.

        Where the call is cancelled, the work is abandoned: its thread ends at its next report. Raises QueueFullError.
        """

        def begin() -> Json:
            self._begun.set()
            return work()

        self._loop = asyncio.get_running_loop()
        waiting = self._loop.create_task(self._report_waiting())
        try:
            return await queue.run(begin)
        except asyncio.CancelledError:
            self._cancelled.set()
            raise
        finally:
            waiting.cancel()

    def report(self, message: str) -> None:
        """Report progress to the client. Raises CancelledError in the thread of a cancelled call, which ends it."""
        if self._cancelled.is_set():
            raise asyncio.CancelledError
        if time.monotonic() - self._reported >= _PAUSE:
            self._reported = time.monotonic()
            self.report_writing(message)

    def report_writing(self, message: str) -> None:
        """Report progress of work that goes on to its end, even where nobody waits for it any more.

        Does not wait for it to be sent: the event loop ends with the client, and would hold up what is being done.
        """
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._start_sending, self._loop, message)

    def assistant(self) -> Assistant:
        """Return the assistant, once its models are loaded. Raises LibraryError and ModelError."""
        return self.access.assistant(lambda: self.report("loading the models"))

    async def _report_waiting(self) -> None:
        await asyncio.sleep(_PAUSE)
        while not self._begun.is_set():
            await self._send("waiting for other calls")
            await asyncio.sleep(_PAUSE)

    def _start_sending(self, loop: asyncio.AbstractEventLoop, message: str) -> None:
        if self._sending is None or self._sending.done():  # one at a time: a client may not read
            self._sending = loop.create_task(self._send(message))

    async def _send(self, message: str) -> None:
        self._steps += 1
        with suppress(Exception):  # the client has gone
            await self._session.report_progress(self._steps, None, message)
