from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ask, filled, quick, serving
from ui import users

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ICE, WORDS = "When does the loss of ice double?", "correct horse battery"


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[str]:
    """A page that ann and bob may enter."""
    for name in ("ann", "bob"):
        users.add_user(tmp_path / "users", name, WORDS)
    settings = quick(tmp_path).model_copy(update={"auth": tmp_path / "users"})
    with filled(tmp_path) as library, serving(library, settings) as address:
        yield address


def log_in(page: Page, address: str, name: str, words: str = WORDS) -> None:
    page.goto(address)
    page.get_by_label("username").fill(name)
    page.get_by_label("password").fill(words)
    page.get_by_role("button", name="Login").click()


def test_nobody_sees_the_page_without_their_password(browser: Browser, guarded: str) -> None:
    page = browser.new_page()
    page.goto(guarded)
    expect(page.get_by_role("button", name="Login")).to_be_visible()
    log_in(page, guarded, "ann", "a wrong password")
    expect(page.get_by_text("Incorrect")).to_be_visible()
    expect(page.locator("#question")).to_have_count(0)
    assert page.request.get(f"{guarded}/config").status == 401
    page.context.close()


def test_users_see_their_own_conversations_from_every_browser_and_nobody_elses(browser: Browser, guarded: str) -> None:
    first, second, other = (browser.new_page() for _ in range(3))
    log_in(first, guarded, "ann")
    first.locator("#talk .welcome").wait_for()
    ask(first, ICE)
    log_in(second, guarded, "ann")
    expect(second.locator(".talk")).to_contain_text(ICE)
    log_in(other, guarded, "bob")
    other.locator("#talk .welcome").wait_for()
    expect(other.locator(".talk")).to_have_count(0)
    for page in (first, second, other):
        page.context.close()


def test_whoever_guesses_at_a_password_waits_and_whoever_is_elsewhere_does_not(browser: Browser, guarded: str) -> None:
    context = browser.new_context()

    def log_in_from(caller: str, words: str) -> int:
        sent = {"headers": {"X-Forwarded-For": caller}, "form": {"username": "ann", "password": words}}
        return context.request.post(f"{guarded}/login", **sent).status  # type: ignore[arg-type]

    assert {log_in_from("10.0.0.1", f"guess {number}") for number in range(5)} == {400}
    assert log_in_from("10.0.0.1", WORDS) == 400
    assert log_in_from("10.0.0.2", WORDS) == 200
    assert {(cookie["httpOnly"], cookie["sameSite"]) for cookie in context.cookies()} == {(True, "Lax")}
    context.close()
