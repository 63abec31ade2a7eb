"""Who may call the server: the checks that every request to the API passes before it is read.

Host and Origin as on the page, the credentials, the rate of each caller, and the length of the body.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException

from assistant.errors import SettingsError
from assistant.settings import Settings
from ui.api.problems import ProblemError, problem_of, problem_response
from ui.api.request_rate import RequestRate
from ui.api.tokens import Tokens, open_tokens
from ui.lifecycle import Lifecycle, ServerStoppingError
from ui.page.cookies import AsgiApp, AsgiMessage, AsgiReceive, AsgiSend
from ui.page.middleware import LoginGate, is_loopback, refusal, remember_client
from ui.permissions import UNLIMITED, Permissions
from ui.request_context import current_request
from ui.users import Users

# Bytes of a request; papers are longer than questions.
MAX_BODY, MAX_PAPERS_BODY = 1 << 20, 8 << 20
_PAPERS_PATHS = ("/api/v1/papers", "/api/v1/check", "/mcp")
# Need no credentials, so that a supervisor can look whether the server is alive and ready; they tell nothing else.
OPEN_PATHS = ("/api/v1/health", "/healthz", "/readyz")
# Refused credentials of one address, a minute.
_REFUSALS = 30
_TOO_LONG = "The body of the request is too long."
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request: the owner of conversations, and what the caller may do."""

    owner: str
    permissions: Permissions


# The single user of this machine, who has the conversations of the command line.
LOCAL = Caller("", UNLIMITED)

Authenticate = Callable[[str, str], Awaitable[bool]]


class Credentials:
    """Tells who a request comes from, by a bearer token, or by the name and password of a user of the page."""

    def __init__(self, tokens: Tokens, authenticate: Authenticate | None, users: Users | None = None) -> None:
        self._tokens, self._authenticate, self._users = tokens, authenticate, users
        self._checking = asyncio.Lock()
        self._key = secrets.token_bytes(32)
        self._known: dict[str, bytes] = {}  # by user, what proves the password that was right

    async def caller(self, header: str) -> Caller | None:
        """Return who the Authorization header proves to send the request; None where it proves nobody."""
        kind, _, value = header.strip().partition(" ")
        if kind.lower() == "bearer":
            return self._with_token(value.strip())
        if kind.lower() != "basic":
            return None
        name, _, password = _decoded(value).partition(":")
        if (caller := self._with_token(password, name)) or not (self._authenticate and self._users):
            return caller
        if not await self._is_user(name, password, self._authenticate, self._users):
            return None
        permissions = self._users.permissions(name)
        return Caller(f"user:{name}", permissions) if permissions else None

    def _with_token(self, secret: str, name: str | None = None) -> Caller | None:
        """Return who has a token, if its name is this one: browsers ask for a name and a password."""
        token = self._tokens.find(secret)
        return Caller(f"token:{token.name}", token.permissions) if token and name in (None, token.name) else None

    async def _is_user(self, name: str, password: str, authenticate: Authenticate, users: Users) -> bool:
        """Return whether the user has the password; it is hashed once for each version of the users' file."""
        version = users.file.stat().st_mtime_ns
        proof = hmac.digest(self._key, f"{version}\0{name}\0{password}".encode("utf-8", "replace"), hashlib.sha256)
        # One at a time: each attempt counts as a failure until its password has been checked.
        async with self._checking:
            if not hmac.compare_digest(self._known.get(name, b""), proof):
                if not await authenticate(name, password):
                    return False
                self._known[name] = proof
            return True


class AccessCheck:
    """An ASGI middleware that refuses requests, and tells the others who sends them: `scope["state"]["caller"]`.

    Without `credentials`, the server serves this machine alone and every request is `LOCAL`.
    """

    def __init__(
        self,
        app: AsgiApp,
        credentials: Credentials | None,
        rate: RequestRate,
        lifecycle: Lifecycle,
        *,
        is_private: bool,
    ) -> None:
        self.app, self._credentials, self._rate, self._is_private = app, credentials, rate, is_private
        self._lifecycle = lifecycle
        self._refused = RequestRate(_REFUSALS)

    async def __call__(self, scope: AsgiMessage, receive: AsgiReceive, send: AsgiSend) -> None:
        """Pass a request on, or refuse it with the reason."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        remember_client(scope)
        try:
            caller = await self._admitted(scope)
        except Exception as error:
            refused: Any = problem_response(scope["path"], problem_of(error))
            await refused(scope, receive, _with_headers(send))
            return
        state = {**scope.get("state", {}), "caller": caller}
        body = _LimitedBody(receive, _max_body(scope["path"]))
        await self.app(scope | {"state": state}, body, _with_headers(send))

    async def _admitted(self, scope: AsgiMessage) -> Caller:
        """Return who sends the request. Raises ProblemError, ServerStoppingError."""
        if reason := refusal(scope, self._is_private):
            raise ProblemError(403, reason, "foreign_origin")
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        _check_length(headers.get(b"content-length", "0"), _max_body(scope["path"]))
        if scope["path"] in OPEN_PATHS:
            return LOCAL
        if self._lifecycle.is_stopping:
            raise ServerStoppingError
        if self._credentials is None:
            return LOCAL
        address = (scope.get("client") or ("",))[0]
        caller = await self._credentials.caller(headers.get(b"authorization", ""))
        if caller is None:
            self._refused.count(address)
            detail = "This server needs a token (Authorization: Bearer ...) or the name and password of a user."
            raise ProblemError(401, detail, "invalid_api_key", {"WWW-Authenticate": 'Bearer, Basic realm="paperchat"'})
        if request := current_request():
            request.caller = caller.owner
        self._rate.count(caller.owner)
        return caller


class _LimitedBody:
    """Receives a request, and refuses a body that turns out to be too long."""

    def __init__(self, receive: AsgiReceive, limit: int) -> None:
        self._receive, self._left = receive, limit

    async def __call__(self) -> AsgiMessage:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413, _TOO_LONG)  # FastAPI takes any other error for a malformed body
        return message


def open_access(
    app: AsgiApp, settings: Settings, gate: LoginGate | None, users: Users | None, lifecycle: Lifecycle
) -> AccessCheck:
    """Return the check before an app. Raises SettingsError where it would be open to other machines."""
    tokens, is_private = open_tokens(settings), is_loopback(settings.host) and users is None
    if not is_private and users is None and not tokens.all():
        raise SettingsError(
            f"host is {settings.host}, which other machines can reach: name a file of users with PAPERCHAT_AUTH, or "
            "make a token with: paperchat token add NAME"
        )
    credentials = None if is_private else Credentials(tokens, gate.authenticate if gate else None, users)
    return AccessCheck(app, credentials, RequestRate(settings.requests_per_minute), lifecycle, is_private=is_private)


def _with_headers(send: AsgiSend) -> AsgiSend:
    async def send_with_headers(message: AsgiMessage) -> None:
        if message["type"] == "http.response.start":
            present = {name for name, _ in message["headers"]}
            added = [(name, value) for name, value in _HEADERS if name not in present]
            message = message | {"headers": [*message["headers"], *added]}
        await send(message)

    return send_with_headers


def _max_body(path: str) -> int:
    return MAX_PAPERS_BODY if path.rstrip("/") in _PAPERS_PATHS else MAX_BODY


def _check_length(written: str, limit: int) -> None:
    if not written.isdigit():
        raise ProblemError(400, "The length of the body is not a number.")
    if int(written) > limit:
        raise ProblemError(413, _TOO_LONG, "body_too_long")


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value.strip(), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
