"""The map of the library tab: drawn when it is opened, it filters the list and scopes the chat."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, ask, press

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def open_map(page: Page) -> None:
    page.get_by_role("tab", name="Library").click()
    page.get_by_role("button", name="Map of topics").click()
    expect(page.locator("#map .scatter .point")).to_have_count(4)


def test_a_click_on_a_topic_filters_the_list_and_scopes_the_chat(open_page: OpenPage) -> None:
    page = open_page()
    open_map(page)
    expect(page.locator("#map")).to_contain_text("4 papers are too few to tell topics apart")
    topic = page.locator("#map button[name=topic]")
    topic.click()
    expect(page.get_by_label("Search papers")).to_have_value('topic:"t1"')
    expect(page.locator("#map .about-topic blockquote").first).to_be_visible()
    expect(page.locator("#library tbody tr")).to_have_count(4)
    page.locator("#map .bar", has_text="2021").click()
    expect(page.locator("#library tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Ask about these").click()
    expect(page.locator("#looking .chip")).to_have_count(2)
    ask(page, "How do honey bees communicate the place of flowers?")
    expect(page.locator("#talk")).not_to_contain_text("waggle")
    press(page, "allyears", "#looking")
    expect(page.locator("#looking .chip")).to_have_count(1)
    page.reload()
    page.locator("#talk .turn").first.wait_for()
    expect(page.locator("#looking .chip")).to_have_count(2)  # as the question looked at it
    press(page, "everything", "#looking")
    expect(page.locator("#looking .chip")).to_have_count(0)


def test_a_click_on_a_point_opens_its_paper_in_the_list(open_page: OpenPage) -> None:
    page = open_page()
    open_map(page)
    page.locator("#map .point[title*=sourdough]").click(force=True)
    expect(page.locator("#library .detail")).to_contain_text("Sourdough bread rises by wild yeast")
    page.get_by_label("Search papers").fill("bees")
    expect(page.locator("#map .looking")).to_have_count(0)


def test_hostile_titles_on_the_map_are_text(open_page: OpenPage) -> None:
    page = open_page()
    open_map(page)
    page.locator("#map button[name=topic]").click()
    expect(page.locator("#map .about-topic")).to_be_visible()
    assert page.title() == "paperchat"
    assert page.locator("#map img, #map script").count() == 0
