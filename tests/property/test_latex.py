from __future__ import annotations

import string

from hypothesis import example, given
from hypothesis import strategies as st

from assistant.text.latex import is_formula, segments, to_text

PROSE = "".join(set(string.printable) - set("\\$~`"))
COMMANDS = [
    r"\frac",
    r"\alpha",
    r"\method",
    r"\textbf{",
    r"\%",
    r"\'e",
    r"\begin{a}",
    r"\left(",
    r"\(",
    r"\]",
    "$",
    "$$",
]
LATEX = st.lists(st.sampled_from([*COMMANDS, "{", "}", "^", "_", "~", "``", "''", " ", "5", "word", "\n"])).map("".join)


@given(st.text() | LATEX)
@example("$^{}$")
@example(r"$\hat$")
def test_any_text_is_rendered(text: str) -> None:
    assert isinstance(to_text(text), str)
    assert all(is_formula(segment.formula) for segment in segments(text) if segment.formula)


@given(st.text(PROSE))
def test_ascii_prose_is_unchanged(text: str) -> None:
    assert to_text(text) == text


@given(st.text(PROSE + string.digits, max_size=40), st.integers(0, 10**6), st.integers(0, 10**6))
def test_two_amounts_of_money_are_no_formula(between: str, low: int, high: int) -> None:
    text = f"${low}{between}${high}"
    assert to_text(text) == text
