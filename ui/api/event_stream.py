"""Server-sent events (HTML Living Standard, 9.2) that stop when nobody reads them any more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from starlette.requests import Request
from starlette.responses import StreamingResponse

from ui.page.cookies import AsgiSend

# Seconds that a client may leave an event unread, and after which a silent stream shows that it is alive.
READ_TIMEOUT, SILENCE = 30.0, 15.0
_COMMENT = ": waiting\n\n"


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


def prefers_events(request: Request) -> bool:
    """Tell whether the client accepts a stream of events, and no JSON."""
    accepted = request.headers.get("accept", "")
    return "text/event-stream" in accepted and "json" not in accepted


def event(data: Any, name: str | None = None) -> str:
    """Return an event with JSON as its data."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f"event: {name}\ndata: {text}\n\n" if name else f"data: {text}\n\n"


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
