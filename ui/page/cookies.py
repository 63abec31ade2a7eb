"""Whose conversations a request may see: each browser carries a secret in a cookie that no script can read.

The cookie belongs to this address alone (`HttpOnly`, and `SameSite=Lax`: a link on another site leads to the visitor's
own conversations, while other requests from another site come without it). Conversations are stored under a digest of
the secret, so reading their file does not let anybody take the place of a browser.
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
# Where gradio keeps what proves a login, over https and over http.
_LOGIN_COOKIES = ("access-token", "access-token-unsecure")
_ONE_YEAR = 365 * 24 * 3600
# A second line of defence: the browser contacts no other address, and no other site embeds the page.
_POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'; base-uri 'self'"
)

AsgiMessage = dict[str, Any]
AsgiReceive = Callable[[], Awaitable[AsgiMessage]]
AsgiSend = Callable[[AsgiMessage], Awaitable[None]]
AsgiApp = Callable[[AsgiMessage, AsgiReceive, AsgiSend], Awaitable[None]]


def conversation_owner(cookies: Mapping[str, str], user: str | None = None) -> str:
    """Return the owner of a request's conversations: the user, or the browser; empty if neither is known."""
    if user:
        return f"user:{user}"
    secret = cookies.get(COOKIE, "")
    return f"browser:{hashlib.sha256(secret.encode()).hexdigest()}" if _SECRET.fullmatch(secret) else ""


def page_user(scope: AsgiMessage) -> str:
    """Return the name of a visitor who has logged in to the page, as gradio tells it; empty where nobody has."""
    app = scope.get("app")
    tokens: Mapping[str, str] = getattr(app, "tokens", {})
    cookies = _cookies(scope)
    secrets_sent = (cookies.get(f"{kind}-{getattr(app, 'cookie_id', '')}", "") for kind in _LOGIN_COOKIES)
    return next((tokens[secret] for secret in secrets_sent if secret in tokens), "")


class CookieMiddleware:
    """An ASGI middleware that gives each new browser its secret, and each reply its security headers."""

    def __init__(self, app: AsgiApp) -> None:
        self.app = app

    async def __call__(self, scope: AsgiMessage, receive: AsgiReceive, send: AsgiSend) -> None:
        """Pass a request on, and its reply back with the headers added."""
        added = [(b"content-security-policy", _POLICY.encode()), (b"referrer-policy", b"no-referrer")]
        if scope["type"] == "http" and scope["path"] == "/" and not _has_secret(scope):
            added.append((b"set-cookie", _new_cookie().encode()))

        async def send_with_headers(message: AsgiMessage) -> None:
            if message["type"] == "http.response.start":
                message = message | {"headers": [*map(_same_site_only, message["headers"]), *added]}
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _has_secret(scope: AsgiMessage) -> bool:
    return bool(_SECRET.fullmatch(_cookies(scope).get(COOKIE, "")))


def _cookies(scope: AsgiMessage) -> dict[str, str]:
    header = b"; ".join(value for name, value in scope["headers"] if name == b"cookie").decode("latin-1")
    try:
        return {name: cookie.value for name, cookie in SimpleCookie(header).items()}
    except CookieError:
        return {}


def _same_site_only(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """Restrict a cookie to this site; gradio would let its login cookie travel with requests from other sites."""
    name, value = header
    return (name, _SAME_SITE.sub(b"", value) + b"; SameSite=Lax") if name.lower() == b"set-cookie" else header


def _new_cookie() -> str:
    return f"{COOKIE}={secrets.token_urlsafe(32)}; Max-Age={_ONE_YEAR}; Path=/; HttpOnly; SameSite=Lax"
