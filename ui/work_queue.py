"""Work in threads for everybody whom a server answers: a few at a time, a bounded number waiting.

What is no longer wanted leaves the queue at once, or is stopped where it has begun.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, suppress
from contextvars import copy_context
from itertools import islice
from typing import TypeVar, cast

from assistant.errors import PaperchatError

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

    def __init__(self, running: int = 4, waiting: int = 32) -> None:
        self._free, self._room = asyncio.Semaphore(running), waiting
        self.waiting = 0  # how much waits for its turn

    async def run(self, work: Callable[[], T]) -> T:
        """Return the result of work in a thread. Raises QueueFullError where too much is waiting."""
        async with aclosing(self.stream(lambda: iter([work()]))) as results:
            return await anext(results)

    async def stream(self, open_iterator: Callable[[], Iterator[T]]) -> AsyncGenerator[T]:
        """Yield what an iterator yields in a thread, one item at a time, and close it when the reader goes away.

        Raises QueueFullError as `run` does.
        """
        await self._acquire()
        loop, thread = asyncio.get_running_loop(), ThreadPoolExecutor(1, thread_name_prefix="answer")
        context = copy_context()  # the thread works for the request of its caller
        iterator: Future[Iterator[T]] = thread.submit(context.run, open_iterator)
        try:
            while items := await asyncio.wrap_future(thread.submit(context.run, _next, iterator)):
                yield items[0]
        finally:
            # The only thread runs this after what it is doing.
            closed = thread.submit(context.run, _close, iterator)
            closed.add_done_callback(lambda _: self._release(loop))
            thread.shutdown(wait=False)

    async def _acquire(self) -> None:
        if self._free.locked() and self.waiting >= self._room:
            raise QueueFullError
        self.waiting += 1
        try:
            await self._free.acquire()
        finally:
            self.waiting -= 1

    def _release(self, loop: asyncio.AbstractEventLoop) -> None:
        with suppress(RuntimeError):  # the server has stopped meanwhile
            loop.call_soon_threadsafe(self._free.release)


def _next(iterator: Future[Iterator[T]]) -> tuple[T, ...]:
    """Return the next item, if there is one."""
    return tuple(islice(iterator.result(), 1))


def _close(iterator: Future[Iterator[T]]) -> None:
    if iterator.exception() is None and hasattr(iterator.result(), "close"):
        cast("Generator[T]", iterator.result()).close()
