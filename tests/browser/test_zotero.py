from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage, ask, filled, press, quick, serving
from tests.zotero import FakeZotero

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def zotero_address(tmp_path: Path) -> Iterator[tuple[str, FakeZotero]]:
    """The address of a page beside a running Zotero."""
    zotero = FakeZotero()
    with zotero.serve() as server, filled(tmp_path) as library:
        settings = quick(tmp_path).model_copy(update={"zotero_url": server.url, "zotero_directory": tmp_path})
        with serving(library, settings) as address:
            yield address, zotero


def test_zotero_is_read_from_the_library_tab_and_its_papers_lead_back_to_it(
    open_page: OpenPage, zotero_address: tuple[str, FakeZotero]
) -> None:
    address, zotero = zotero_address
    reading = zotero.add_collection("Reading <b>list</b>")
    abstract = "Penguins keep warm in huddles. Emperor penguins change places in a huddle every few minutes."
    key = zotero.add("Why penguins <i>huddle</i>", abstract, tags=["cold"], collections=[reading])
    page = open_page(at=address)
    page.get_by_role("tab", name="Library").click()
    press(page, "zotero")
    expect(page.locator("#adding .report")).to_contain_text("1 record read: 1 added.")
    page.get_by_role("button", name="Why penguins huddle").click()
    link = page.locator("#library").get_by_role("link", name="Show in Zotero")
    expect(link).to_have_attribute("href", f"zotero://select/library/items/{key}")
    expect(page.locator("#library .detail")).to_contain_text("Reading <b>list</b>")
    page.locator("#tabs [role=tab]").first.click()
    ask(page, "How do emperor penguins keep warm in a huddle?")
    card = page.locator("article.card", has_text="Why penguins huddle").first
    expect(card.get_by_role("link", name="Show in Zotero")).to_have_attribute(
        "href", f"zotero://select/library/items/{key}"
    )
    zotero.trash(key)
    zotero.add("How bees dance", "Honey bees dance for flowers.")
    page.get_by_role("tab", name="Library").click()
    press(page, "zotero")
    expect(page.locator("#adding .report")).to_contain_text("1 added, 1 removed")


def test_a_zotero_that_lets_nobody_read_it_is_said_with_the_cure(
    open_page: OpenPage, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    zotero = FakeZotero()
    with zotero.serve() as server, filled(tmp_path) as library:
        server.enabled = False
        settings = quick(tmp_path).model_copy(update={"zotero_url": server.url, "zotero_directory": tmp_path})
        with serving(library, settings) as address:
            page = open_page(at=address)
            page.get_by_role("tab", name="Library").click()
            press(page, "zotero")
            expect(page.locator("#adding")).to_contain_text("Settings > Advanced > Allow other applications")
