"""A notebook shows an answer with the sentences behind it, and nothing that comes from outside as HTML."""

from __future__ import annotations

import asyncio
import re

import pytest

from assistant import Assistant
from assistant.schema import Answer, Citation, Paper, Passage, Strength

HOSTILE = "<script>alert('1')</script> & <img src=x onerror=alert(1)>"


def answer(paper: Paper, *, text: str = "Bees dance [1].", question: str = "Do bees dance?") -> Answer:
    passage = Passage(paper.abstract, 0, len(paper.abstract))
    return Answer(question, question, Strength.FIRM, 0.9, text, citations=(Citation(1, paper, (passage,)),), searched=3)


def test_an_answer_shows_its_question_strength_text_and_sources(reader: Assistant) -> None:
    result = reader.ask("How do honey bees communicate the place of flowers?")
    shown = result._repr_html_()
    assert result.question in shown
    assert f"confidence {result.confidence:.2f}" in shown
    assert f"{result.searched:,} papers searched" in shown
    for citation in result.citations:
        assert f'<li value="{citation.number}">' in shown
        assert all(f"<mark>{passage.text}</mark>" in shown for passage in citation.passages)


def test_an_abstention_shows_why_and_the_nearest_papers(reader: Assistant) -> None:
    result = reader.ask("transistors amplify whispers")
    shown = result._repr_html_()
    assert result.strength is Strength.NONE
    assert "No answer" in shown
    assert shown.count("<li>") == len(result.nearest) > 0


def test_what_comes_from_outside_is_text() -> None:
    paper = Paper("bees", HOSTILE, title=HOSTILE, authors=(HOSTILE,), url=f"https://example.org/{HOSTILE}")
    shown = answer(paper, text=HOSTILE, question=HOSTILE)._repr_html_()
    assert not re.search(r"<(script|img)", shown)
    assert set(re.findall(r"<(\w+)", shown)) <= {
        "div", "p", "strong", "ol", "li", "a", "br", "span", "blockquote", "details", "summary", "mark"
    }  # fmt: skip


@pytest.mark.parametrize(("url", "is_link"), [("https://example.org/bees", True), ("javascript:alert(1)", False)])
def test_a_title_is_a_link_only_to_a_web_page(url: str, is_link: bool) -> None:
    paper = Paper("bees", "Bees dance.", title="On bees", url=url)
    assert ("<a href=" in answer(paper)._repr_html_()) is is_link


def test_an_answer_can_be_awaited(reader: Assistant) -> None:
    question = "How do honey bees communicate?"
    assert asyncio.run(reader.aask(question)).text == reader.ask(question).text
