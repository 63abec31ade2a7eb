"""Work in threads for everybody whom a server answers: a few at a time, a bounded number waiting.

What is no longer wanted leaves the queue at once, or is stopped where it has begun.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, suppress
from contextvars import copy_context
from functools import partial
from itertools import islice
from typing import Any, TypeVar, cast

from assistant.errors import PaperchatError
from ui.lifecycle import Lifecycle, ServerStoppingError

T = TypeVar("T")
# Seconds after which a caller that was refused may try again.
RETRY_AFTER = 5


class QueueFullError(PaperchatError):
    """Too much is waiting."""

    def __init__(self) -> None:
        super().__init__(f"the server is busy with other questions; try again in {RETRY_AFTER} seconds")


class WorkQueue:
    """Runs work in threads for the event loop that calls it; what exceeds its room is refused.

    A caller that is cancelled while it waits has left the queue; one whose work has begun abandons it, and the thread
    counts until it has ended, so that abandoned threads stay few.
    """

    def __init__(self, running: int = 4, waiting: int = 32, lifecycle: Lifecycle | None = None) -> None:
        """Count the work in the lifecycle of the server, by default one of its own."""
        self._free, self._room = asyncio.Semaphore(running), waiting
        self.running = self.refused = 0  # how much has its turn, and how much was refused since the start
        self.on_turn: Callable[[float], None] = lambda _: None  # gets the seconds that work has waited for its turn
        self.lifecycle = lifecycle or Lifecycle()
        self.waiting = 0  # how much waits for its turn

    async def run(self, work: Callable[[], T]) -> T:
        """Return the result of work in a thread.

        Raises QueueFullError where too much is waiting, ServerStoppingError where the server is being stopped.
        """
        async with aclosing(self.stream(lambda: iter([work()]))) as results:
            return await anext(results)

    async def stream(self, open_iterator: Callable[[], Iterator[T]]) -> AsyncGenerator[T]:
        """Yield what an iterator yields in a thread, one item at a time, and close it when the reader goes away.

        Raises QueueFullError and ServerStoppingError as `run` does.
        """
        loop = asyncio.get_running_loop()
        abandoned: asyncio.Future[None] = loop.create_future()
        with self.lifecycle.when_abandoned(partial(_in_loop, loop, partial(_finish, abandoned))):
            await self._acquire(abandoned)
            thread = ThreadPoolExecutor(1, thread_name_prefix="answer")
            context = copy_context()  # the thread works for the request of its caller
            iterator: Future[Iterator[T]] = thread.submit(context.run, open_iterator)
            try:
                while items := await _unless(
                    abandoned, asyncio.wrap_future(thread.submit(context.run, _next, iterator))
                ):
                    yield items[0]
            finally:
                # The only thread runs this after what it is doing.
                closed = thread.submit(context.run, _close, iterator)
                closed.add_done_callback(lambda _: self._release(loop))
                thread.shutdown(wait=False)

    async def _acquire(self, abandoned: asyncio.Future[None]) -> None:
        if self._free.locked() and self.waiting >= self._room:
            self.refused += 1
            raise QueueFullError
        self.lifecycle.begin()
        came = time.monotonic()
        await self._await_turn(abandoned)
        self.running += 1
        self.on_turn(time.monotonic() - came)

    async def _await_turn(self, abandoned: asyncio.Future[None]) -> None:
        if not self._free.locked():
            await self._free.acquire()  # at once
            return
        self.waiting += 1
        turn = asyncio.ensure_future(self._free.acquire())
        try:
            await _unless(abandoned, turn)
        except BaseException:
            turn.add_done_callback(self._pass_on)
            self.lifecycle.end()
            raise
        finally:
            self.waiting -= 1

    def _pass_on(self, turn: asyncio.Future[Any]) -> None:
        """Let the next one have the turn of a caller that left at the very moment at which it came."""
        if not turn.cancelled():
            self._free.release()

    def _release(self, loop: asyncio.AbstractEventLoop) -> None:
        self.lifecycle.end()
        _in_loop(loop, self._end_turn)

    def _end_turn(self) -> None:
        self.running -= 1
        self._free.release()


async def _unless(abandoned: asyncio.Future[None], result: asyncio.Future[T]) -> T:
    """Return a result, unless the work is abandoned before. Raises ServerStoppingError."""
    try:
        pending: set[asyncio.Future[Any]] = {result, abandoned}
        await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        if not result.done():
            raise ServerStoppingError
        return result.result()
    finally:
        result.cancel()


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    with suppress(RuntimeError):  # the server has stopped meanwhile
        loop.call_soon_threadsafe(call)


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _next(iterator: Future[Iterator[T]]) -> tuple[T, ...]:
    """Return the next item, if there is one."""
    return tuple(islice(iterator.result(), 1))


def _close(iterator: Future[Iterator[T]]) -> None:
    if iterator.exception() is None and hasattr(iterator.result(), "close"):
        cast("Generator[T]", iterator.result()).close()
