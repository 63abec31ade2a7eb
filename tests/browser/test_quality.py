from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from assistant.chat import Assistant
from tests.browser.conftest import SHOTS, ColorScheme, OpenPage, ask, filled, press, quick
from tests.fakes import WordOverlapReader
from ui.page import server

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ICE = "When does the loss of ice double?"


def complaints(page: Page) -> list[str]:
    """What axe-core finds that is serious or worse."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html']}" for each in found if each["impact"] in ("serious", "critical")]


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_everybody_can_use_every_part_of_the_page(open_page: OpenPage, color_scheme: ColorScheme) -> None:
    page = open_page(color_scheme=color_scheme)
    assert complaints(page) == []
    ask(page, ICE)
    ask(page, "zzqy xylophone wombats year>=2000")
    press(page, "pin", "#right")
    expect(page.locator("#looking .looking")).to_be_visible()
    page.get_by_text("Not helpful").last.click()
    page.get_by_role("button", name="Missing paper").last.click()
    expect(page.locator(".naming input")).to_be_visible()
    page.locator(".talk summary").click()
    assert complaints(page) == []
    page.get_by_role("tab", name="Library").click()
    page.get_by_role("button", name="The rise of sourdough").click()
    expect(page.locator(".detail")).to_be_visible()
    assert complaints(page) == []
    page.get_by_role("button", name="Map of topics").click()
    page.locator("#map button[name=topic]").click()
    expect(page.locator("#map .about-topic")).to_be_visible()
    page.mouse.move(1, 1)
    assert complaints(page) == []
    page.screenshot(path=SHOTS / f"library-{color_scheme}.png")
    page.get_by_role("tab", name="Check").click()
    page.get_by_label("Draft", exact=True).fill("The loss of ice doubles after 2005 \\cite{ice}. We thank the bees.")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator(".checksum")).to_contain_text("2 sentences")
    page.mouse.move(1, 1)
    assert complaints(page) == []
    page.get_by_role("tab", name="Table").click()
    page.get_by_label("Columns, one a line").fill("What is measured?\nyear")
    page.get_by_role("button", name="Fill the table").click()
    expect(page.locator("#sheet")).to_contain_text("CSV")
    page.locator("#sheet tbody button[name=cell]").first.click()
    expect(page.locator(".correcting")).to_be_visible()
    page.mouse.move(1, 1)
    assert complaints(page) == []
    page.get_by_role("tab", name="Settings").click()
    expect(page.get_by_role("button", name="Test connection")).to_be_visible()
    assert complaints(page) == []
    page.screenshot(path=SHOTS / f"settings-{color_scheme}.png")


def test_the_page_is_there_before_the_model_is_and_a_question_waits_for_it(open_page: OpenPage, tmp_path: Path) -> None:
    loading: Future[Assistant] = Future()
    with filled(tmp_path) as library:
        served = server.start(quick(tmp_path), loading)
        page = open_page(at=served.address)
        page.get_by_role("tab", name="Library").click()
        expect(page.locator(".places")).to_contain_text("of 4 papers")
        page.get_by_role("tab", name="Chat").click()
        page.get_by_label("Question", exact=True).fill(ICE)
        page.keyboard.press("Enter")
        expect(page.locator("#now")).to_contain_text("Loading the model")
        loading.set_result(Assistant(library, quick(tmp_path), WordOverlapReader(), None))
        expect(page.locator("#talk .answer")).to_contain_text("The loss of ice doubles after 2005.")
        page.goto("about:blank")
        served.close()


def test_a_question_is_asked_and_its_source_found_with_the_keyboard_alone(open_page: OpenPage) -> None:
    page = open_page()
    page.locator("body").click(position={"x": 5, "y": 5})
    page.keyboard.press("/")
    page.keyboard.type(ICE)
    page.keyboard.press("Enter")
    expect(page.locator("#talk .answer")).to_be_visible()
    page.locator("a.cite").first.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("a.cite").nth(1)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.locator("mark.followed")).to_be_in_viewport()


def test_a_pressed_button_keeps_the_focus_when_its_part_of_the_page_is_new(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, ICE)
    page.locator("#right button[name=pin]").first.focus()
    page.keyboard.press("Enter")
    pinned = page.locator("#right button[name=pin]").first
    expect(pinned).to_contain_text("Pinned ✓")
    expect(pinned).to_be_focused()


def test_escape_closes_a_menu(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, ICE)
    page.locator(".talk summary").click()
    expect(page.get_by_role("button", name="Rename")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Rename")).not_to_be_visible()


def test_the_chat_fills_the_screen_and_is_not_scrolled_to_reach_the_question_box(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, ICE)
    for width, height in ((1280, 850), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        expect(page.get_by_placeholder("Ask the abstracts")).to_be_in_viewport(ratio=1)
        expect(page.get_by_role("button", name="Ask", exact=True)).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_a_menu_is_whole_on_a_phone(open_page: OpenPage) -> None:
    page = open_page(width=360, height=740)
    ask(page, ICE)
    page.locator(".talk summary").click()
    for name in ("Rename", "Delete"):
        expect(page.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)


def test_colours_are_chosen_and_remembered(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("tab", name="Settings").click()
    page.get_by_label("dark").check()
    expect(page.locator("body")).to_have_class("dark")
    page.reload()
    expect(page.locator("body")).to_have_class("dark")


def test_what_is_chosen_in_the_settings_holds_for_this_tab_alone(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("tab", name="Settings").click()
    page.get_by_label("Filters of every question").fill("year>=2022")
    expect(page.locator("#chosen")).to_contain_text("Used from the next question on")
    page.get_by_role("tab", name="Chat").click()
    ask(page, "Does sourdough bread rise by wild yeast?")
    expect(page.locator("#talk .abstention")).to_be_visible()
    expect(page.locator(".understood")).to_contain_text("year>=2022")
    other = open_page(within=page.context)
    ask(other, "Does sourdough bread rise by wild yeast?")
    expect(other.locator("#talk .answer")).to_contain_text("wild yeast")


def test_a_setting_that_cannot_be_used_is_said_to_be_so(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("tab", name="Settings").click()
    page.get_by_label("Filters of every question").fill("date:2022")
    expect(page.locator("#chosen")).to_contain_text("there is no filter date:")


def test_a_connection_is_tested(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("tab", name="Settings").click()
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#tested")).to_contain_text("quoting needs no model")
    page.get_by_label("Who writes the answer").fill("nobody/nothing")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Test connection").click()
    expect(page.locator("#tested")).to_contain_text("No answer:")
