"""Serve the read-only page of one answer to anybody who has its link and may open the page."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from assistant.errors import NotFoundError, PaperchatError
from assistant.storage.conversation_schema import StoredTurn
from ui.export import transcripts
from ui.page.cookies import AsgiApp, AsgiMessage, AsgiReceive, AsgiSend
from ui.request_context import current_request

_PREFIX = "/answer/"
# Where gradio tells whether a request comes from somebody who is logged in, if the page has a login.
_LOGIN_CHECK = "/gradio_api/login_check"
_TOKEN = re.compile(r"[\w-]{43}", re.ASCII)
_UNKNOWN = "This link leads to no answer. It may have been removed, or its conversation deleted."
_LOCKED = "Log in on the first page of this server, then open this link again."
_FAILED = "This answer cannot be read at the moment."


class AnswerLinks:
    """An ASGI middleware that answers the addresses of links, and passes all other requests on.

    `find` returns the turn of a token; it raises NotFoundError. The page's own check of the login decides who may read.
    """

    def __init__(self, app: AsgiApp, find: Callable[[str], StoredTurn]) -> None:
        self.app, self._find = app, find

    async def __call__(self, scope: AsgiMessage, receive: AsgiReceive, send: AsgiSend) -> None:
        """Serve an answer, or pass the request on."""
        if scope["type"] != "http" or not scope["path"].startswith(_PREFIX):
            await self.app(scope, receive, send)
            return
        if request := current_request():
            request.route = f"{_PREFIX}{{token}}"
        if await self._is_locked(scope, receive):
            await _send(send, 401, transcripts.page_html("Not logged in", f"<p>{_LOCKED}</p>"))
        else:
            await _send(send, *await asyncio.to_thread(self._page, scope["path"].removeprefix(_PREFIX)))

    def _page(self, token: str) -> tuple[int, str]:
        """Return the status and the page of a link."""
        try:
            if not _TOKEN.fullmatch(token):
                raise NotFoundError(_UNKNOWN)
            return 200, transcripts.answer_page(self._find(token))
        except NotFoundError:
            return 404, transcripts.page_html("Not found", f"<p>{_UNKNOWN}</p>")
        except PaperchatError:
            return 503, transcripts.page_html("Not available", f"<p>{_FAILED}</p>")

    async def _is_locked(self, scope: AsgiMessage, receive: AsgiReceive) -> bool:
        """Return whether the page refuses this visitor, as its own address for that check tells."""
        statuses: list[int] = []

        async def read(message: AsgiMessage) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        check = scope | {"path": _LOGIN_CHECK, "raw_path": _LOGIN_CHECK.encode(), "method": "GET", "query_string": b""}
        await self.app(check, receive, read)
        return statuses != [200]


async def _send(send: AsgiSend, status: int, page: str) -> None:
    body = page.encode()
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-robots-tag", b"noindex"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
