"""A call of a tool: it runs in a thread, reports its progress, and ends when the client cancels it or goes away."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
from anyio import from_thread, to_thread

from assistant.errors import PaperchatError
from assistant.serialization import Json

if TYPE_CHECKING:
    from mcp.server.session import ServerSession

    from assistant.chat import Assistant
    from ui.mcp.access import LibraryAccess

# Calls that run at once, and that wait for their turn.
_RUNNING = 4
_WAITING = 32
# Seconds between two reports of progress.
_PAUSE = 0.25


class BusyError(PaperchatError):
    """Too many calls are waiting."""


class ToolCall:
    """One call as the thread that runs it sees it."""

    def __init__(self, access: LibraryAccess, session: ServerSession) -> None:
        self.access = access
        self._session = session
        self._steps, self._reported = 0, 0.0

    def report(self, message: str) -> None:
        """Report progress to the client. Raises the exception of a cancelled call, which ends the thread."""
        from_thread.check_cancelled()
        if time.monotonic() - self._reported < _PAUSE:
            return
        self._steps, self._reported = self._steps + 1, time.monotonic()
        from_thread.run(partial(self._session.report_progress, self._steps, None, message))

    def assistant(self) -> Assistant:
        """Return the assistant, once its models are loaded. Raises LibraryError and ModelError."""
        return self.access.assistant(lambda: self.report("loading the models"))


class CallQueue:
    """Runs calls in threads, a few at once; the next ones wait, and beyond those a call is refused."""

    def __init__(self) -> None:
        self._limiter = anyio.CapacityLimiter(_RUNNING)

    async def run(self, work: Callable[[], Json], *, may_abandon: bool = True) -> Json:
        """Return what the work returns. Raises BusyError.

        Where the call is cancelled, the work is abandoned: its thread ends at its next report. Work that may not be
        abandoned is waited for.
        """
        if self._limiter.statistics().tasks_waiting >= _WAITING:
            raise BusyError("the server is busy with other calls; repeat this one in a few seconds")
        result: Any = await to_thread.run_sync(work, abandon_on_cancel=may_abandon, limiter=self._limiter)
        return dict(result)
