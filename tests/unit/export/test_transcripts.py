"""Transcripts and files: what is written can be read, leads to the papers, and hostile text stays text."""

from __future__ import annotations

import json
import re
from contextlib import closing
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from markdown_it import MarkdownIt

from assistant import factory
from assistant.schema import (
    Answer,
    Cell,
    Citation,
    Filters,
    Heading,
    Paper,
    Passage,
    Row,
    Scope,
    Sentence,
    Strength,
    Table,
    Turn,
    Verdict,
)
from assistant.serialization import answer_from_json
from assistant.settings import Settings
from assistant.storage.conversation_schema import Conversation, Fault, Feedback, StoredTurn
from assistant.text import links
from eval import suites
from tests.conftest import BEES, Paperchat, Run
from tests.strategies import ANSWERS
from ui.export import transcripts
from ui.export.formats import ExportFormat

HOSTILE = (
    "<script>alert(1)</script> ![x](http://evil/x.png) [go](javascript:alert(1)) <img src=x onerror=alert(1)> "
    "# heading `code` *bold* | table | http://evil.org www.evil.org me@evil.org &lt; $x$ </style><!-- \\[a](b)"
)
TALK = Conversation("0123456789ab", HOSTILE, "2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00", 1)


def stored(answer: Answer, feedback: Feedback | None = None, number: int = 1) -> StoredTurn:
    return StoredTurn(number, TALK.id, Turn(answer.question, answer), TALK.changed, {}, None, feedback)


def answered(text: str, paper: Paper, strength: Strength = Strength.FIRM) -> Answer:
    passage = Passage(paper.abstract, 0, len(paper.abstract))
    return Answer(
        question=text,
        standalone=text,
        strength=strength,
        confidence=0.5,
        text=f"{text} [1]",
        reason=text,
        citations=(Citation(1, paper, (passage,)),),
        sentences=(Sentence(text, (1,), Verdict.UNSUPPORTED, 0.1),),
        nearest=(paper,),
    )


PAPER = Paper("a" * 16, "Bees dance.", "Bees & dances", ("Lin, Y.",), 2024, "Proc. of Bees", "10.1/a_b")
BAD_PAPER = Paper("b" * 16, HOSTILE, HOSTILE, (HOSTILE,), 2024, HOSTILE, None, None, "javascript:alert(1)")


# Where papers are found


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"doi": "10.1/a_b", "arxiv_id": "2301.1"}, "https://doi.org/10.1/a_b"),
        ({"doi": "https://doi.org/10.1/<x>"}, "https://doi.org/10.1/%3Cx%3E"),
        ({"arxiv_id": "arXiv:2301.00001", "url": "https://x.org"}, "https://arxiv.org/abs/2301.00001"),
        ({"url": 'https://x.org/a b"><script>'}, "https://x.org/a%20b%22%3E%3Cscript%3E"),
        ({"url": "javascript:alert(1)"}, None),
        ({"url": "file:///etc/passwd"}, None),
        ({}, None),
    ],
)
def test_a_paper_is_linked_by_its_surest_address_and_never_by_what_is_no_web_page(
    given: dict[str, str], expected: str | None
) -> None:
    assert links.paper_url(Paper("a", "", **given)) == expected  # type: ignore[arg-type]


# Markdown


def tokens(text: str) -> list[Any]:
    """What a Markdown reader that lets everything through makes of it."""
    found: list[Any] = []
    for block in MarkdownIt("js-default", {"html": True, "linkify": False}).parse(text):
        found += [block, *(block.children or [])]
    return found


def test_the_markdown_numbers_and_titles_lead_to_the_papers() -> None:
    text = transcripts.markdown(TALK, [stored(answered("Bees dance.", PAPER))])
    addresses = [token.attrs["href"] for token in tokens(text) if token.type == "link_open"]
    assert addresses == ["https://doi.org/10.1/a_b"] * 3
    assert "[\\[1\\]](<https://doi.org/10.1/a_b>)" in text
    assert "1. Lin, Y. [Bees \\& dances](<https://doi.org/10.1/a_b>). Proc. of Bees. 2024" in text
    assert "> Bees dance." in text


def test_a_transcript_says_what_was_searched_for_and_where() -> None:
    narrow = {"standalone": "bees", "filters": Filters(since=2020), "scope": Scope(excluded=("c" * 16,))}
    for written in (transcripts.markdown, transcripts.html):
        whole = written(TALK, [stored(answered("Bees dance.", PAPER))])
        assert "Searched for" not in whole
        narrowed = written(TALK, [stored(replace(answered("Bees dance.", PAPER), **narrow))])  # type: ignore[arg-type]
        assert f"Searched for: bees [papers with year>=2020; not {'c' * 16}]" in unescape(narrowed).replace("\\", "")


def test_hostile_text_stays_text_in_markdown() -> None:
    turns = [stored(answered(HOSTILE, BAD_PAPER)), stored(answered("1. x", BAD_PAPER, Strength.TENTATIVE))]
    found = tokens(transcripts.markdown(TALK, turns))
    kinds = {token.type for token in found}
    assert (
        kinds & {"html_inline", "html_block", "image", "link_open", "code_inline", "strong_open", "table_open"} == set()
    )
    headings = [token.tag for token in found if token.type == "heading_open"]
    assert headings == ["h1", "h2", "h3", "h2", "h3"]
    seen = "".join(token.content for token in found if token.type == "text")
    assert "<script>alert(1)</script> ![x](http://evil/x.png)" in seen


@given(ANSWERS)
def test_no_answer_makes_markdown_of_its_own(answer: Answer) -> None:
    found = tokens(transcripts.markdown(TALK, [stored(answer)]))
    assert {token.type for token in found} & {"html_inline", "html_block", "image", "code_inline", "fence"} == set()
    web = [token.attrs["href"] for token in found if token.type == "link_open"]
    assert all(str(address).startswith(("https://", "http://")) for address in web)


# HTML


class Page(HTMLParser):
    """Tags, addresses and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str | None] = []
        self.ids: list[str | None] = []
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}
        self.addresses += [value for name, value in attrs if name in ("href", "src")]
        self.ids += [value for name, value in attrs if name == "id"]


def test_the_html_page_stands_alone_and_its_numbers_lead_to_its_sources() -> None:
    text = transcripts.html(TALK, [stored(answered("Bees dance.", PAPER)), stored(answered("They do.", PAPER))])
    page = Page(text)
    inner = [address for address in page.addresses if address and address.startswith("#")]
    assert len(inner) == 2
    assert {address[1:] for address in inner} <= set(page.ids)
    assert set(page.addresses) - set(inner) == {"https://doi.org/10.1/a_b"}
    assert {"script", "link", "img", "iframe"} & set(page.tags) == set()
    assert "prefers-color-scheme: dark" in text
    assert "default-src 'none'" in text
    assert re.search(r"<mark[^>]*>Bees dance\.</mark>", text)


def test_hostile_text_stays_text_in_html() -> None:
    text = transcripts.html(TALK, [stored(answered(HOSTILE, BAD_PAPER))])
    page = Page(text)
    assert {"script", "img", "iframe", "svg", "object"} & set(page.tags) == set()
    assert not any(name.startswith("on") for name in page.names)
    assert all(address and address.startswith("#") for address in page.addresses)
    assert page.tags.count("style") == 1
    assert "&lt;script&gt;" in text


# JSON


def test_the_json_has_the_answers_whole() -> None:
    answer = answered("Bees dance.", PAPER)
    judged = Feedback(False, Fault.WRONG_ANSWER, "no", ("x",))
    (turn,) = json.loads(transcripts.export_conversation(TALK, [stored(answer, judged)], ExportFormat.JSON))["turns"]
    assert answer_from_json(turn["answer"]) == answer
    assert turn["feedback"] == {"good": False, "fault": "wrong answer", "note": "no", "papers": ["x"], "passages": []}


# Suites


def test_feedback_becomes_questions_that_can_be_measured(tmp_path: Path) -> None:
    answer = replace(answered("And when?", PAPER), standalone="When do bees dance? And when?")
    other = "c" * 16
    nothing = Answer("Why?", "Why?", Strength.NONE, 0.1, "The library does not answer this.")
    judged = [
        stored(answer, Feedback(good=True), 1),
        stored(answer, Feedback(False, Fault.MISSING_PAPER, "", (other, PAPER.id), ("Older bees dance.",)), 2),
        stored(answer, Feedback(False, Fault.WRONG_EVIDENCE, "which is right nobody said"), 3),
        stored(nothing, Feedback(good=True), 4),
        stored(answer, Feedback(False, Fault.WRONG_ANSWER, "there is none", ()), 5),
        stored(answer, None, 6),
    ]
    file = tmp_path / "feedback.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in transcripts.suite(judged)), encoding="utf-8")
    found = suites.load(file)
    assert [question.id[-2:] for question in found] == ["-1", "-2", "-4", "-5"]
    assert [question.papers for question in found] == [{PAPER.id}, {PAPER.id, other}, set(), set()]
    assert [question.group for question in found] == ["confirmed", "missing paper", "confirmed", "wrong answer"]
    assert found[0].text == "When do bees dance? And when?"
    assert [question.evidence for question in found] == [("Bees dance.",), ("Older bees dance.",), (), ()]


def test_a_suite_has_both_halves_and_a_question_stays_in_its_own() -> None:
    judged = [stored(answered("Why?", PAPER), Feedback(good=True), number) for number in range(40)]
    halves = [line["split"] for line in transcripts.suite(judged)]
    assert set(halves) == {"dev", "test"}
    assert [line["split"] for line in transcripts.suite(judged[::-1])] == halves[::-1]


# The verb


@pytest.fixture
def talked(filled: Paperchat) -> Paperchat:
    """The command after a conversation of one turn over a library of three papers."""
    filled("ask", BEES)
    return filled


@pytest.fixture
def talk(talked: Paperchat) -> str:
    return str(talked("conversations", "--json").json[0]["id"])


def test_every_format_of_a_conversation_is_written(talked: Paperchat, talk: str) -> None:
    for form, begins in (
        ("markdown", "# How do honey bees"),
        ("html", "<!DOCTYPE html>"),
        ("json", '{\n  "id"'),
        ("bibtex", "@misc{anon-"),
        ("ris", "TY  - GEN\n"),
        ("csl-json", "[\n  {"),
        ("jsonl", '{"id": '),
    ):
        done = talked("export", "--conversation", talk[:6], "--format", form)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith(begins), form
        assert "waggle dance" in done.out


def test_without_a_conversation_the_papers_of_the_library_are_written(talked: Paperchat) -> None:
    listed = talked("list", "--json").json
    assert [json.loads(line) for line in talked("export", "--format", "jsonl").out.splitlines()] == listed
    assert talked("export", "--format", "bibtex").out.count("@misc{") == 3
    assert len(talked("export", "--format", "csl-json").json) == 3
    refused = talked("export", "--format", "html")
    assert (refused.code, refused.out) == (1, "")
    assert "--conversation ID" in refused.err


def test_a_file_is_written_once_and_overwritten_only_when_told(talked: Paperchat, talk: str, tmp_path: Path) -> None:
    file = tmp_path / "talk.html"
    verb = ("export", "--conversation", talk, "--format", "html", "--to", file)
    assert talked(*verb) == Run(0, "", "")
    whole = file.read_bytes()
    file.write_text("precious", encoding="utf-8")
    refused = talked(*verb)
    assert refused.err == f"paperchat: {file}: exists already; --force overwrites a file\n"
    assert file.read_text(encoding="utf-8") == "precious"
    assert talked(*verb, "--force").code == 0
    assert file.read_bytes() == whole
    assert sorted(each.name for each in tmp_path.glob("talk*")) == ["talk.html"]


def test_a_path_that_cannot_be_written_is_one_line(talked: Paperchat, talk: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for file in (tmp_path / "no" / "such.bib", tmp_path / "file" / "x.bib", tmp_path, tmp_path / ("x" * 300)):
        done = talked("export", "--conversation", talk, "--format", "bibtex", "--to", file, "--force")
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith(f"paperchat: {tmp_path}")
        assert len(done.err.splitlines()) == 1


def test_only_cited_papers_are_in_the_bibliography_of_a_conversation_each_once(
    talked: Paperchat, talk: str, settings: Settings
) -> None:
    talked("ask", "-c", BEES)
    with closing(factory.open_conversations(settings)) as kept:
        turns = kept.turns(talk)
    cited = {citation.paper.id for each in turns for citation in each.turn.answer.citations}
    written = talked("export", "--conversation", talk, "--format", "jsonl").out.splitlines()
    assert sorted(json.loads(line)["id"] for line in written) == sorted(cited)


# Openings, headings and tables


def tabled(paper: Paper) -> Answer:
    cells = (Cell(", ".join(paper.authors)), Cell(None))
    return replace(
        answered("Bees", paper),
        opening=paper.title or "",
        headings=(Heading(paper.title or "", 0),),
        table=Table(("Authors", "Year"), (Row(paper, cells),), 3),
    )


def test_a_transcript_in_markdown_has_opening_headings_and_table() -> None:
    written = transcripts.markdown(TALK, [stored(tabled(PAPER))])
    assert "**Bees & dances**" in written or "**Bees \\& dances**" in written
    assert "### Bees" in written
    assert "| Paper | Authors | Year |\n| --- | --- | --- |\n| [Bees" in written
    assert "| Lin, Y. | not recorded |" in written
    assert "These are the first 1 of 3 papers." in written


def test_a_hostile_table_in_markdown_is_one_table_without_html_or_links() -> None:
    written = transcripts.markdown(TALK, [stored(tabled(BAD_PAPER))])
    rendered = MarkdownIt("commonmark").enable("table").render(written)
    assert rendered.count("<tr>") == 2
    assert "<script" not in rendered
    assert "<img" not in rendered
    assert "javascript" not in "".join(re.findall(r'href="([^"]*)"', rendered))
