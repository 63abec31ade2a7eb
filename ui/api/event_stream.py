"""Server-sent events (HTML Living Standard, 9.2), and answers that stop when nobody reads them any more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, TypeVar

from fastapi import Request
from starlette.responses import StreamingResponse

from ui.page.cookies import AsgiSend

T = TypeVar("T")
# Seconds that a client may leave an event unread, and after which a silent stream shows that it is alive.
READ_TIMEOUT, SILENCE = 30.0, 15.0
_COMMENT = ": waiting\n\n"


class ClientGoneError(Exception):
    """The client has closed the connection, so that no reply is needed."""


class EventStream(StreamingResponse):
    """A stream of events that ends early where the client leaves an event unread for too long."""

    media_type = "text/event-stream"
    read_timeout = READ_TIMEOUT

    def __init__(self, events: AsyncGenerator[str]) -> None:
        super().__init__(events, headers={"X-Accel-Buffering": "no"})
        self._events = events

    async def stream_response(self, send: AsgiSend) -> None:
        """Send the events. The connection is closed where one is not read."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with aclosing(self._events):
            try:
                async for text in self._events:
                    async with asyncio.timeout(self.read_timeout):
                        await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
            except TimeoutError:
                return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def event(data: Any, name: str | None = None) -> str:
    """Return an event with JSON as its data."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f"event: {name}\ndata: {text}\n\n" if name else f"data: {text}\n\n"


async def last_while_connected(request: Request, items: AsyncGenerator[T]) -> T:
    """Return the last of at least one item. Raises ClientGoneError as soon as the client has gone."""
    async with aclosing(items):
        last = await anext(items)
        async for item in items:
            if await request.is_disconnected():
                raise ClientGoneError
            last = item
    return last


async def with_first(items: AsyncGenerator[T]) -> AsyncGenerator[T]:
    """Wait for the first item, so that its errors come before the reply begins; return an iterator of all."""
    try:
        first = await anext(items)
    except BaseException:
        await items.aclose()
        raise

    async def chained() -> AsyncGenerator[T]:
        async with aclosing(items):
            yield first
            async for item in items:
                yield item

    return chained()


async def with_comments(items: AsyncGenerator[str], silence: float = SILENCE) -> AsyncGenerator[str]:
    """Yield the events, and a comment whenever there is none for some seconds."""
    pending = asyncio.ensure_future(anext(items, None))
    try:
        while True:
            await asyncio.wait({pending}, timeout=silence)
            if not pending.done():
                yield _COMMENT
            elif (text := pending.result()) is None:
                return
            else:
                yield text
                pending = asyncio.ensure_future(anext(items, None))
    finally:
        if not pending.cancel():
            await items.aclose()
