"""Replies that repeat the prompt or themselves."""

from __future__ import annotations

import itertools

import pytest

from assistant.generation import template_files
from assistant.generation.echoes import without_echoes

EXAMPLES = [templates[template_files.EXAMPLE] for templates in template_files.load().values()]
FENCE = "0123456789abcdef"


@pytest.mark.parametrize("example", EXAMPLES)
def test_nothing_of_the_example_is_left(example: str) -> None:
    answer = example.rpartition("Answer:\n")[2]
    assert without_echoes(answer, example).strip() == ""
    assert without_echoes(f"Answer: {answer}", example).strip() == ""
    own = "Bees dance at night [2]."
    assert without_echoes(f"{own} {answer}", example).strip() == own
    assert without_echoes(f"{answer} {own}", example).strip() == own
    assert "mulch" not in without_echoes(f"{example}\n{own}", example)


def test_a_repeated_sentence_stands_once_with_its_first_citation() -> None:
    text = "Small glaciers shrink the fastest [1]. " * 3 + "The loss doubles [1]."
    assert without_echoes(text, "") == "Small glaciers shrink the fastest [1]. The loss doubles [1]."
    assert without_echoes("Small glaciers shrink the fastest. [1] Small glaciers shrink the fastest. [2]", "") == (
        "Small glaciers shrink the fastest. [1]"
    )


def test_short_sentences_may_be_repeated() -> None:
    assert without_echoes("- Yes [1].\n- No [2].\n- Yes [3].", "") == "- Yes [1].\n- No [2].\n- Yes [3]."


def test_fences_are_left_out_and_what_is_between_them_stays() -> None:
    text = f"[1]\n<abstract {FENCE}>\nBees dance.\n</abstract {FENCE}>"
    assert "Bees dance." in without_echoes(text, "")
    assert "abstract" not in without_echoes(text, "")
    assert without_echoes("An <abstract art> of 1 < 2.", "") == "An <abstract art> of 1 < 2."


@pytest.mark.parametrize("text", ["", "\n", "A list:\n\n1. One.\n2. Two.\n\n* Three [1]", "Ends with a blank [1]. "])
def test_a_text_without_echoes_stays_as_it_is(text: str) -> None:
    assert without_echoes(text, EXAMPLES[0]) == text


def test_a_growing_text_never_shows_what_is_left_out_later() -> None:
    sentence = "Small glaciers shrink the fastest of all [1]."
    text = f"{sentence} <abstract {FENCE}>\nBees dance. {EXAMPLES[0]}\n{sentence} Done [2]."
    grown = [without_echoes(text[:end], EXAMPLES[0], is_whole=False) for end in range(len(text))]
    assert not any("mulch" in snapshot or "<" in snapshot for snapshot in grown)
    assert all(snapshot.count("fastest of all") <= 1 for snapshot in grown)
    lengths = [len(snapshot) for snapshot in grown]
    assert all(later >= earlier - 2 for earlier, later in itertools.pairwise(lengths))
