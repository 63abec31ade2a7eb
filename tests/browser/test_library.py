from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from assistant import factory
from tests.browser.conftest import OpenPage, ask, filled, press, quick, serving
from tests.fakes import WordHashEmbedder
from tests.libraries import lock
from ui.page import server

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def own_address(tmp_path: Path) -> Iterator[str]:
    """A page over a library that the test may change."""
    with filled(tmp_path) as library, serving(library, quick(tmp_path)) as address:
        yield address


@pytest.fixture
def empty_address(tmp_path: Path) -> Iterator[str]:
    """A page over a library without a paper."""
    library = factory.open_library(quick(tmp_path), WordHashEmbedder(dimension=256))
    with serving(library, quick(tmp_path)) as address:
        yield address
    library.close()


def open_library(page: Page) -> None:
    page.get_by_role("tab", name="Library").click()


def upload(page: Page, *files: Path) -> None:
    page.locator("#files input[type=file]").set_input_files(files)


def test_papers_are_listed_sorted_and_searched(open_page: OpenPage) -> None:
    page = open_page()
    open_library(page)
    rows = page.locator("#library tbody tr")
    expect(rows).to_have_count(4)
    expect(page.locator(".places")).to_contain_text("1 to 4 of 4 papers")
    expect(rows.first).to_contain_text("The rise of sourdough")
    page.get_by_role("button", name="Year").click()
    expect(page.get_by_role("columnheader", name="Year")).to_have_attribute("aria-sort", "descending")
    expect(rows.first).to_contain_text("2021")
    page.get_by_label("Search papers").fill("waggle dance")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Insects find food")
    page.get_by_label("Search papers").fill("title:sourdough")
    expect(rows).to_contain_text("The rise of sourdough")
    page.get_by_label("Search papers").fill("year:soon")
    expect(page.locator("#library")).to_contain_text("year:soon")
    page.get_by_label("Search papers").fill("zzqy")
    expect(page.locator("#library")).to_contain_text("No paper has these words.")


def test_a_paper_says_where_it_came_from(open_page: OpenPage) -> None:
    page = open_page()
    open_library(page)
    page.get_by_role("button", name="The rise of sourdough").click()
    detail = page.locator(".detail")
    expect(detail).to_contain_text("Sourdough bread rises by wild yeast.")
    expect(detail).to_contain_text("1 record of it:")
    expect(detail).to_contain_text("bread.bib")
    expect(detail.get_by_role("link", name="https://doi.org/10.1234/rise")).to_be_visible()
    page.get_by_role("button", name="The rise of sourdough").first.click()
    expect(detail).to_have_count(0)


def test_a_file_is_added_with_its_counts_and_its_broken_record_told(
    own_address: str, open_page: OpenPage, tmp_path: Path
) -> None:
    file = tmp_path / "reading <b>list.bib"
    file.write_text(
        "@article{owls, title = {Owls at night}, abstract = {Owls hear mice under deep snow. They fly in silence.}}\n"
        "@article{broken, title = {Half a"
    )
    page = open_page(at=own_address)
    open_library(page)
    upload(page, file)
    report = page.locator("#adding .report")
    expect(report).to_contain_text("1 record read: 1 added, 1 skipped.")
    expect(report).to_contain_text("broken BibTeX")
    expect(page.locator("#library tbody")).to_contain_text("Owls at night")
    page.get_by_role("tab", name="Chat").click()
    ask(page, "Do owls hear mice under deep snow?")
    expect(page.locator("#talk .answer")).to_contain_text("Owls hear mice under deep snow.")
    # What a browser sends is read and not kept.
    left = [each for each in (tmp_path / "home" / "uploads").rglob("*") if each.is_file()]
    assert not any(each.stat().st_size for each in left)


def test_a_file_that_holds_no_papers_is_said_to_be_so(own_address: str, open_page: OpenPage, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("<!DOCTYPE html><html><body>no papers</body></html>")
    page = open_page(at=own_address)
    open_library(page)
    upload(page, file)
    expect(page.locator("#adding")).to_contain_text("this is a web page")


def test_a_file_that_is_too_large_is_refused_with_its_reason_and_not_kept(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_LARGEST_UPLOAD", "1kb")
    (tmp_path / "large.bib").write_text("x" * 2000)
    with filled(tmp_path) as library, serving(library, quick(tmp_path)) as address:
        page = browser.new_page()  # Chromium says in its console that the server refused
        page.goto(address)
        open_library(page)
        upload(page, tmp_path / "large.bib")
        expect(page.get_by_text("exceed the maximum allowed size")).to_contain_text("large.bib")
        sent = {"files": {"name": "large.bib", "mimeType": "text/plain", "buffer": b"x" * 2000}}
        assert page.request.post(f"{address}/gradio_api/upload", multipart=sent).status == 413  # type: ignore[arg-type]
        page.context.close()
    assert not any(each.is_file() for each in (tmp_path / "home" / "uploads").rglob("*"))


def test_a_paper_is_deleted_once_its_person_is_sure(own_address: str, open_page: OpenPage) -> None:
    page = open_page(at=own_address)
    open_library(page)
    page.get_by_role("button", name="The rise of sourdough").click()
    page.once("dialog", lambda dialog: dialog.dismiss())
    press(page, "remove", "#library")
    expect(page.locator("#library tbody tr.detail")).to_have_count(1)
    page.once("dialog", lambda dialog: dialog.accept())
    press(page, "remove", "#library")
    expect(page.locator(".places")).to_contain_text("of 3 papers")
    page.get_by_role("tab", name="Chat").click()
    ask(page, "Does sourdough bread rise by wild yeast?")
    expect(page.locator("#right")).not_to_contain_text("sourdough bread rises")


def test_a_paper_that_is_really_several_is_taken_apart(own_address: str, open_page: OpenPage, tmp_path: Path) -> None:
    file = tmp_path / "again.bib"
    file.write_text(
        "@article{rise, title = {The rise of sourdough}, doi = {10.1234/rise}, year = 2021,"
        " abstract = {Owls hear mice under deep snow. They fly in silence.}}\n"
    )
    page = open_page(at=own_address)
    open_library(page)
    upload(page, file)
    expect(page.locator("#adding .report")).to_contain_text("1 record read")
    expect(page.locator(".places")).to_contain_text("of 4 papers")
    page.get_by_role("button", name="The rise of sourdough").click()
    expect(page.locator(".detail")).to_contain_text("2 records of it:")
    page.once("dialog", lambda dialog: dialog.accept())
    press(page, "unmerge", "#library")
    expect(page.locator(".places")).to_contain_text("of 5 papers")


def test_the_library_is_indexed_again_unless_another_process_writes(
    own_address: str, open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_page(at=own_address)
    open_library(page)
    page.on("dialog", lambda dialog: dialog.accept())
    with lock(tmp_path / "home"):
        page.get_by_role("button", name="Index again").click()
        expect(page.locator("#adding .error")).to_contain_text("another process is writing to the library")
    page.get_by_role("button", name="Index again").click()
    expect(page.locator("#adding .report")).to_have_text("4 papers indexed again.")
    page.get_by_role("tab", name="Chat").click()
    ask(page, "Does sourdough bread rise by wild yeast?")
    expect(page.locator("#talk .answer")).to_contain_text("Sourdough bread rises by wild yeast.")


def test_an_empty_library_is_filled_with_the_sample_library_by_one_click(
    empty_address: str, open_page: OpenPage
) -> None:
    page = open_page(at=empty_address)
    expect(page.locator(".welcome")).to_contain_text("The library is empty")
    press(page, "sample")
    expect(page.locator(".report")).to_contain_text("added", timeout=120_000)
    expect(page.locator(".welcome h2")).to_contain_text("Ask the abstracts of")
    expect(page.locator(".welcome button[name=ask]").first).to_be_visible()
