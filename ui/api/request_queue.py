"""The queue as one request sees it: its work is given up as soon as its client goes away, also while it waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import aclosing
from typing import Any, TypeVar

from fastapi import Request

from ui.work_queue import WorkQueue

T = TypeVar("T")


class ClientGoneError(Exception):
    """The client has closed the connection, so that no reply is needed."""


class RequestQueue:
    """Runs the work of one request; it raises QueueFullError, and ClientGoneError where the client goes away."""

    def __init__(self, queue: WorkQueue, request: Request) -> None:
        self._queue, self._request = queue, request

    async def run(self, work: Callable[[], T]) -> T:
        """Return the result of work in a thread; what has begun is done to its end."""
        return await self._while_connected(self._queue.run(work))

    async def last(self, open_iterator: Callable[[], Iterator[T]]) -> T:
        """Return the last item of an iterator that has one or more, and close it when the client goes away."""
        return await self._while_connected(_last(self._queue.stream(open_iterator)))

    async def stream(self, open_iterator: Callable[[], Iterator[T]]) -> AsyncGenerator[T]:
        """Wait for the first item, so that its errors come before the reply begins; return an iterator of all.

        From then on, who sends the reply watches the client, and closes the iterator.
        """
        items = self._queue.stream(open_iterator)
        first = await self._while_connected(_next(items))
        return _chained(first, items)

    async def _while_connected(self, result: Coroutine[Any, Any, T]) -> T:
        working = asyncio.ensure_future(result)
        leaving = asyncio.ensure_future(self._disconnected())
        try:
            await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            raise ClientGoneError
        finally:
            leaving.cancel()
            working.cancel()
            await asyncio.wait({working, leaving})

    async def _disconnected(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass


async def _next(items: AsyncGenerator[T]) -> T:
    try:
        return await anext(items)
    except BaseException:
        await items.aclose()
        raise


async def _last(items: AsyncGenerator[T]) -> T:
    async with aclosing(items):
        last = await anext(items)
        async for item in items:
            last = item
    return last


async def _chained(first: T, items: AsyncGenerator[T]) -> AsyncGenerator[T]:
    async with aclosing(items):
        yield first
        async for item in items:
            yield item
