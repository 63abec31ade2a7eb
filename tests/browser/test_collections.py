"""Collections on the page: made in the library, asked about in the chat, filled from an answer, and hostile names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, ask, filled, quick, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NAME = 'Bees & <b>"birds"</b>'
QUESTION = "How do honey bees communicate the place of flowers by a waggle dance?"


@pytest.fixture
def own_address(tmp_path: Path) -> Iterator[str]:
    """A page over a library that the test may change."""
    with filled(tmp_path) as library, serving(library, quick(tmp_path)) as address:
        yield address


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def answer_prompts(page: Page, text: str) -> None:
    """Type this text into the next window that asks for one."""
    page.once("dialog", lambda dialog: dialog.accept(text))


def open_menu(page: Page, summary: str) -> None:
    page.locator("#library details.menu > summary", has_text=summary).click()


def tick(page: Page, title: str) -> None:
    page.get_by_label(f"Tick {title}").check()


def test_ticked_papers_become_a_collection_that_is_shown_renamed_emptied_and_deleted(
    own_address: str, open_page: OpenPage
) -> None:
    page = open_page(at=own_address)
    open_tab(page, "Library")
    rows = page.locator("#library tbody tr")
    tick(page, "The rise of sourdough")
    tick(page, "Insects find food")
    open_menu(page, "Add papers to")
    answer_prompts(page, NAME)
    page.get_by_role("button", name="New collection ...").locator("visible=true").click()
    expect(page.locator("#notice")).to_contain_text("2 papers added")
    expect(page.locator(".collection .chosen")).to_have_text(NAME)
    expect(rows).to_have_count(2)
    page.get_by_label("Search papers").fill("sourdough")
    expect(rows).to_have_count(1)
    page.get_by_label("Search papers").fill("")
    expect(rows).to_have_count(2)
    tick(page, "The rise of sourdough")
    page.get_by_role("button", name="Take out ticked").click()
    expect(rows).to_have_count(1)
    answer_prompts(page, "Bees")
    page.get_by_role("button", name="Rename").locator("visible=true").click()
    expect(page.locator(".collection .chosen")).to_have_text("Bees")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete collection").click()
    expect(page.locator(".collection .chosen")).to_have_text("All papers")
    expect(rows).to_have_count(4)


def test_a_collection_is_a_chip_in_the_chat_until_its_cross_is_pressed(own_address: str, open_page: OpenPage) -> None:
    page = open_page(at=own_address)
    open_tab(page, "Library")
    tick(page, "The rise of sourdough")
    open_menu(page, "Add papers to")
    answer_prompts(page, NAME)
    page.get_by_role("button", name="New collection ...").locator("visible=true").click()
    page.get_by_role("button", name="Ask about these").click()
    chip = page.locator("#looking .chip")
    expect(chip).to_contain_text(f"Collection {NAME}")
    ask(page, QUESTION)
    expect(page.locator(".turn").last).to_contain_text("No answer in this library")
    expect(page.locator("#right .card")).to_have_count(1)
    chip.get_by_role("button").click()
    expect(chip).to_have_count(0)
    ask(page, QUESTION)
    expect(page.locator(".turn").last.locator(".answer")).to_contain_text("waggle dance")


def test_the_papers_of_an_answer_are_kept_in_a_collection_and_have_tags_and_a_note(
    own_address: str, open_page: OpenPage
) -> None:
    page = open_page(at=own_address)
    ask(page, QUESTION)
    page.locator("#talk details.menu > summary", has_text="Keep papers in").click()
    answer_prompts(page, NAME)
    page.get_by_role("button", name="New collection ...").locator("visible=true").click()
    expect(page.locator("#notice")).to_contain_text(f"added to “{NAME}”")
    expect(page.locator("#right .card").first.locator(".chip")).to_have_text(NAME)
    open_tab(page, "Library")
    page.locator("#library").get_by_role("button", name="Insects find food").click()
    page.get_by_label("Tags").fill("to read, <i>dance</i>")
    page.get_by_label("Note").fill("See <b>von Frisch</b>.\n\n# And others")
    page.get_by_role("button", name="Save tags and note").click()
    expect(page.locator("#notice")).to_have_text("Tags and note are saved.")
    expect(page.get_by_label("Tags")).to_have_value("<i>dance</i>, to read")
    page.get_by_label("Search papers").fill("frisch")
    expect(page.locator("#library tbody tr").first).to_contain_text("Insects find food")
    open_tab(page, "Chat")
    page.reload()
    card = page.locator("#right .card").first
    expect(card.locator(".added")).to_contain_text("#<i>dance</i>")
    expect(card.locator(".added")).to_contain_text("Note: See <b>von Frisch</b>.# And others")
    expect(card.locator(".added :is(b, i, h1)")).to_have_count(0)
