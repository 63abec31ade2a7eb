from __future__ import annotations

import re
from itertools import accumulate

from hypothesis import example, given
from hypothesis import strategies as st

from assistant.schema import Answer, Citation, Paper, Passage, Sentence, Strength, Verdict
from assistant.text.latex import to_text
from assistant.text.printable import printable
from tests.unit.page.test_render import HOSTILE, safe
from ui.page import render

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
    assert set(safe(render.answer_html(answer, 1)).links) <= {"#source-1-1"}
    assert safe(render.sources_html(answer, 1)).links == []


@given(st.data())
def test_an_abstract_is_complete_whatever_is_marked_in_it(data: st.DataObject) -> None:
    abstract = re.sub(r"[\\$~`]", "", printable(data.draw(TEXTS)))
    offsets = st.integers(0, len(abstract))
    cuts = data.draw(st.lists(st.tuples(offsets, offsets).map(sorted), max_size=5))
    cited = tuple(Passage(abstract[start:end], start, end) for start, end in cuts)
    answer = Answer("", "", Strength.FIRM, 0.5, "", citations=(Citation(1, Paper("id", abstract, "-"), cited),))
    page = safe(render.sources_html(answer, 1))
    assert page.text == f"[1] -{abstract}"
    marked = {offset for start, end in cuts for offset in range(start, end)}
    assert "".join(page.marked) == "".join(abstract[offset] for offset in sorted(marked))


@given(st.lists(TEXTS.map(printable), min_size=1, max_size=6))
def test_highlights_are_cut_by_stored_offsets_and_rendered_afterwards(slices: list[str]) -> None:
    ends = list(accumulate(map(len, slices)))
    placed = [Passage(text, end - len(text), end) for text, end in zip(slices, ends, strict=True)]
    cited = tuple(placed[1::2])
    answer = Answer("", "", Strength.FIRM, 0.5, "", citations=(Citation(1, Paper("id", "".join(slices), "-"), cited),))
    page = safe(render.sources_html(answer, 1))
    assert page.marked[1:] == [to_text(passage.text) for passage in cited]
    assert page.text == f"[1] -{''.join(map(to_text, slices))}"
