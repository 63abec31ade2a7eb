from __future__ import annotations

from pathlib import Path

import pytest
from bibtexparser.entrypoint import parse_string
from playwright.sync_api import expect

from tests.browser.conftest import SHOTS, ColorScheme, OpenPage, ask, filled, press, quick, serving
from tests.fakes import ScriptedLLM

pytestmark = pytest.mark.browser

ICE = "When does the loss of ice double?"
BREAD = "Does sourdough bread rise by wild yeast?"


def test_cited_papers_come_first_with_everything_known_of_them(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, BREAD)
    card = page.locator(".card").first
    expect(card.locator(".number")).to_have_text("[1]")
    link = card.get_by_role("link", name="The rise of sourdough")
    expect(link).to_have_attribute("href", "https://doi.org/10.1234/rise")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    expect(card.locator(".authors")).to_have_text("Ann Baker")
    expect(card.locator(".about")).to_have_text("2021 · Journal of Dough")
    expect(card.locator("mark", has_text="Sourdough bread rises by wild yeast.")).to_be_visible()
    expect(page.locator(".also")).to_contain_text("Also found")
    expect(card.locator(".scores p")).not_to_be_visible()
    card.locator(".scores summary").click()
    expect(card.locator(".scores p")).to_contain_text("words")


def test_a_pinned_paper_alone_is_looked_at_until_it_is_freed(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, ICE)
    press(page, "pin", "#right")
    expect(page.locator("#looking")).to_contain_text("Looking only at")
    expect(page.locator("#right button[name=pin]").first).to_contain_text("Pinned ✓")
    ask(page, BREAD)
    expect(page.locator("#talk .made summary").last).to_contain_text("1 searched")
    expect(page.locator("#talk .turn").last).not_to_contain_text("rises by")
    press(page, "free", "#looking")
    expect(page.locator("#looking .looking")).to_have_count(0)
    ask(page, BREAD)
    expect(page.locator("#talk .answer").last).to_contain_text("wild yeast")


def test_an_excluded_paper_is_not_looked_at(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, BREAD)
    press(page, "exclude", "#right")
    expect(page.locator("#looking")).to_contain_text("Leaving out")
    expect(page.locator("#looking .chip")).to_contain_text("The rise of sourdough")
    ask(page, BREAD)
    expect(page.locator("#talk .turn").last.locator(".answer")).to_have_count(0)
    press(page, "everything", "#looking")
    expect(page.locator("#looking .looking")).to_have_count(0)


def test_questions_can_be_asked_of_one_paper_alone(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, ICE)
    ask(page, BREAD)
    page.locator(".card", has_text="Sourdough").first.get_by_role("button", name="Only this paper").click()
    expect(page.locator("#looking .chip")).to_have_count(1)
    expect(page.locator("#looking .chip")).to_contain_text("The rise of sourdough")


def test_papers_like_one_are_shown_above_the_evidence(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, ICE)
    press(page, "similar", "#right")
    expect(page.locator(".like h2")).to_contain_text("Papers like")
    like = page.locator(".like .card")
    expect(like.first).to_be_visible()
    expect(like.filter(has_text="Glaciers in the northern Alps")).to_have_count(0)
    expect(page.locator(".sources .card").first).to_contain_text("Glaciers")


def test_the_citation_of_a_paper_is_copied_as_bibtex(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, BREAD)
    press(page, "cite", "#right")
    expect(page.locator("#notice")).to_have_text("The BibTeX entry is copied.")
    library = parse_string(page.evaluate("navigator.clipboard.readText()"))
    assert library.entries[0].fields_dict["doi"].value == "10.1234/rise"


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_a_sentence_that_its_source_denies_says_so_and_the_source_opens(
    tmp_path: Path, open_page: OpenPage, width: int, scheme: ColorScheme
) -> None:
    llm = ScriptedLLM("Small glaciers do not shrink first [1]. The loss of ice doubles after 2005 [1].")
    with filled(tmp_path) as library, serving(library, quick(tmp_path), llm) as address:
        page = open_page(width, color_scheme=scheme, at=address)
        ask(page, ICE)
        answer = page.locator("#talk .answer")
        denied = answer.locator(".contradicted")
        expect(denied).to_have_text("Small glaciers do not shrink first.")
        expect(answer.locator(".note")).to_have_text("The cited passage says otherwise.")
        expect(answer.locator(".supported")).to_have_text("The loss of ice doubles after 2005.")
        page.screenshot(path=SHOTS / f"contradicted-{width}-{scheme}.png")
        answer.get_by_role("link", name="[1]").first.click()
        expect(page.locator("#right mark", has_text="Small glaciers shrink first.")).to_be_visible()
