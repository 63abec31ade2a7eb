"""Which requests reach the page: those that a browser sends for the page itself.

A page from elsewhere can send requests to a server on this machine, and one whose name is made to lead to this machine
(DNS rebinding) could even read the replies. gradio only withholds the headers without which a browser shows no reply.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from urllib.parse import urlsplit

from ui.page.cookies import Application, Message, Send
from ui.page.rate_limit import Attempts
from ui.users import Users

# From where the request comes that is being replied to; each has a context of its own.
_CALLER: ContextVar[str] = ContextVar("caller", default="")
_LONGEST_NAME = 64
# Wrong passwords before the next has to wait: for one name from one address, and for all names from one address.
_FREE_TRIES, _FREE_TRIES_OF_AN_ADDRESS = 5, 20


class Guard:
    """An ASGI application around another: refuses what another site's page sends.

    `is_private` is whether the page is for this machine alone: then only this machine's own names lead to it.
    """

    def __init__(self, app: Application, is_private: bool) -> None:
        self.app, self.is_private = app, is_private

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Send) -> None:
        """Pass a request on, or say why not."""
        _CALLER.set((scope.get("client") or ("",))[0])
        reason = self._refusal(scope) if scope["type"] in ("http", "websocket") else ""
        if not reason:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        else:
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": reason.encode()})

    def _refusal(self, scope: Message) -> str:
        sent = {name: value.decode("latin-1").lower() for name, value in scope["headers"]}
        host, origin = sent.get(b"host", ""), sent.get(b"origin")
        if self.is_private and not is_own(_name(host)):
            return "This page is for its own machine: open it as http://127.0.0.1 with its port."
        if origin is not None and origin.partition("://")[2] != host:
            return "Another site's page may not do this."
        return ""


class Door:
    """Lets users in; whoever is wrong too often has to wait, and is told nothing else than that they were wrong."""

    def __init__(self, users: Users) -> None:
        self._users = users
        self._by_both, self._by_address = Attempts(_FREE_TRIES), Attempts(_FREE_TRIES_OF_AN_ADDRESS)

    async def may_enter(self, name: str, password: str) -> bool:
        """Whether somebody of this name has this password, and may try at all just now."""
        address = _CALLER.get()
        counted = ((self._by_both, f"{address} {name[:_LONGEST_NAME]}"), (self._by_address, address))
        if not all(tries.begin(who) for tries, who in counted):
            return False
        # Hashing takes a tenth of a second, in which others are served.
        if not await asyncio.to_thread(self._users.may_enter, name, password):
            return False
        for tries, who in counted:
            tries.succeeded(who)
        return True


def is_own(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _name(host: str) -> str:
    """What stands before the port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
