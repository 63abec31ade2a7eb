from __future__ import annotations

import pytest

from assistant.verification.quantities import Quantity, are_equal, bound_side, is_derivable, quantities


def one(text: str) -> Quantity:
    (found,) = quantities(text)
    assert text[found.start : found.end] == found.text
    return found


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("41.5 %", "41.5 percent"),
        ("41.5%", "41.5 percentage points"),
        ("1,000", "1000"),
        ("1K", "a thousand or 1 thousand".split(" or ")[1]),
        ("3.5 million", "3,500,000"),
        ("3x", "three times"),
        ("3-fold", "threefold and 3 times".split(" and ")[1]),
        ("a factor of ten", "an order of magnitude"),
        ("twice", "2x"),
        ("half", "50%"),
        ("a third", "33%"),
        ("two thirds", "66.7 %"),
        ("30 minutes", "half an hour"),
        ("twelve", "12"),
        ("0.34", "34%"),
    ],
)
def test_a_number_is_the_same_in_whatever_way_it_is_written(text: str, other: str) -> None:
    assert are_equal(one(text), one(other))
    assert are_equal(one(other), one(text))


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("41.5%", "45.1%"),
        ("2005", "2015"),
        ("3x", "3%"),
        ("half", "a third"),
        ("1,000", "10,000"),
        ("3 hours", "3 days"),
    ],
)
def test_another_number_or_another_unit_is_not_the_same(text: str, other: str) -> None:
    assert not are_equal(one(text), one(other))


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("a third of them", True),
        ("falls to a third.", True),
        ("falls by a third, while", True),
        ("by a third on average", True),
        ("a third lower", True),
        ("a third older than before", True),
        ("by a third compared with before", True),
        ("one third", True),
        ("two thirds agree", True),
        ("a fifth as many", True),
        ("a third paper", False),
        ("A third study", False),
        ("a third family of models", False),
        ("a third, in a third party", True),
        ("a third-party library", False),
        ("a fifth layer", False),
        ("the third of these", False),
    ],
)
def test_an_ordinal_is_no_fraction(text: str, share: bool) -> None:
    assert any(quantity.unit == "%" for quantity in quantities(text)) == share


@pytest.mark.parametrize("text", ["GPT-4 and T5", "version v0.2", "user@9", "no number", ""])
def test_a_digit_of_a_name_is_no_number(text: str) -> None:
    assert quantities(text) == ()


def test_both_ends_of_a_range_are_numbers() -> None:
    assert [each.value for each in quantities("between 15-39%")] == [15, 39]


@pytest.mark.parametrize(
    ("claim", "known"),
    [
        ("more than 27 points short of people", "61.6% against 89.0%"),
        ("about half as many, 52%", "34% against 65%"),
        ("nearly 70% of them", "in 68% of cases"),
        ("some 2 times as fast", "10 x and 5 x"),
    ],
)
def test_a_rough_number_or_a_difference_follows_from_what_is_known(claim: str, known: str) -> None:
    claimed = quantities(claim)[-1]
    assert is_derivable(claimed, claim, quantities(known))


def test_a_rough_word_is_that_of_the_number_behind_it() -> None:
    claim = "36% of the questions, about half the 65% of experts"
    assert not is_derivable(quantities(claim)[0], claim, quantities("34% against 65%"))


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("more than 30 minutes", 1),
        ("over half an hour", 1),
        ("no less than 30 minutes", 1),
        ("less than 30 minutes", -1),
        ("at most 30 minutes", -1),
        ("no more than 30 minutes", -1),
        ("30 minutes more than before", 0),
    ],
)
def test_a_number_may_be_the_least_or_the_greatest(text: str, side: int) -> None:
    assert bound_side(quantities(text)[0], text) == side


def test_an_exact_number_does_not_follow() -> None:
    claim = "The model reaches 27% here"
    assert not is_derivable(one(claim), claim, quantities("61.6% against 89.0%"))
