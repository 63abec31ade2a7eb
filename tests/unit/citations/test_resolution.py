from __future__ import annotations

import pytest

from assistant.citations import Resolved, has_marker, numbers, remove_markers, renumber, resolve, strip, strip_trailing
from assistant.schema import Hit, Paper

HITS = [Hit(rank, 1 / rank, Paper(f"paper-{rank}", f"The abstract of paper {rank}.")) for rank in (1, 2, 3, 4)]


def places(resolved: Resolved) -> list[int]:
    """Where the cited hits stand among HITS, counted from 1."""
    return [hit.rank for hit in resolved.hits]


@pytest.mark.parametrize(
    ("written", "clean", "meant"),
    [
        ("[1]", "[1]", [1]),
        ("[ 2 ]", "[1]", [2]),
        ("[1, 2]", "[1][2]", [1, 2]),
        ("[1,2]", "[1][2]", [1, 2]),
        ("[4; 2]", "[1][2]", [4, 2]),
        ("[1-3]", "[1][2][3]", [1, 2, 3]),
        ("[2\u20134]", "[1][2][3]", [2, 3, 4]),
        ("[1-2, 4]", "[1][2][3]", [1, 2, 4]),
        ("[2, 2]", "[1]", [2]),
        ("【1】", "[1]", [1]),
        ("【3, 1】", "[1][2]", [3, 1]),
    ],
)
def test_every_way_of_writing_a_marker_is_understood(written: str, clean: str, meant: list[int]) -> None:
    resolved = resolve(f"Bees dance {written}.", HITS)
    assert (resolved.text, places(resolved)) == (f"Bees dance {clean}.", meant)


def test_numbers_are_given_by_first_appearance() -> None:
    resolved = resolve("Bees dance [3]. Ice melts [1]. Bees fly [3][4].", HITS)
    assert resolved.text == "Bees dance [1]. Ice melts [2]. Bees fly [1][3]."
    assert places(resolved) == [3, 1, 4]


@pytest.mark.parametrize("invented", ["[0]", "[5]", "[99]", "[2019]", "[6, 7]", "[7-9]", "[0-60]", "【8】", "[3-1]"])
def test_an_invented_citation_is_dropped(invented: str) -> None:
    resolved = resolve(f"Bees dance {invented}.", HITS)
    assert (resolved.text, resolved.hits) == ("Bees dance.", ())
    assert resolved.dropped > 0


def test_an_invented_citation_is_dropped_however_long_its_number() -> None:
    assert resolve("Bees dance [20195].", HITS).text == "Bees dance."
    assert resolve(f"Bees dance [{'9' * 6000}].", HITS).hits == ()


def test_the_true_numbers_beside_an_invented_one_stay() -> None:
    resolved = resolve("Bees dance [9, 2] by day [3-7].", HITS)
    assert (resolved.text, places(resolved)) == ("Bees dance [1] by day [2][3].", [2, 3, 4])


@pytest.mark.parametrize("nested", ["[[9]1]", "[1,[9]2]", "[[[9]9]1]"])
def test_dropping_a_marker_makes_no_other(nested: str) -> None:
    resolved = resolve(f"Bees dance {nested}.", HITS)
    assert numbers(resolved.text) == tuple(range(1, len(resolved.hits) + 1))


@pytest.mark.parametrize("mark", list(".,;:!?"))
def test_a_dropped_marker_leaves_no_space_before_punctuation(mark: str) -> None:
    assert resolve(f"Bees dance [9]{mark} Ice melts [1].", HITS).text == f"Bees dance{mark} Ice melts [1]."


@pytest.mark.parametrize(
    ("written", "clean"), [("Bees [9] dance.", "Bees dance."), ("Bees dance [9].[1]", "Bees dance.[1]")]
)
def test_a_dropped_marker_leaves_no_space_elsewhere(written: str, clean: str) -> None:
    assert resolve(written, HITS).text == clean


def test_spaces_away_from_a_dropped_marker_stay() -> None:
    assert resolve("Do bees dance ? They do [2].", HITS).text == "Do bees dance ? They do [1]."


@pytest.mark.parametrize(
    "text", ["Bees dance.", "a , b", "x[i] and f[0.5]", "[see] [a1] [1", "1] (2)", "two\nlines", ""]
)
def test_text_without_markers_is_unchanged_but_for_surrounding_space(text: str) -> None:
    assert resolve(f" \n{text}\t ", HITS) == Resolved(text.strip(), ())


def test_no_citation_holds_where_nothing_was_found() -> None:
    assert resolve("Bees dance [1].", []) == Resolved("Bees dance.", (), 1)


def test_the_numbers_of_a_text_are_counted_once_in_order() -> None:
    assert numbers("Ice [2]. Bees [1, 2]. Bread [4-5].") == (2, 1, 4, 5)
    assert numbers("No citation (1).") == ()


def test_stripping_takes_the_markers_and_the_space_before_them() -> None:
    assert strip("Bees dance [1]. Ice melts [2, 3]!") == "Bees dance. Ice melts!"
    assert strip("[1] Bees dance.") == "Bees dance."


@pytest.mark.parametrize(
    ("written", "clean"),
    [("It gains .5 points [1].", "It gains .5 points."), ("Bees [1] dance.", "Bees dance.")],
)
def test_stripping_leaves_the_rest_as_it_is(written: str, clean: str) -> None:
    assert strip(written) == clean


def test_a_marker_is_told_from_other_brackets() -> None:
    assert has_marker("as shown in [3]")
    assert has_marker("as shown in 【3】")
    assert not has_marker("the interval [0.5, 1.5] and a[i]")


# Markers in place of a noun


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        (
            "A good introduction is given in [1], written for beginners.",
            "A good introduction is given in it, written for beginners.",
        ),
        ("[1] shows that bees dance.", "It shows that bees dance."),
        ("Ice melts. [1][2] show that bees dance.", "Ice melts. These show that bees dance."),
        ("In contrast, [2] argues that bees sing.", "In contrast, it argues that bees sing."),
        ("Unlike [1] and [2], bees dance.", "Unlike these, bees dance."),
        ("As in [1], [2], bees dance.", "As in these, bees dance."),
        ("Bees dance, and [2] argues that ice melts.", "Bees dance, and it argues that ice melts."),
        ("[1], a study of bees, is old.", "It, a study of bees, is old."),
        ("See [3] for details.", "See it for details."),
        ("The method of [1] improves on [2].", "The method of it improves on it."),
    ],
)
def test_a_marker_in_place_of_a_noun_stays_and_is_a_pronoun_in_a_claim(text: str, claim: str) -> None:
    assert (strip_trailing(text), strip(text)) == (text, claim)


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("Bees dance [1].", "Bees dance."),
        ("Bees [1] dance.", "Bees dance."),
        ("Bees dance [1], and ice melts [2][3].", "Bees dance, and ice melts."),
        ("Bees dance. [1] Ice melts. [2]", "Bees dance. Ice melts."),
        ("[1] Bees dance.", "Bees dance."),
        ("Bees dance (a lot) [1] and sing.", "Bees dance (a lot) and sing."),
        ("Frisch et al. [1] show that bees dance.", "Frisch et al. show that bees dance."),
        ("Frisch et al., [1] show that bees dance.", "Frisch et al., show that bees dance."),
        ("Several works [1], [2] show that bees dance.", "Several works show that bees dance."),
        ("Bees dance [1], [2], and sing.", "Bees dance, and sing."),
        ("Bees dance [1] and [2].", "Bees dance."),
        ("Bees dance [1], [2], and [3]; ice melts.", "Bees dance; ice melts."),
        ("Bees dance [1] or [2], and ice melts.", "Bees dance, and ice melts."),
    ],
)
def test_a_marker_behind_what_it_supports_goes(text: str, without: str) -> None:
    assert (strip_trailing(text), strip(text), remove_markers(text)) == (without, without, without)


def test_a_marker_that_completes_a_label_stays_where_the_text_is_shown() -> None:
    text = "According to Abstract [1], ice melts [1]."
    assert strip_trailing(text) == "According to Abstract [1], ice melts."
    assert strip(text) == "According to Abstract, ice melts."


def test_markers_within_a_sentence_follow_new_numbers() -> None:
    assert renumber("As [1] and [2] show [9].", {1: 2, 2: 1}) == "As [2] and [1] show [9]."
