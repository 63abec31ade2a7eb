from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from assistant import factory
from tests.browser.conftest import PAPERS, SHOTS, ColorScheme, OpenPage, press, quick, serving
from tests.browser.test_quality import complaints
from tests.fakes import WordHashEmbedder

pytestmark = [pytest.mark.browser, pytest.mark.slow]


FEED = """<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>http://arxiv.org/abs/1706.03762v5</id>
<published>2017-06-12T17:57:34Z</published><title>Attention Is All You Need</title>
<summary>We propose a network that is based solely on attention.</summary><author><name>Ada Moss</name></author></entry>
</feed>"""


@pytest.fixture
def arxiv(tmp_path: Path) -> Iterator[str]:
    """A server on this machine that replies to every query as arXiv does, with one paper."""
    (tmp_path / "query").write_text(FEED, encoding="utf-8")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/query"
        server.shutdown()


@pytest.fixture
def empty_address(tmp_path: Path, arxiv: str) -> Iterator[str]:
    """A page over a library without a paper."""
    settings = quick(tmp_path).model_copy(update={"arxiv_url": arxiv})
    library = factory.open_library(settings, WordHashEmbedder(dimension=256))
    with serving(library, settings) as address:
        yield address
    library.close()


def sideways(page: Page) -> int:
    """The pixels by which the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_the_guide_of_an_empty_library_names_each_way_to_fill_it(
    empty_address: str, open_page: OpenPage, color_scheme: ColorScheme
) -> None:
    page = open_page(at=empty_address, color_scheme=color_scheme)
    guide = page.locator(".guide")
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 850})
        for text in ("Choose files", "Add from arXiv", "paperchat add zotero:", "Add the sample library"):
            expect(guide).to_contain_text(text)
        expect(guide.get_by_label("1706.03762, or words")).to_be_visible()
        assert sideways(page) <= 0
        assert complaints(page) == []
        page.screenshot(path=SHOTS / f"first-run-{width}-{color_scheme}.png")


def test_nothing_is_ingested_until_it_is_asked_for(empty_address: str, open_page: OpenPage) -> None:
    page = open_page(at=empty_address)
    page.get_by_role("tab", name="Library").click()
    expect(page.locator("#library")).to_contain_text("The library is empty")


def test_files_chosen_in_the_guide_are_added_and_the_guide_gives_way(
    empty_address: str, open_page: OpenPage, tmp_path: Path
) -> None:
    file = tmp_path / "chosen.txt"
    file.write_text(PAPERS, encoding="utf-8")
    page = open_page(at=empty_address)
    with page.expect_file_chooser() as chooser:
        press(page, "choose")
    chooser.value.set_files(file)
    expect(page.locator("#adding .report")).to_contain_text("3 added")
    page.get_by_role("tab", name="Chat").click()
    expect(page.locator(".welcome h2")).to_have_text("Ask the abstracts of 3 papers")


def test_files_dropped_on_the_guide_are_added(empty_address: str, open_page: OpenPage) -> None:
    page = open_page(at=empty_address)
    dropped = page.evaluate_handle(
        "text => { const data = new DataTransfer(); data.items.add(new File([text], 'dropped.txt')); return data; }",
        PAPERS,
    )
    page.locator(".guide").dispatch_event("drop", {"dataTransfer": dropped})
    expect(page.locator("#adding .report")).to_contain_text("3 added")


def test_a_paper_is_added_from_arxiv_by_its_id_and_the_guide_gives_way(empty_address: str, open_page: OpenPage) -> None:
    page = open_page(at=empty_address)
    page.get_by_label("1706.03762, or words").fill("1706.03762")
    page.keyboard.press("Enter")
    expect(page.locator("#now .report")).to_contain_text("1 added")
    expect(page.locator(".welcome h2")).to_have_text("Ask the abstracts of 1 paper")


def test_an_id_that_arxiv_lacks_is_reported_and_the_guide_stays(empty_address: str, open_page: OpenPage) -> None:
    page = open_page(at=empty_address)
    page.get_by_label("1706.03762, or words").fill("9912.00001")
    press(page, "fetch")
    expect(page.locator("#now .report")).to_contain_text("arXiv has no paper with this id")
    expect(page.locator(".guide")).to_be_visible()


def test_a_name_that_is_missing_is_asked_for(empty_address: str, open_page: OpenPage) -> None:
    page = open_page(at=empty_address)
    press(page, "fetch")
    expect(page.locator("#notice")).to_contain_text("give an id, an address, a DOI, or words")
