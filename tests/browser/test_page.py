from __future__ import annotations

import threading
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SHOTS, OpenPage, ask, filled, quick, serving
from ui.page import examples

pytestmark = pytest.mark.browser


def test_a_citation_leads_to_the_sentence_behind_it_and_shows_it_to_whoever_points_at_it(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "When does the loss of ice double?")
    expect(page.locator(".answer")).to_contain_text("The loss of ice doubles after 2005.")
    link = page.locator(".entry").first.locator('a.cite[title^="The loss of ice doubles"]')
    expect(link).to_have_attribute("title", "The loss of ice doubles after 2005.")
    link.click()
    expect(page.locator("mark.followed")).to_have_text("The loss of ice doubles after 2005.")
    expect(page.locator("mark.followed")).to_be_in_viewport()
    expect(page.locator(".card:has(.followed)")).to_contain_text("Small glaciers shrink first.")
    page.screenshot(path=SHOTS / "citation.png")


def test_an_example_question_appears_by_itself_and_is_answered(
    open_page: OpenPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    question, may_end = "When does the loss of ice double?", threading.Event()

    def find_questions(*_: object) -> list[str]:
        may_end.wait(60)
        return [question]

    monkeypatch.setattr(examples, "find_questions", find_questions)
    with filled(tmp_path) as library, serving(library, quick(tmp_path)) as address:
        page = open_page(at=address)
        expect(page.locator(".welcome")).to_contain_text("Looking for questions to begin with")
        may_end.set()
        page.locator(".welcome button[name=ask]").click()
        expect(page.locator(".question")).to_have_text(question)
        expect(page.locator("#talk .answer a.cite").first).to_be_visible()
        page.goto("about:blank")


def test_a_second_question_keeps_the_sources_of_the_first(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "When does the loss of ice double?")
    ask(page, "How do honey bees communicate the place of flowers?")
    page.locator("a.cite").first.click()
    expect(page.locator(".card:has(.followed)")).to_contain_text("Glaciers")
    page.locator(".answer").last.locator("a.cite").first.click()
    expect(page.locator(".card:has(.followed)")).to_contain_text("Honey bees")


def test_a_question_that_nothing_answers_is_told_why_and_what_to_try(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "zzqy xylophone wombats")
    expect(page.locator(".abstention")).to_contain_text("The library does not answer this")
    expect(page.locator(".abstention")).to_contain_text("xylophone")
    expect(page.locator(".advice")).to_contain_text("Ask about one thing at a time")
    expect(page.locator(".card[id]")).to_have_count(0)


@pytest.mark.parametrize("question", ["", "   ", "?!", "ice " * 5000], ids=["empty", "spaces", "marks", "endless"])
def test_an_impossible_question_gets_a_plain_reply(open_page: OpenPage, question: str) -> None:
    page = open_page()
    ask(page, question)
    expect(page.locator(".abstention, .error")).to_have_count(1)


def test_hostile_text_stays_text(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "What success rate and fee have kangaroos <img src=x onerror=\"document.title='owned'\"> **now**?")
    expect(page.locator(".question")).to_contain_text("<img src=x onerror=")
    expect(page.locator(".question")).to_contain_text("**now**")
    card = page.locator(".card[id]").first
    expect(card).to_contain_text("<script>document.title='owned'</script>")
    expect(card).to_contain_text("[click](javascript:alert(1))")
    expect(card).to_contain_text("${document.title='owned'} or {{value}}")
    hostile = page.locator(".card", has_text="kangaroos")
    assert hostile.locator("img, script, a").count() == 0
    assert page.locator(".answer img, .question img, .question strong").count() == 0
    assert page.locator(".answer a:not(.cite)").count() == 0
    assert page.title() == "paperchat"


def test_mathematics_is_set_and_money_is_left_alone(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "What is the success rate with kangaroos and the fee?")
    expect(page.locator(".answer .katex").first).to_be_visible()
    expect(page.locator(".answer")).to_contain_text("$5 or $10")


def test_a_new_chat_forgets_the_old_one(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "When does the loss of ice double?")
    page.get_by_role("button", name="New chat").click()
    expect(page.locator(".answer")).to_have_count(0)
    expect(page.locator(".card")).to_have_count(0)
    expect(page.locator(".welcome")).to_be_visible()


def test_an_answer_says_how_it_was_made(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "When does the loss of ice double?")
    expect(page.locator(".made summary")).to_contain_text("Firm answer · quoted without a language model")
    expect(page.locator(".made summary")).not_to_contain_text("%")
    expect(page.locator(".made summary")).to_contain_text("4 searched")
    page.locator(".made summary").click()
    expect(page.locator(".made li", has_text="search by meaning")).to_be_visible()
    expect(page.locator(".made p")).to_contain_text("Confidence that the library answers this:")


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_nothing_sticks_out_at_any_width(open_page: OpenPage, color_scheme: str) -> None:
    page = open_page(color_scheme=color_scheme)
    ask(page, "When does the loss of ice double?")
    page.get_by_text("Not helpful").click()
    page.get_by_role("button", name="Missing paper").click()
    expect(page.locator(".naming input")).to_be_visible()
    assert too_wide(page, "page", color_scheme) == []
    expect(page.get_by_role("tab", name="Settings")).to_be_visible()
    for tab in ("Check", "Library", "Table", "News", "Settings"):
        page.get_by_role("tab", name=tab).click()
        if tab == "Library":
            page.get_by_role("button", name="The rise of sourdough").click()
            expect(page.locator(".detail")).to_be_visible()
        assert too_wide(page, tab.lower(), color_scheme) == []


def too_wide(page: Page, name: str, color_scheme: str) -> list[int]:
    """Return the widths of the window at which something sticks out of the page, of which a picture is kept at each."""
    found = []
    for width in (360, 1920):
        page.set_viewport_size({"width": width, "height": 850})
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            found.append(width)
        page.screenshot(path=SHOTS / f"{name}-{width}-{color_scheme}.png")
    return found
