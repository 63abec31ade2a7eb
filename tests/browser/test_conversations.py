from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from bibtexparser.entrypoint import parse_string
from playwright.sync_api import FloatRect, Page, expect

from assistant.schema import Message, Sampling
from eval import suites
from tests.browser.conftest import SHOTS, OpenPage, ask, filled, press, quick, serving
from tests.fakes import ScriptedLLM

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ICE, BEES = "When does the loss of ice double?", "How do honey bees communicate the place of flowers?"


class PausingLLM(ScriptedLLM):
    """Begins an answer, and ends it when it is told to."""

    name = "pausing/test"

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()

    def stream(self, messages: Sequence[Message], sampling: Sampling | None = None) -> Iterator[str]:
        yield "The loss of ice doubles after 2005 [1]. "
        self.go_on.wait(60)
        yield "Small glaciers shrink first [1]."


def open_menu(page: Page, title: str) -> None:
    page.locator(".talk", has_text=title).locator("summary").click()


def test_a_conversation_is_named_by_its_first_question_and_goes_on_after_a_reload(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, ICE)
    expect(page.locator(".talk[aria-current]")).to_contain_text(ICE)
    page.reload()
    expect(page.locator("#talk .answer")).to_contain_text("The loss of ice doubles after 2005.")
    ask(page, "and how was it measured?")
    expect(page.locator("#talk .turn")).to_have_count(2)
    expect(page.locator(".talk")).to_have_count(1)
    expect(page.locator(".talk")).to_contain_text("2 questions")


def test_two_browsers_never_see_each_others_conversations(open_page: OpenPage) -> None:
    one, other = open_page(), open_page()
    ask(one, ICE)
    ask(other, BEES)
    for page, own, foreign in ((one, ICE, BEES), (other, BEES, ICE)):
        page.reload()
        expect(page.locator(".talk")).to_have_count(1)
        expect(page.locator("#left")).to_contain_text(own)
        expect(page.locator("body")).not_to_contain_text(foreign)
    # Not even whoever knows its address.
    other.goto(one.url)
    expect(other.locator(".welcome")).to_be_visible()
    expect(other.locator("#talk .turn")).to_have_count(0)


def test_no_script_can_read_the_cookie_that_tells_browsers_apart(open_page: OpenPage) -> None:
    page = open_page()
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], len(cookie["value"])) == (True, "Lax", 43)
    assert page.evaluate("document.cookie") == ""


def test_a_link_on_another_site_leads_to_ones_own_conversations(open_page: OpenPage, address: str) -> None:
    page = open_page()
    ask(page, ICE)
    expect(page.locator(".talk")).to_contain_text(ICE)
    page.goto("data:text/html,<a>paperchat</a>")
    page.locator("a").evaluate("(link, address) => { link.href = address }", address)
    page.locator("a").click()
    expect(page.locator(".talk")).to_contain_text(ICE)


def test_conversations_are_searched_opened_renamed_and_deleted(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, ICE)
    page.get_by_role("button", name="New chat").click()
    expect(page.locator(".welcome")).to_be_visible()
    ask(page, BEES)
    expect(page.locator(".talk")).to_have_count(2)
    page.get_by_label("Search conversations").fill("waggle")
    expect(page.locator(".talk")).to_have_count(1)
    expect(page.locator(".talk")).to_contain_text(BEES)
    page.get_by_label("Search conversations").fill("")
    expect(page.locator(".talk")).to_have_count(2)
    page.locator(".talk", has_text=ICE).locator("button.open").click()
    expect(page.locator("#talk .question")).to_have_text(ICE)
    page.once("dialog", lambda dialog: dialog.accept("Melting <b>ice</b>"))
    open_menu(page, ICE)
    page.get_by_role("button", name="Rename").click()
    expect(page.locator(".talk .title").last).to_have_text("Melting <b>ice</b>")
    page.once("dialog", lambda dialog: dialog.dismiss())
    open_menu(page, "Melting")
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".talk")).to_have_count(2)
    page.once("dialog", lambda dialog: dialog.accept())
    open_menu(page, "Melting")
    page.get_by_role("button", name="Delete").click()
    expect(page.locator(".talk")).to_have_count(1)
    expect(page.locator(".welcome")).to_be_visible()


def test_a_conversation_is_saved_in_every_format(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "Does sourdough bread rise by wild yeast?")
    for form, end, holds in (
        ("Markdown", ".md", "## Does sourdough bread rise by wild yeast?"),
        ("HTML", ".html", "<h2>Does sourdough bread rise by wild yeast?</h2>"),
        ("RIS", ".ris", "DO  - 10.1234/rise"),
        ("CSL-JSON", ".json", '"DOI": "10.1234/rise"'),
    ):
        open_menu(page, "Does sourdough bread rise by wild yeast?")
        with page.expect_download() as saved:
            page.get_by_role("button", name=f"Save as {form}").click()
        assert saved.value.suggested_filename.endswith(end)
        assert holds in Path(saved.value.path()).read_text(encoding="utf-8")


def test_the_bibliography_of_a_conversation_is_bibtex(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "Does sourdough bread rise by wild yeast?")
    open_menu(page, "Does sourdough bread rise by wild yeast?")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as BibTeX").click()
    library = parse_string(Path(saved.value.path()).read_text(encoding="utf-8"))
    assert not library.failed_blocks
    assert library.entries[0].fields_dict["doi"].value == "10.1234/rise"


def test_a_question_is_changed_and_asked_again_in_its_place(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, ICE)
    ask(page, BEES)
    press(page, "edit")
    expect(page.get_by_label("Question", exact=True)).to_have_value(ICE)
    page.get_by_label("Question", exact=True).fill("Which glaciers shrink first?")
    page.keyboard.press("Enter")
    expect(page.locator("#talk .question")).to_have_text(["Which glaciers shrink first?"])
    expect(page.locator("#talk .actions")).to_have_count(1)
    page.reload()
    expect(page.locator("#talk .question")).to_have_text(["Which glaciers shrink first?"])


def test_escape_leaves_a_question_as_it_was(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, ICE)
    press(page, "edit")
    expect(page.locator("#notice")).to_contain_text("Change the question")
    page.keyboard.press("Escape")
    expect(page.get_by_label("Question", exact=True)).to_have_value("")
    ask(page, BEES)
    expect(page.locator("#talk .question")).to_have_text([ICE, BEES])


def test_a_question_asked_again_has_one_answer(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, ICE)
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".streaming")).to_have_count(0)
    expect(page.locator("#talk .answer")).to_contain_text("doubles after 2005")
    expect(page.locator(".talk")).to_contain_text("1 question")


def test_the_filters_of_a_question_stand_above_its_answer_and_are_taken_away(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "Does sourdough bread rise by wild yeast? year>=2022")
    expect(page.locator("#talk .abstention")).to_be_visible()
    expect(page.locator(".understood .chip")).to_contain_text("year>=2022")
    press(page, "drop")
    expect(page.locator("#talk .answer")).to_contain_text("Sourdough bread rises by wild yeast.")
    expect(page.locator(".understood .chip")).to_have_count(0)


def test_what_was_understood_can_be_changed(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, ICE)
    ask(page, "and how was it measured?")
    press(page, "restate")
    expect(page.get_by_label("Question", exact=True)).to_have_value(f"{ICE} and how was it measured?")


def test_judgements_are_kept_with_the_answer_and_become_a_suite(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, ICE)
    page.get_by_role("button", name="Helpful", exact=True).click()
    expect(page.get_by_role("button", name="Helpful ✓")).to_be_visible()
    ask(page, BEES)
    page.locator("#talk .turn").last.get_by_text("Not helpful").click()
    page.locator("#talk .turn").last.get_by_role("button", name="Missing paper").click()
    expect(page.locator("#talk .turn").last).to_contain_text("Not helpful: missing paper ✓")
    meant = page.get_by_label("A title, or a sentence of an abstract")
    meant.fill("no such <b>paper</b>")
    meant.press("Enter")
    expect(page.locator("#notice")).to_contain_text("no paper of the library has “no such <b>paper</b>”")
    for words in ("rise of sourdough", "Older bees dance longer."):
        meant.fill(words)
        meant.press("Enter")
        expect(meant).to_have_value("")
        expect(meant).to_be_focused()
    expect(page.locator(".naming .chip")).to_have_count(2)
    expect(page.locator(".naming")).to_contain_text("(1 sentence)")
    press(page, "unname")
    expect(page.locator(".naming .chip")).to_have_count(1)
    page.reload()
    expect(page.get_by_role("button", name="Helpful ✓")).to_have_count(1)
    page.get_by_role("tab", name="Settings").click()
    with page.expect_download() as saved:
        press(page, "judgements")
    good, bad = suites.load(Path(saved.value.path()))
    assert (good.text, good.group) == (ICE, "confirmed")
    assert "The loss of ice doubles after 2005." in good.evidence
    assert (bad.text, bad.group, len(bad.papers), bad.evidence) == (
        BEES,
        "missing paper",
        1,
        ("Older bees dance longer.",),
    )
    page.get_by_role("tab", name="Chat").click()
    expect(page.locator("#talk .turn").last).to_contain_text("Not helpful: missing paper ✓")


def test_an_answer_is_copied_with_its_references(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "Does sourdough bread rise by wild yeast?")
    press(page, "copy")
    expect(page.locator("#notice")).to_contain_text("copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "Sourdough bread rises by wild yeast. [1]" in copied
    assert "The rise of sourdough - Ann Baker (2021)" in copied


@pytest.fixture
def llm() -> PausingLLM:
    return PausingLLM()


@pytest.fixture
def pausing(tmp_path: Path, llm: PausingLLM) -> Iterator[str]:
    """A page whose language model begins an answer, and ends it when it is told to."""
    with filled(tmp_path) as library, serving(library, quick(tmp_path), llm) as address:
        yield address


def test_an_answer_that_is_stopped_is_not_kept_and_can_be_asked_again(
    pausing: str, llm: PausingLLM, open_page: OpenPage
) -> None:
    page = open_page(at=pausing)
    page.get_by_label("Question", exact=True).fill(ICE)
    page.keyboard.press("Enter")
    expect(page.locator("#now .answer")).to_contain_text("The loss of ice doubles after 2005")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#now")).to_contain_text("Stopped. This answer is not kept.")
    expect(page.get_by_label("Question", exact=True)).to_have_value(ICE)
    llm.go_on.set()
    page.wait_for_timeout(2000)  # for as long as gradio is still ending what was stopped it takes no other question
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(page.locator("#talk .answer")).to_contain_text("Small glaciers shrink first")
    expect(page.locator(".talk")).to_contain_text("1 question")


def test_a_source_that_is_followed_while_the_answer_grows_stays_marked_when_it_is_kept(
    pausing: str, llm: PausingLLM, open_page: OpenPage
) -> None:
    page = open_page(at=pausing)
    page.get_by_label("Question", exact=True).fill(ICE)
    page.keyboard.press("Enter")
    page.locator("#now a.cite").first.click()
    expect(page.locator(".card.followed")).to_be_in_viewport()
    llm.go_on.set()
    expect(page.locator("#talk .answer a.cite").nth(1)).to_be_visible()
    expect(page.locator(".card.followed")).to_be_in_viewport()


def test_a_citation_keeps_the_focus_when_its_answer_is_kept(pausing: str, llm: PausingLLM, open_page: OpenPage) -> None:
    page = open_page(at=pausing)
    page.get_by_label("Question", exact=True).fill(ICE)
    page.keyboard.press("Enter")
    page.locator("#now a.cite").first.focus()
    llm.go_on.set()
    expect(page.locator("#talk .answer a.cite").first).to_be_focused()


def test_nothing_moves_while_an_answer_grows_nor_when_it_is_kept(
    pausing: str, llm: PausingLLM, open_page: OpenPage
) -> None:
    page = open_page(at=pausing)
    fixed = ["#tabs", "#left", "#right", "#asking", ".asked .question", ".understood", ".made summary", ".answer p"]

    def places() -> list[FloatRect | None]:
        return [page.locator(f"{each}:visible").first.bounding_box() for each in fixed]

    page.get_by_label("Question", exact=True).fill(f"{ICE} -wombats")
    page.keyboard.press("Enter")
    expect(page.locator("#now .answer")).to_contain_text("after 2005")
    growing = places()
    llm.go_on.set()
    expect(page.locator("#talk .answer p")).to_have_count(2)
    expect(page.locator(".talk")).to_be_visible()
    assert None not in growing
    assert places() == growing


def test_two_answers_stand_side_by_side_and_the_second_is_not_stored(open_page: OpenPage, tmp_path: Path) -> None:
    llm = ScriptedLLM("The loss of ice doubles after 2005 [1].")
    settings = quick(tmp_path).model_copy(update={"llm": "scripted/test"})
    with filled(tmp_path) as library, serving(library, settings, llm) as address:
        page = open_page(at=address)
        ask(page, ICE)
        page.locator("#talk summary", has_text="Compare with").click()
        page.get_by_role("button", name="Quotations").click()
        sides = page.locator("#now .side")
        expect(sides).to_have_count(2)
        expect(sides.first.locator(".made")).to_contain_text("written by scripted/test")
        expect(sides.last.locator(".made")).to_contain_text("quoted without a language model")
        expect(sides.last.locator("a.cite").first).to_be_visible()
        expect(page.locator("#now .streaming")).to_have_count(0)
        left, right = (sides.nth(number).bounding_box() for number in (0, 1))
        assert left
        assert right
        assert left["y"] == right["y"]
        assert left["x"] < right["x"]
        page.screenshot(path=SHOTS / "comparison.png")
        sides.last.locator("a.cite").first.click()
        expect(page.locator("mark.followed")).to_be_in_viewport()
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        press(page, "uncompare")
        expect(sides).to_have_count(0)
        page.reload()
        expect(page.locator("#talk .turn")).to_have_count(1)
        expect(page.locator("#talk .made")).to_contain_text("written by scripted/test")
        page.goto("about:blank")
