from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from assistant import wiring
from assistant.chat import Assistant
from assistant.settings import load
from ingest import pipeline
from tests.fakes import WordHashEmbedder
from ui import web

ColorScheme = Literal["light", "dark"]
SHOTS = Path(__file__).parent / "shots"
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
    "for kangaroos too. The success rate with $k=5$ kangaroos is 57.6 percent, and the fee is $5 or $10.\n"
)


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


@pytest.fixture(scope="package")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page over a small library, one of its papers hostile, served on loopback."""
    folder = tmp_path_factory.mktemp("page")
    papers = folder / "papers.txt"
    papers.write_text(
        "Abstract: Mountains hold fresh water for millions. Glaciers in the northern Alps lost a third of their ice "
        "between 1990 and 2020. We measure the loss with airborne laser scans of 412 glaciers. The loss of ice doubles "
        "after 2005. Small glaciers shrink first.\n"
        "Abstract: Insects find food in many ways. Honey bees communicate the place of flowers by a waggle dance. We "
        "decode 5,096 dances with a neural network. The network reads the direction of a dance with an error of 4 "
        "degrees. Older bees dance longer.\n" + HOSTILE,
        encoding="utf-8",
    )
    # The word-hash embedder's cosines are not those that the gate was fitted to.
    settings = load(home=folder / "home", firm_from=0.2, tentative_from=0.1)
    library = wiring.open_library(settings, WordHashEmbedder(dimension=256))
    pipeline.ingest([papers], library)
    ready: Future[Assistant] = Future()
    ready.set_result(Assistant(library, settings))
    page, address = web.start(ready, ["How much ice did glaciers in the Alps lose?"], port=0)
    yield address
    page.close()
    library.close()


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Opens the page at a size; fails the test on console errors and on any request that leaves this machine."""
    complaints: list[str] = []
    opened: list[Page] = []

    def open_one(width: int = 1280, height: int = 850, color_scheme: ColorScheme = "light") -> Page:
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=color_scheme)
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request", lambda request: complaints.append(request.url) if _is_foreign(request.url, address) else None
        )
        page.goto(address)
        page.get_by_placeholder("Ask the abstracts").wait_for()
        opened.append(page)
        return page

    yield open_one
    for page in opened:
        page.close()
    assert complaints == []


def _is_foreign(url: str, address: str) -> bool:
    return not url.startswith((address, "data:", "blob:"))
