from __future__ import annotations

import re
from dataclasses import replace
from itertools import accumulate

from hypothesis import example, given
from hypothesis import strategies as st

from assistant.schema import (
    Answer,
    Cell,
    Citation,
    Heading,
    Paper,
    Passage,
    Row,
    Sentence,
    Strength,
    Table,
    Verdict,
)
from assistant.text.latex import to_text
from assistant.text.printable import printable
from tests.unit.page.test_render import HOSTILE, safe
from ui.page import answers, render
from ui.page.sentences import marked_html

# Any text, and texts put together from what would do harm.
TEXTS = st.text() | st.lists(
    st.sampled_from([*HOSTILE, "<", ">", '"', "'", "&", "$", "[1]", "](", "\n", " ", "`", "\\(", "\\)", "=", "a"])
).map("".join)
PLAIN = TEXTS.filter(lambda text: not set(text) & set("\\$~`"))


@given(TEXTS)
def test_no_text_becomes_markup_or_a_link(text: str) -> None:
    assert safe(render.typeset_html(text)).links == []
    assert safe(render.plain_html(text)).links == []
    assert safe(render.error_html(text)).links == []


@given(PLAIN)
def test_text_is_shown_as_it_is(text: str) -> None:
    assert safe(render.plain_html(text)).text == printable(text)


@given(TEXTS)
def test_latex_is_rendered_before_it_is_escaped(text: str) -> None:
    assert safe(render.plain_html(text)).text == to_text(printable(text))


@given(TEXTS, TEXTS, st.sampled_from(Strength), st.sampled_from(Verdict), st.booleans())
@example("[7]", "", Strength.FIRM, Verdict.SUPPORTED, False)
def test_no_answer_becomes_markup_or_a_foreign_link(
    text: str, title: str, strength: Strength, verdict: Verdict, done: bool
) -> None:
    paper = Paper("id", text, title, (title,), 2020, title)
    sentences = (Sentence(text, (1,), verdict, 0.5),) if done else ()
    answer = Answer(text, text, strength, 0.5, text, title, (Citation(1, paper, ()),), sentences, nearest=(paper,))
    assert set(safe(answers.answer_html(answer, 1)).links) <= {"#source-1-1"}
    assert safe(answers.sources_html(answer, 1)).links == []


@given(TEXTS, TEXTS, st.integers(-3, 40), st.lists(st.tuples(st.integers(-3, 40), st.integers(-3, 40)), max_size=3))
def test_no_heading_opening_title_or_cell_becomes_markup_or_a_foreign_link(
    text: str, title: str, lead: int, emphasis: list[tuple[int, int]]
) -> None:
    paper = Paper("id", text, title, (title,), 2020, title)
    passage = Passage(text, 0, len(text))
    sentence = Sentence(text, (1,), Verdict.SUPPORTED, 1.0, "", False, None, False, lead, tuple(emphasis))
    answer = Answer(text, text, Strength.FIRM, 0.5, text, title, (Citation(1, paper, (passage,)),), (sentence,) * 2)
    row = Row(paper, (Cell(text, passage), Cell(title)))
    table = Table((title, text), (row, Row(Paper("other", text), ())), 99)
    headings = (Heading(text, 0), Heading(title, 1), Heading(title, 7))
    shown = replace(answer, model="extractive", opening=text, headings=headings, table=table)
    for html in (answers.reply_html(shown, 1), answers.answer_html(shown, 1)):
        assert set(safe(html).links) <= {"#source-1-1", "#source-1-1-1", "#paper-1-1"}
    assert safe(answers.sources_html(shown, 1)).links == []


@given(PLAIN, st.integers(-3, 40), st.lists(st.tuples(st.integers(-3, 40), st.integers(-3, 40)), max_size=3))
def test_no_character_of_a_quotation_is_lost_or_doubled(text: str, lead: int, emphasis: list[tuple[int, int]]) -> None:
    sentence = Sentence(text, (1,), Verdict.SUPPORTED, 1.0, "", False, None, False, lead, tuple(emphasis))
    assert safe(marked_html(sentence, render.plain_html)).text == printable(text)


@given(st.data())
def test_an_abstract_is_complete_whatever_is_marked_in_it(data: st.DataObject) -> None:
    abstract = re.sub(r"[\\$~`]", "", printable(data.draw(TEXTS)))
    offsets = st.integers(0, len(abstract))
    cuts = data.draw(st.lists(st.tuples(offsets, offsets).map(sorted), max_size=5))
    cited = tuple(Passage(abstract[start:end], start, end) for start, end in cuts)
    answer = Answer("", "", Strength.FIRM, 0.5, "", citations=(Citation(1, Paper("id", abstract, "-"), cited),))
    page = safe(answers.sources_html(answer, 1))
    assert page.text == f"[1] -{abstract}"
    marked = {offset for start, end in cuts for offset in range(start, end)}
    assert "".join(page.marked) == "".join(abstract[offset] for offset in sorted(marked))


@given(st.lists(TEXTS.map(printable), min_size=1, max_size=6))
def test_highlights_are_cut_by_stored_offsets_and_rendered_afterwards(slices: list[str]) -> None:
    ends = list(accumulate(map(len, slices)))
    placed = [Passage(text, end - len(text), end) for text, end in zip(slices, ends, strict=True)]
    cited = tuple(placed[1::2])
    answer = Answer("", "", Strength.FIRM, 0.5, "", citations=(Citation(1, Paper("id", "".join(slices), "-"), cited),))
    page = safe(answers.sources_html(answer, 1))
    assert page.marked[1:] == [to_text(passage.text) for passage in cited]
    assert page.text == f"[1] -{''.join(map(to_text, slices))}"
