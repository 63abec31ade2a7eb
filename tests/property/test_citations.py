from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st

from assistant import citations
from assistant.schema import Hit, Paper

PAPERS = [
    Paper(f"paper-{rank}", f"The abstract of paper {rank}.", f"On the {name} of bees", (f"A. {name}",), 2000 + rank)
    for rank, name in enumerate("Lin Chen Smith Wu Kim Jones Berg Frisch Lee Park Wang Sato".split(), start=1)
]
HITS = [Hit(paper.year or 0, 1.0, paper) for paper in PAPERS]

# Texts in which brackets, numbers, names and whole markers meet in every way, and any text at all.
PIECES = [
    *"[]【】(),;-\u2013 .:\n¹²⁹^\\",
    "1",
    "2",
    "40",
    "bees",
    "[1]",
    "[2, 3]",
    "[99]",
    "(2)",
    "[Source 1]",
    "Abstract 2",
    "Lin et al.",
    "(Chen et al., 2002)",
    "[Nobody, 2019]",
    "\nReferences:\n",
    "Sources: ",
    "[^1]: ",
    "On the Lin of bees",
]
TEXTS = st.lists(st.sampled_from(PIECES)).map("".join) | st.text()
WORDS = st.text(alphabet="ab c,.\n", min_size=1)
MARKERS = st.lists(st.integers(1, 20), min_size=1, max_size=4)


def written(numbers: list[int], style: int) -> str:
    """A marker as models write them."""
    inside = ", ".join(map(str, numbers))
    styles = ["".join(f"[{number}]" for number in numbers), f"[{inside}]", f"【{inside}】", f"[Source {inside}]"]
    return styles[style]


@given(TEXTS, st.integers(0, len(HITS)))
@example("[[99]1]", 2)
def test_the_numbers_are_one_to_n_by_first_appearance(text: str, found: int) -> None:
    resolved = citations.resolve(text, HITS[:found])
    assert citations.numbers(resolved.text) == tuple(range(1, len(resolved.hits) + 1))
    assert len({hit.paper.id for hit in resolved.hits}) == len(resolved.hits)
    assert all(hit in HITS[:found] for hit in resolved.hits)


@given(TEXTS, st.integers(0, len(HITS)))
@example("[[99]1]", 2)
@example("[" * 50 + "9]" * 50, 1)
@example("[[1]\n[99]]", 1)
@example("\nReferences:\n" * 70, 1)
def test_resolving_twice_changes_nothing(text: str, found: int) -> None:
    once = citations.resolve(text, HITS[:found])
    again = citations.resolve(once.text, once.hits)
    assert (again.text, again.hits, again.dropped) == (once.text, once.hits, 0)


@given(st.lists(st.tuples(WORDS, MARKERS, st.integers(0, 3))))
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
    assert [HITS.index(resolved.hits[number - 1]) + 1 for number in left] == meant


@given(st.lists(st.tuples(WORDS.filter(lambda words: words.strip(" ") != ","), MARKERS, st.integers(0, 3))))
def test_nothing_but_markers_and_white_space_is_lost(parts: list[tuple[str, list[int], int]]) -> None:
    resolved = citations.resolve("".join(words + written(numbers, style) for words, numbers, style in parts), HITS).text
    # A comma alone between two markers is not among the words: it makes a list of them, which goes as a whole.
    words = "".join("".join(words for words, _, _ in parts).split())
    assert "".join(citations.remove_markers(resolved).split()) == words
    # What else is there stands for a noun: none of these letters is in WORDS.
    assert re.sub(r"\[\d+\]", "", "".join(citations.strip_trailing(resolved).split())) == words
    assert re.sub("it|these", "", "".join(citations.strip(resolved).split()), flags=re.IGNORECASE) == words
    assert not citations.has_marker(citations.strip(resolved))


@given(st.lists(st.tuples(st.integers(1, 20), st.sampled_from([".", " dances", ", too", " (see below)"])), min_size=1))
def test_superscripts_cite_all_or_none(parts: list[tuple[int, str]]) -> None:
    raised = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
    text = " ".join(f"Bees{str(number).translate(raised)}{behind}" for number, behind in parts)
    resolved = citations.resolve(text, HITS)
    if all(behind[0] in ".," for _, behind in parts) and all(number < 10 for number, _ in parts):
        assert [citations.strip(resolved.text), resolved.text == text] == [
            " ".join(f"Bees{behind}" for _, behind in parts),
            False,
        ]
    elif any(behind[0] == " " for _, behind in parts):
        assert (resolved.text, resolved.hits, resolved.dropped) == (text, (), 0)


@given(TEXTS)
def test_arbitrary_text_raises_nothing(text: str) -> None:
    stripped = citations.strip(text)
    assert len(stripped) <= len(text)
    assert bool(citations.numbers(text)) <= citations.has_marker(text)
    assert text.startswith(citations.settled(text))
