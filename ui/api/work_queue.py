"""Answers in threads: a few at a time, a bounded number waiting, each stopped when its client goes away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, suppress
from itertools import islice
from typing import TypeVar, cast

from ui.api.problems import ProblemError

T = TypeVar("T")
_FULL = "The server is busy with other questions; try again in a moment."
_RETRY_AFTER = "5"


class WorkQueue:
    """Runs work in threads for the event loop that calls it; what exceeds its room is refused with 429."""

    def __init__(self, running: int = 4, waiting: int = 32) -> None:
        self._free, self._room, self._waiting = asyncio.Semaphore(running), waiting, 0

    async def run(self, work: Callable[[], T]) -> T:
        """Return the result of work in a thread. Raises ProblemError where too much is waiting."""
        async with aclosing(self.stream(lambda: iter([work()]))) as results:
            return await anext(results)

    async def stream(self, open_iterator: Callable[[], Iterator[T]]) -> AsyncGenerator[T]:
        """Yield what an iterator yields in a thread, one item at a time, and close it when the reader goes away.

        Its place in the queue is free again when the thread has ended. Raises ProblemError as `run` does.
        """
        await self._acquire()
        loop, thread = asyncio.get_running_loop(), ThreadPoolExecutor(1, thread_name_prefix="answer")
        iterator: Future[Iterator[T]] = thread.submit(open_iterator)
        try:
            while items := await asyncio.wrap_future(thread.submit(_next, iterator)):
                yield items[0]
        finally:
            # The only thread runs this after what it is doing.
            closed = thread.submit(_close, iterator)
            closed.add_done_callback(lambda _: self._release(loop))
            thread.shutdown(wait=False)

    async def _acquire(self) -> None:
        if self._free.locked() and self._waiting >= self._room:
            raise ProblemError(429, _FULL, "queue_full", {"Retry-After": _RETRY_AFTER})
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1

    def _release(self, loop: asyncio.AbstractEventLoop) -> None:
        with suppress(RuntimeError):  # the server has stopped meanwhile
            loop.call_soon_threadsafe(self._free.release)


def _next(iterator: Future[Iterator[T]]) -> tuple[T, ...]:
    """Return the next item, if there is one."""
    return tuple(islice(iterator.result(), 1))


def _close(iterator: Future[Iterator[T]]) -> None:
    if iterator.exception() is None and hasattr(iterator.result(), "close"):
        cast("Generator[T]", iterator.result()).close()
