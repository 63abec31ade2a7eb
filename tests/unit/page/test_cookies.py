from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ui.page.cookies import COOKIE, CookieMiddleware, conversation_owner

SECRET, OTHER = "a" * 43, "b" * 43


def headers(path: str, *sent: tuple[bytes, bytes], reply: tuple[tuple[bytes, bytes], ...] = ()) -> dict[str, str]:
    """What is sent back beside an empty page with these headers."""
    replies: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": list(reply)})

    async def send(message: dict[str, Any]) -> None:
        replies.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    asyncio.run(CookieMiddleware(app)({"type": "http", "path": path, "headers": list(sent)}, receive, send))
    return {name.decode(): value.decode() for name, value in replies[0]["headers"]}


def test_each_browser_is_an_owner_of_its_own_and_its_secret_is_not_told() -> None:
    one, other = conversation_owner({COOKIE: SECRET}), conversation_owner({COOKIE: OTHER})
    assert one != other
    assert SECRET not in one
    assert one == conversation_owner({COOKIE: SECRET, "more": "x"})


@pytest.mark.parametrize("secret", ["", "short", "a" * 42, "a" * 44, "a" * 42 + "/", "../" + "a" * 40])
def test_what_is_no_secret_owns_nothing(secret: str) -> None:
    assert conversation_owner({COOKIE: secret}) == ""
    assert conversation_owner({}) == ""


def test_who_is_logged_in_owns_their_conversations_from_every_browser() -> None:
    assert conversation_owner({COOKIE: SECRET}, "ann") == conversation_owner({COOKIE: OTHER}, "ann") == "user:ann"


def test_a_browser_without_a_secret_gets_one_that_no_script_and_no_other_site_can_use() -> None:
    first, second = headers("/")["set-cookie"], headers("/")["set-cookie"]
    assert first != second
    assert first.endswith("; Path=/; HttpOnly; SameSite=Lax")
    given = first.split(";")[0].split("=")[1]
    assert conversation_owner({COOKIE: given})


def test_a_browser_keeps_the_secret_that_it_has() -> None:
    assert "set-cookie" not in headers("/", (b"cookie", f"x=1; {COOKIE}={SECRET}".encode()))
    assert "set-cookie" in headers("/", (b"cookie", f"{COOKIE}=guessed".encode()))
    assert "set-cookie" not in headers("/elsewhere")


def test_every_reply_forbids_requests_to_other_addresses() -> None:
    policy = headers("/elsewhere")["content-security-policy"]
    assert "connect-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy


@pytest.mark.parametrize("flags", [b"; HttpOnly; Path=/; SameSite=none; Secure", b"; HttpOnly; Path=/; Secure"])
def test_no_cookie_of_a_login_is_sent_with_what_another_site_asks(flags: bytes) -> None:
    cookie = headers("/login", reply=((b"set-cookie", b"access-token=x" + flags),))["set-cookie"]
    assert cookie == "access-token=x; HttpOnly; Path=/; Secure; SameSite=Lax"
