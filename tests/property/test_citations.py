from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from assistant import citations
from assistant.schema import Hit, Paper

HITS = [Hit(rank, 1 / rank, Paper(f"paper-{rank}", f"The abstract of paper {rank}.")) for rank in range(1, 13)]

# Texts in which brackets, numbers and whole markers meet in every way, and any text at all.
PIECES = [
    "[",
    "]",
    "【",
    "】",
    "1",
    "2",
    "40",
    ",",
    ";",
    "-",
    "\u2013",
    " ",
    ".",
    "\n",
    "bees",
    "[1]",
    "[2, 3]",
    "[99]",
]
TEXTS = st.lists(st.sampled_from(PIECES)).map("".join) | st.text()
WORDS = st.text(alphabet="ab c,.(\n", min_size=1)
MARKERS = st.lists(st.integers(0, 20), min_size=1, max_size=4)


def written(numbers: list[int], style: int) -> str:
    """A marker as models write them."""
    if style == 0:
        return "".join(f"[{number}]" for number in numbers)
    inside = ", ".join(map(str, numbers))
    return f"[{inside}]" if style == 1 else f"【{inside}】"


@given(TEXTS, st.integers(0, len(HITS)))
@example("[[99]1]", 2)
def test_the_numbers_are_one_to_n_by_first_appearance(text: str, found: int) -> None:
    resolved = citations.resolve(text, HITS[:found])
    assert citations.numbers(resolved.text) == tuple(range(1, len(resolved.hits) + 1))
    places = [hit.rank for hit in resolved.hits]
    assert len(set(places)) == len(places)
    assert set(places) <= set(range(1, found + 1))


@given(TEXTS, st.integers(0, len(HITS)))
@example("[[99]1]", 2)
def test_resolving_twice_changes_nothing(text: str, found: int) -> None:
    once = citations.resolve(text, HITS[:found])
    assert citations.resolve(once.text, once.hits) == once


@given(st.lists(st.tuples(WORDS, MARKERS, st.integers(0, 2))))
def test_every_number_left_stands_for_the_hit_that_was_meant(parts: list[tuple[str, list[int], int]]) -> None:
    text = "".join(words + written(numbers, style) for words, numbers, style in parts)
    meant = [
        number
        for _, numbers, style in parts
        for number in (numbers if style == 0 else dict.fromkeys(numbers))
        if 1 <= number <= len(HITS)
    ]
    resolved = citations.resolve(text, HITS)
    left = [int(number) for number in re.findall(r"\[(\d+)\]", resolved.text)]
    assert [resolved.hits[number - 1].rank for number in left] == meant


@given(TEXTS)
def test_arbitrary_text_raises_nothing(text: str) -> None:
    stripped = citations.strip(text)
    assert len(stripped) <= len(text)
    assert bool(citations.numbers(text)) <= citations.has_marker(text)
