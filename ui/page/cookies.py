"""Whose conversations a request may see: each browser carries a secret in a cookie that no script can read.

The cookie is for this address alone (`HttpOnly`, and `SameSite=Lax`: a link on another site leads to one's own
conversations, what else another site sends comes without it). What is kept with the conversations is a digest of it, so
that whoever reads the file of conversations cannot take a browser's place.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

COOKIE = "paperchat_browser"
_SECRET = re.compile(r"[\w-]{43}", re.ASCII)
_SAME_SITE = re.compile(rb";\s*SameSite=\w*", re.IGNORECASE)
_A_YEAR = 365 * 24 * 3600
# Whatever should find its way into the page: the browser asks nothing of any other address, and no other page shows it.
_POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'; base-uri 'self'"
)

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Callable[[], Awaitable[Message]], Send], Awaitable[None]]


def owner(cookies: Mapping[str, str], user: str | None = None) -> str:
    """The owner of a request's conversations: who is logged in, or else the browser; empty if it is neither."""
    if user:
        return f"user:{user}"
    secret = cookies.get(COOKIE, "")
    return f"browser:{hashlib.sha256(secret.encode()).hexdigest()}" if _SECRET.fullmatch(secret) else ""


class Cookies:
    """An ASGI application around another: gives a browser that has none its secret, and every page its policy."""

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Send) -> None:
        """Pass a request on, and its reply back with the headers added."""
        added = [(b"content-security-policy", _POLICY.encode()), (b"referrer-policy", b"no-referrer")]
        if scope["type"] == "http" and scope["path"] == "/" and not _has_secret(scope):
            added.append((b"set-cookie", _new_cookie().encode()))

        async def send_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = message | {"headers": [*map(_for_this_site, message["headers"]), *added]}
            await send(message)

        await self.app(scope, receive, send_more)


def _has_secret(scope: Message) -> bool:
    sent = b"; ".join(value for name, value in scope["headers"] if name == b"cookie").decode("latin-1")
    try:
        given = SimpleCookie(sent)
    except CookieError:
        return False
    return COOKIE in given and bool(_SECRET.fullmatch(given[COOKIE].value))


def _for_this_site(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """The header; gradio would have a browser send the cookie of a login to whoever asks for it from elsewhere."""
    name, value = header
    return (name, _SAME_SITE.sub(b"", value) + b"; SameSite=Lax") if name.lower() == b"set-cookie" else header


def _new_cookie() -> str:
    return f"{COOKIE}={secrets.token_urlsafe(32)}; Max-Age={_A_YEAR}; Path=/; HttpOnly; SameSite=Lax"
