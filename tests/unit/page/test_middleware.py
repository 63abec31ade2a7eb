from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ui import users
from ui.page.middleware import LoginGate, OriginCheck
from ui.users import Users

OWN, WORDS = "127.0.0.1:7860", "correct horse battery"


def status(host: str, origin: str | None = None, is_private: bool = True, kind: str = "http") -> Any:
    """What a request comes to: 200 if it was let through, else the status or the end of a web socket."""
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    headers = [(b"host", host.encode())] + ([(b"origin", origin.encode())] if origin else [])
    asyncio.run(OriginCheck(app, is_private)({"type": kind, "path": "/", "headers": headers}, receive, send))
    return sent[0].get("status", sent[0]["type"])


@pytest.mark.parametrize("host", [OWN, "localhost:7860", "[::1]:7860", "127.0.0.1", "LOCALHOST:80"])
def test_this_machines_own_names_lead_to_the_page(host: str) -> None:
    assert status(host) == 200
    assert status(host, f"http://{host}") == 200


@pytest.mark.parametrize("host", ["evil.example:7860", "127.0.0.1.evil.example", "192.168.1.5:7860", "", "[::1", "a b"])
def test_a_foreign_name_that_was_made_to_lead_here_does_not(host: str) -> None:
    assert status(host) == 403
    assert status(host, f"http://{host}") == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:8000", "http://localhost:7860"])
@pytest.mark.parametrize("is_private", [True, False])
def test_another_sites_page_is_refused_whatever_it_asks(origin: str, is_private: bool) -> None:
    assert status(OWN, origin, is_private) == 403
    assert status(OWN, origin, is_private, "websocket") == "websocket.close"


def test_a_server_with_a_login_goes_by_any_name_and_is_used_by_its_own_page_only() -> None:
    assert status("lab.example", "https://lab.example", is_private=False) == 200
    assert status("lab.example", "https://evil.example", is_private=False) == 403


def test_whoever_guesses_has_to_wait_even_with_the_right_password(tmp_path: Path) -> None:
    users.add_user(tmp_path / "users", "ann", WORDS)
    users.add_user(tmp_path / "users", "bob", WORDS)
    gate = LoginGate(Users(tmp_path / "users"))

    async def log_in() -> list[bool]:
        guesses = [await gate.authenticate("ann", f"guess {number}") for number in range(5)]
        return [*guesses, await gate.authenticate("ann", WORDS), await gate.authenticate("bob", WORDS)]

    assert asyncio.run(log_in()) == [False] * 6 + [True]
