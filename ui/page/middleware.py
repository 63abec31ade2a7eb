"""Which requests reach the page: only those that a browser sends for the page itself.

A page from elsewhere can send requests to a server on this machine, and one whose host name is made to resolve to this
machine (DNS rebinding) could even read the replies. gradio only withholds the CORS headers.
"""

from __future__ import annotations

import asyncio
import ipaddress
from contextvars import ContextVar
from urllib.parse import urlsplit

from assistant.errors import PaperchatError
from ui.page.cookies import AsgiApp, AsgiMessage, AsgiReceive, AsgiSend, page_user
from ui.page.rate_limit import LoginRateLimiter
from ui.permissions import UNLIMITED, ForbiddenError, Permissions, Role
from ui.users import Users

# The address that the current request comes from.
_CLIENT_ADDRESS: ContextVar[str] = ContextVar("client_address", default="")
_MAX_NAME_LENGTH = 64
# Wrong passwords before the next has to wait: for one name from one address, and for all names from one address.
_FREE_ATTEMPTS, _FREE_ATTEMPTS_OF_ADDRESS = 5, 20


class OriginCheck:
    """An ASGI middleware that refuses the requests of other sites' pages.

    A page that is `is_private` serves this machine alone, so only the machine's own names may lead to it.
    """

    def __init__(self, app: AsgiApp, is_private: bool) -> None:
        self.app, self.is_private = app, is_private

    async def __call__(self, scope: AsgiMessage, receive: AsgiReceive, send: AsgiSend) -> None:
        """Pass a request on, or refuse it with the reason."""
        remember_client(scope)
        reason = refusal(scope, self.is_private) if scope["type"] in ("http", "websocket") else ""
        if not reason:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        else:
            await _refuse(send, 403, reason)


class VisitorCheck:
    """An ASGI middleware that refuses the page to visitors who may not use its library.

    For the others, `scope["state"]["permissions"]` is what they may do; events of the page find it in their request.
    """

    def __init__(self, app: AsgiApp, users: Users | None, library: str | None) -> None:
        self.app, self._users, self._library = app, users, library

    async def __call__(self, scope: AsgiMessage, receive: AsgiReceive, send: AsgiSend) -> None:
        """Pass a request on, or refuse it with the reason."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            permissions = self._permissions(scope)
            permissions.require_library(self._library)
        except PaperchatError as error:
            await _refuse(send, 403 if isinstance(error, ForbiddenError) else 503, str(error))
            return
        scope.setdefault("state", {})["permissions"] = permissions
        await self.app(scope, receive, send)

    def _permissions(self, scope: AsgiMessage) -> Permissions:
        if self._users is None:
            return UNLIMITED
        name = page_user(scope)
        if not name:
            return Permissions(Role.READ)  # the page asks for the login
        permissions = self._users.permissions(name)
        if permissions is None:
            raise ForbiddenError(f"{name} is no longer a user of this server")
        return permissions


def refusal(scope: AsgiMessage, is_private: bool) -> str:
    """Return why a request is refused by its Host or Origin; empty where it is not."""
    headers = {name: value.decode("latin-1").lower() for name, value in scope["headers"]}
    host, origin = headers.get(b"host", ""), headers.get(b"origin")
    if is_private and not is_loopback(_host_name(host)):
        return "This page serves its own machine only: open it as http://127.0.0.1 with its port."
    if origin is not None and origin.partition("://")[2] != host:
        return "Pages of other sites may not send requests here."
    return ""


def remember_client(scope: AsgiMessage) -> None:
    """Note the address that the current request comes from, for `LoginGate`."""
    _CLIENT_ADDRESS.set((scope.get("client") or ("",))[0])


class LoginGate:
    """Logs users in; after repeated failures they have to wait, and learn nothing but that they failed."""

    def __init__(self, users: Users) -> None:
        self._users = users
        self._by_name = LoginRateLimiter(_FREE_ATTEMPTS)
        self._by_address = LoginRateLimiter(_FREE_ATTEMPTS_OF_ADDRESS)

    async def authenticate(self, name: str, password: str) -> bool:
        """Tell whether the user has this password and is allowed to try now."""
        address = _CLIENT_ADDRESS.get()
        limits = ((self._by_name, f"{address} {name[:_MAX_NAME_LENGTH]}"), (self._by_address, address))
        if not all(limiter.allow(client) for limiter, client in limits):
            return False
        # Hashing takes a tenth of a second, during which other requests are served.
        if not await asyncio.to_thread(self._users.authenticate, name, password):
            return False
        for limiter, client in limits:
            limiter.reset(client)
        return True


def is_loopback(host: str) -> bool:
    """Tell whether an address can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _refuse(send: AsgiSend, status: int, reason: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": reason.encode()})


def _host_name(host: str) -> str:
    """Return the host without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
