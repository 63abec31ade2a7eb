from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from assistant.tables import reading
from tests.browser.conftest import OpenPage, ask, filled, quick, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(autouse=True)
def every_cell_has_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "STATED_FROM", 0.0)


@pytest.fixture
def own_address(tmp_path: Path) -> Iterator[str]:
    """A page over a library that the test may change."""
    with filled(tmp_path) as library, serving(library, quick(tmp_path)) as address:
        yield address


def fill(page: Page, columns: str, rows: str = "") -> None:
    page.get_by_role("tab", name="Table").click()
    page.get_by_label("Columns, one a line").fill(columns)
    page.get_by_label("Words and filters, or the question").fill(rows)
    page.get_by_role("button", name="Fill the table").click()


def test_a_table_is_filled_opened_corrected_and_saved(own_address: str, open_page: OpenPage) -> None:
    page = open_page(at=own_address)
    fill(page, "What is measured?\nyear")
    rows = page.locator("#sheet tbody tr")
    expect(rows).to_have_count(4)
    expect(page.locator("#sheet")).to_contain_text("2021")
    page.locator("#sheet tbody button[name=cell]").first.click()
    detail = page.locator("#sheet .detail")
    expect(detail.locator("mark")).to_have_count(1)
    expect(detail).to_contain_text("What is measured? from the marked sentence")
    detail.get_by_label("The right value").fill("ice <b>loss</b>")
    detail.get_by_role("button", name="Correct", exact=True).click()
    expect(page.locator("#sheet tbody tr").first).to_contain_text("ice <b>loss</b>")
    expect(page.locator("#sheet tbody tr").first).to_contain_text("corrected by hand")
    with page.expect_download() as saved:
        page.locator("#sheet button[value=csv]").click()
    assert "ice <b>loss</b>" in Path(saved.value.path()).read_text(encoding="utf-8")
    page.once("dialog", lambda dialog: dialog.accept("Compared"))
    page.locator("#sheet button[name=keeprows]").click()
    expect(page.locator("#notice")).to_contain_text("4 papers added to “Compared”")
    page.locator("#sheet").get_by_role("button", name="Forget the correction").click()
    expect(page.locator("#sheet tbody tr").first).not_to_contain_text("corrected by hand")


def test_hostile_abstracts_and_columns_are_text(own_address: str, open_page: OpenPage) -> None:
    page = open_page(at=own_address)
    fill(page, "<img src=x onerror=\"document.title='owned'\"> kangaroos", "kangaroos")
    expect(page.locator("#sheet tbody tr")).to_have_count(1)
    page.locator("#sheet tbody button[name=cell]").first.click()
    expect(page.locator("#sheet .detail")).to_contain_text("onerror")
    assert page.title() == "paperchat"
    assert page.locator("#sheet img, #sheet script").count() == 0


def test_what_cannot_be_a_table_is_said(own_address: str, open_page: OpenPage) -> None:
    page = open_page(at=own_address)
    fill(page, "!!!")
    expect(page.locator("#sheet .error")).to_contain_text("asks nothing")
    fill(page, "dataset", "topic:bees")
    expect(page.locator("#sheet .error")).to_contain_text("topic")
    fill(page, "dataset", "zzqy")
    expect(page.locator("#sheet")).to_contain_text("No paper matches.")


def test_a_chat_answers_with_a_table_that_opens_on_sentences_and_in_the_tab(
    own_address: str, open_page: OpenPage
) -> None:
    page = open_page(at=own_address)
    ask(page, "How do honey bees communicate the place of flowers?")
    ask(page, "compare these in a table: method, main result, year")
    table = page.locator("#talk .papers table").last
    expect(table.locator("tbody tr")).not_to_have_count(0)
    table.locator("td a.cite").first.click()
    expect(page.locator("mark.followed")).to_have_count(1)
    page.get_by_role("button", name="Open in the Table tab").click()
    expect(page.locator("#sheet thead")).to_contain_text("main result")
    expect(page.locator("#sheet tbody button[name=cell]").first).to_be_visible()
