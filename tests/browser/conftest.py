from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from assistant import factory
from assistant.chat import Assistant
from assistant.protocols import LLM
from assistant.settings import Settings, load
from assistant.storage.library import Library
from ingest import pipeline
from tests.fakes import WordHashEmbedder, WordOverlapReader
from ui.page import server

ColorScheme = Literal["light", "dark"]
OpenPage = Callable[..., Page]
SHOTS = Path(__file__).parent / "shots"
# Milliseconds: a machine that is busy with something else is no fault of the page.
_PATIENCE = 90_000
expect.set_options(timeout=_PATIENCE)
# Chromium itself must stay quiet too: only the page's own requests are to be seen.
_QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]

HOSTILE = (
    "Abstract: We study <img src=x onerror=\"document.title='owned'\"> injections and <script>document.title='owned'"
    "</script> in chat pages about kangaroos. A link [click](javascript:alert(1)) and http://huface.online/x are text "
    "for kangaroos too. The success rate with $k=5$ kangaroos is 57.6 percent, and the fee is $5 or $10. "
    "A kangaroo page may say ${document.title='owned'} or {{value}} to whoever fills it.\n"
)
PAPERS = (
    "Abstract: Mountains hold fresh water for millions. Glaciers in the northern Alps lost a third of their ice "
    "between 1990 and 2020. We measure the loss with airborne laser scans of 412 glaciers. The loss of ice doubles "
    "after 2005. Small glaciers shrink first.\n"
    "Abstract: Insects find food in many ways. Honey bees communicate the place of flowers by a waggle dance. We "
    "decode 5,096 dances with a neural network. The network reads the direction of a dance with an error of 4 "
    "degrees. Older bees dance longer.\n" + HOSTILE
)
BREAD = """@article{rising, title = {The rise of sourdough}, author = {Baker, Ann}, year = {2021}, doi = {10.1234/rise},
journal = {Journal of Dough}, abstract = {Bread is old. Sourdough bread rises by wild yeast. We sequence 500 starters.}}
"""


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or whatever Chromium is on the path; gone with the last browser test, as is its event loop."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("no Chromium is installed (on Debian: apt install chromium)")
    # Chromium's own sandbox does not run for root, as in a container.
    flags = [*_QUIET, "--no-sandbox"] if os.geteuid() == 0 else _QUIET
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def closed_pages(browser: Browser) -> Iterator[None]:
    """Close what a test that fails leaves open: a page whose server has ended asks for it again and again."""
    yield
    for context in browser.contexts:
        context.close()


@contextmanager
def filled(folder: Path) -> Iterator[Library]:
    """A small library, one of its papers hostile and one with all that can be known of it."""
    (folder / "papers.txt").write_text(PAPERS, encoding="utf-8")
    (folder / "bread.bib").write_text(BREAD, encoding="utf-8")
    library = factory.open_library(quick(folder), WordHashEmbedder(dimension=256))
    pipeline.ingest([folder / "papers.txt", folder / "bread.bib"], library)
    yield library
    library.close()


def quick(folder: Path) -> Settings:
    """Settings on any free port; the word-hash embedder's cosines are not those that the gate was fitted to."""
    return load(home=folder / "home", firm_threshold=0.2, tentative_threshold=0.1, port=0)


@contextmanager
def serving(library: Library, settings: Settings, llm: LLM | None = None) -> Iterator[str]:
    """The page over a library, on loopback; gives its address."""
    ready: Future[Assistant] = Future()
    ready.set_result(Assistant(library, settings, WordOverlapReader(), llm))
    served = server.start(settings, ready)
    yield served.address
    served.close()


@pytest.fixture(scope="package")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page that all tests share, each as a browser of its own."""
    folder = tmp_path_factory.mktemp("page")
    with filled(folder) as library, serving(library, quick(folder)) as address:
        yield address


@pytest.fixture
def open_page(browser: Browser, address: str, caplog: pytest.LogCaptureFixture) -> Iterator[OpenPage]:
    """Return a function that opens the page, by default as a new browser.

    Fails on console errors, requests that leave this machine, and errors of the server that nobody else is told.
    """
    complaints: list[str] = []
    opened: list[Page] = []

    def open_one(
        width: int = 1280,
        height: int = 850,
        color_scheme: ColorScheme = "light",
        at: str = address,
        within: BrowserContext | None = None,
    ) -> Page:
        context = within or browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=color_scheme,
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(_PATIENCE)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if _is_fault(message) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url) if _is_foreign(request.url, at) else None)
        page.goto(at)
        page.locator("#talk .welcome, #talk .turn").first.wait_for()
        opened.append(page)
        return page

    yield open_one
    for page in opened:
        page.context.close()
    complaints += [record.getMessage() for record in caplog.get_records("call") if record.name == "asyncio"]
    assert complaints == []


def ask(page: Page, question: str) -> None:
    """Type a question and wait until it is answered and kept, or refused."""
    before = page.locator("#talk .turn").count()
    page.get_by_placeholder("Ask the abstracts").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator("#talk .turn, #now .error")).to_have_count(before + 1)


def press(page: Page, name: str, within: str = "body") -> None:
    """Press the first button of this name."""
    page.locator(within).locator(f"button.act[name={name}]").first.click()


def _is_fault(message: ConsoleMessage) -> bool:
    """Whether something is wrong; that a reload cuts off what the page was waiting for is not."""
    cut_off = ("AbortError", "Connection errored out", "Unexpected error Connection errored out")
    return message.type == "error" and not message.text.startswith(cut_off)


def _is_foreign(url: str, address: str) -> bool:
    return not url.startswith((address, "data:", "blob:"))
