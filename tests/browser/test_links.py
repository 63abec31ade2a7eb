from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import SHOTS, OpenPage, ask, filled, press, quick, serving
from tests.browser.test_login import log_in
from ui import users

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ICE, WORDS = "When does the loss of ice double?", "correct horse battery"


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_a_link_shows_one_answer_to_another_browser_until_it_is_removed(
    open_page: OpenPage, browser: Browser, color_scheme: str
) -> None:
    page = open_page()
    ask(page, ICE)
    ask(page, "How do honey bees communicate the place of flowers?")
    page.locator("#talk .turn").first.locator("button[name=link]").click()
    expect(page.locator("#notice")).to_contain_text("The link is copied")
    address = page.evaluate("navigator.clipboard.readText()")
    width = {"light": 1280, "dark": 360}[color_scheme]
    context = browser.new_context(color_scheme=color_scheme, viewport={"width": width, "height": 850})  # type: ignore[arg-type]
    reader = context.new_page()
    opened = reader.goto(address)
    assert opened
    assert "default-src" in opened.headers["content-security-policy"]
    expect(reader.locator("h1")).to_have_text(ICE)
    expect(reader.locator(".answer")).to_contain_text("The loss of ice doubles after 2005.")
    expect(reader.locator("body")).not_to_contain_text("flowers")
    assert reader.locator("button, input, form, script").count() == 0
    assert reader.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    reader.locator("a.cite").first.click()
    expect(reader.locator("mark:target")).to_be_in_viewport()
    reader.screenshot(path=SHOTS / f"link-{color_scheme}.png")
    page.locator("#talk .turn").first.locator("summary", has_text="Link ✓").click()
    page.locator("#talk .turn").first.locator("button[name=unlink]").click()
    expect(page.locator("#notice")).to_contain_text("leads nowhere")
    for gone in (address, f"{address}x", address.rpartition("/")[0] + "/", f"{address}/../x"):
        assert reader.request.get(gone, max_redirects=0).status == 404
    context.close()


def test_a_link_is_of_no_use_to_whoever_may_not_enter_the_page(browser: Browser, tmp_path: Path) -> None:
    for name in ("ann", "bob"):
        users.add_user(tmp_path / "users", name, WORDS)
    settings = quick(tmp_path).model_copy(update={"auth": tmp_path / "users"})
    with filled(tmp_path) as library, serving(library, settings) as address:
        ann, bob, stranger = (browser.new_page() for _ in range(3))
        log_in(ann, address, "ann")
        ann.locator("#talk .welcome").wait_for()
        ask(ann, ICE)
        ann.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
        press(ann, "link")
        ann.wait_for_function("window.copied")
        link = ann.evaluate("window.copied")
        log_in(bob, address, "bob")
        bob.locator("#talk .welcome").wait_for()
        bob.goto(link)
        expect(bob.locator(".answer")).to_contain_text("The loss of ice doubles after 2005.")
        refused = stranger.goto(link)
        assert refused
        assert refused.status == 401
        expect(stranger.locator("body")).not_to_contain_text("ice")
        for page in (ann, bob, stranger):
            page.context.close()
