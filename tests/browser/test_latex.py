from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from assistant import factory
from ingest import pipeline
from tests.browser.conftest import OpenPage, ask, quick, serving
from tests.fakes import WordHashEmbedder

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ABSTRACT = (
    r"Wombats dig burrows in hard soil. With \method, burrows of wombats grow by 20\% over $4$K nights of $\alpha$. "
    r"The rate $\alpha$ of digging wombats costs $5 and $10. Wombats sleep."
)


@pytest.fixture
def latex_address(tmp_path: Path) -> Iterator[str]:
    """The page over a library whose only abstract is written in LaTeX."""
    (tmp_path / "papers.txt").write_text(f"Abstract: {ABSTRACT}\n", encoding="utf-8")
    library = factory.open_library(quick(tmp_path), WordHashEmbedder(dimension=256))
    pipeline.ingest([tmp_path / "papers.txt"], library)
    with serving(library, quick(tmp_path)) as address:
        yield address
    library.close()


SENTENCE = "With method, burrows of wombats grow by 20% over 4K nights of α."


def seen(part: Locator) -> str:
    """The text that a reader sees: KaTeX repeats each formula in MathML, for screen readers."""
    return str(
        part.evaluate("""node => {
        const copy = node.cloneNode(true);
        copy.querySelectorAll(".katex-mathml").forEach((mathml) => mathml.remove());
        return copy.textContent;
    }""")
    )


def test_latex_is_rendered_in_answers_highlights_and_hints(open_page: OpenPage, latex_address: str) -> None:
    page = open_page(at=latex_address)
    ask(page, "By how much do burrows of wombats grow with nights?")
    answered = page.locator("#talk .entry", has_text="20%").first
    expect(answered.locator("blockquote .katex").first).to_be_visible()
    assert SENTENCE in seen(answered)
    link = answered.locator(f'a.cite[title="{SENTENCE}"]').first
    expect(link).to_have_attribute("title", SENTENCE)
    link.click()
    assert seen(page.locator("mark.followed")) == SENTENCE
    card = seen(page.locator(".card .abstract").first)
    assert card.startswith(
        "Wombats dig burrows in hard soil. With method, burrows of wombats grow by 20% over 4K nights of α."
    )
    assert card.endswith("The rate α of digging wombats costs $5 and $10. Wombats sleep.")


def test_latex_is_plain_text_in_the_library_and_in_what_is_copied(open_page: OpenPage, latex_address: str) -> None:
    page = open_page(at=latex_address)
    ask(page, "By how much do burrows of wombats grow with nights?")
    page.get_by_role("button", name="Copy").first.click()
    expect(page.locator("#notice")).to_contain_text("copied")
    assert SENTENCE in page.evaluate("navigator.clipboard.readText()")
    page.get_by_role("tab", name="Library").click()
    page.locator("#library tbody button").first.click()
    expect(page.locator(".detail")).to_contain_text("grow by 20% over 4K nights of α. The rate α of digging wombats")
    expect(page.locator(".table")).not_to_contain_text("\\")
