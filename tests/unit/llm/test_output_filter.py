"""A model's output without unprintable characters and without its reasoning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.llm.output_filter import filter_output

PRINTABLE = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]).filter(str.isprintable))


def said(*pieces: str) -> str:
    return "".join(filter_output(pieces))


@given(st.lists(PRINTABLE))
def test_plain_text_comes_through_as_it_is(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert said(*pieces) == text or text.lstrip().startswith("<think>")


@given(st.lists(PRINTABLE.filter(lambda text: "</think>" not in text), max_size=5), PRINTABLE)
def test_thoughts_are_taken_out_however_they_are_cut_into_pieces(thoughts: list[str], reply: str) -> None:
    whole = f"\n<think>{'|'.join(thoughts)}</think>\n\n{reply}"
    assert said(*whole) == said(whole) == said(whole[:9], whole[9:]) == reply.lstrip()


@pytest.mark.parametrize("text", ["<thin", " <t", "<thinking> is hard.", "a <think>b</think> c", "<", "<p>Bees.</p>"])
def test_what_is_no_thought_is_said(text: str) -> None:
    assert said(*text) == said(text) == text


@pytest.mark.parametrize("text", ["<think>so it", "<think></think>", "<think>a</think> \n"])
def test_thoughts_without_a_reply_are_no_reply(text: str) -> None:
    assert said(*text) == said(text) == ""


def test_control_characters_and_halves_of_characters_are_not_said() -> None:
    assert (
        said("Bees\x1b[2J dance\x00\r\n", "at \ud83d night\u202e [1].\x9b\t") == "Bees[2J dance\nat \ufffd night [1].\t"
    )


def test_nothing_is_held_back_longer_than_it_may_be_a_tag() -> None:
    assert list(filter_output(["<th", "is ", "is "])) == ["", "<this ", "is ", ""]
