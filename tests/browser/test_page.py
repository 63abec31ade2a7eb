from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SHOTS

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]


def ask(page: Page, question: str) -> None:
    """Type a question and wait for its answer."""
    before = page.locator(".answer, .abstention, .error").count()
    page.get_by_placeholder("Ask the abstracts").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator(".answer, .abstention, .error")).to_have_count(before + 1)


def test_a_citation_leads_to_the_sentence_behind_it(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "When does the loss of ice double?")
    expect(page.locator(".answer")).to_contain_text("The loss of ice doubles after 2005.")
    page.locator("a.cite").first.click()
    card = page.locator(".card:target")
    expect(card).to_be_in_viewport()
    expect(card.locator("mark", has_text="The loss of ice doubles after 2005.")).to_be_in_viewport()
    expect(card).to_contain_text("Small glaciers shrink first.")
    page.screenshot(path=SHOTS / "citation.png")


def test_an_example_question_on_the_empty_page_is_answered(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_text("How much ice did glaciers in the Alps lose?").click()
    expect(page.locator(".answer")).to_contain_text("lost a third of their ice")
    expect(page.locator(".question")).to_have_text("How much ice did glaciers in the Alps lose?")


def test_a_second_question_keeps_the_sources_of_the_first(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "When does the loss of ice double?")
    ask(page, "How do honey bees communicate the place of flowers?")
    page.locator("a.cite").first.click()
    expect(page.locator(".card:target")).to_contain_text("Glaciers")
    page.locator(".answer").last.locator("a.cite").first.click()
    expect(page.locator(".card:target")).to_contain_text("Honey bees")


def test_a_question_that_nothing_answers_is_told_so_with_the_reason(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "zzqy xylophone wombats")
    expect(page.locator(".abstention")).to_contain_text("The library does not answer this")
    expect(page.locator(".abstention")).to_contain_text("xylophone")
    expect(page.locator(".card")).to_have_count(0)


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
    card = page.locator(".card")
    expect(card).to_contain_text("<script>document.title='owned'</script>")
    expect(card).to_contain_text("[click](javascript:alert(1))")
    assert page.locator(".card img, .card a, .answer img, .question img, .question strong").count() == 0
    assert page.locator(".answer a:not(.cite)").count() == 0
    assert page.title() == "paperchat"


def test_mathematics_is_set_and_money_is_left_alone(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "What is the success rate with kangaroos and the fee?")
    expect(page.locator(".answer .katex").first).to_be_visible()
    expect(page.locator(".answer")).to_contain_text("$5 or $10")


def test_a_new_conversation_forgets_the_old_one(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "When does the loss of ice double?")
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".answer")).to_have_count(0)
    expect(page.locator(".card")).to_have_count(0)


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1920])
def test_nothing_sticks_out_at_any_width(open_page: OpenPage, width: int, color_scheme: str) -> None:
    page = open_page(width=width, color_scheme=color_scheme)
    ask(page, "When does the loss of ice double?")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.screenshot(path=SHOTS / f"page-{width}-{color_scheme}.png")
