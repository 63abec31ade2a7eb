"""Text made safe to show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.text.printable import one_line, printable


@given(st.text())
def test_nothing_unprintable_is_left_but_what_is_to_be_kept(text: str) -> None:
    assert all(character.isprintable() or character == "\n" for character in printable(text))
    assert all(character.isprintable() or character in "\n\t" for character in printable(text, keep="\n\t"))
    assert one_line(text).isprintable()


@given(st.text(st.characters(exclude_categories=["C", "Z"])))
def test_printable_text_comes_through_as_it_is(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize("space", ["\t", "\u00a0", "\u202f", "\u2009", "\u3000"])
def test_words_stay_apart_whatever_the_space_between_them(space: str) -> None:
    assert printable(f"ten{space}bees\ndance") == "ten bees\ndance"


def test_letters_and_symbols_of_every_script_are_printable() -> None:
    text = "Größe ≤ 5 µm, β-Carotin, 蜜蜂, “quoted” — done\nnext line"
    assert printable(text) == text


def test_control_characters_vanish_or_leave_a_gap_and_format_characters_always_vanish() -> None:
    text = "bee\u00ads\x00dance\u202e"
    assert printable(text) == "beesdance"
    assert printable(text, gap=" ") == "bees dance"
