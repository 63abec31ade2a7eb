"""The numbers of a claim beside those of an abstract: which mismatch speaks against the claim, and how strongly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.verification.numbers import NumberMismatch, number_mismatch

ABSTRACT = (
    "We drain 24 bogs and measure them for three summers. Draining increases the release by 41.5 % on average, and "
    "flooding lowers it by 20 %. More than 1,000 trees of at most 30 years fall within two hours."
)


@pytest.mark.parametrize(
    "claim",
    [
        "Draining increases the release by 41.5 percent.",
        "They drained 24 bogs for 3 summers.",
        "Flooding lowers the release by a fifth.",
        "1K trees fall.",
        "Over 1000 trees fall within 120 minutes.",
        "Draining increases the release.",
        "",
    ],
)
def test_a_number_in_another_notation_is_no_mismatch(claim: str) -> None:
    assert number_mismatch(claim, ABSTRACT) == NumberMismatch(0.0, "")


def test_a_number_beside_another_of_its_unit_is_a_full_mismatch_that_is_named() -> None:
    assert number_mismatch("Draining increases the release by 45.1 %.", ABSTRACT) == NumberMismatch(
        1.0, "45.1 % is not in the paper"
    )


def test_a_number_of_a_unit_that_the_abstract_lacks_weighs_half() -> None:
    mismatch = number_mismatch("Draining makes the release 7-fold.", ABSTRACT)
    assert (mismatch.strength, mismatch.reason) == (0.5, "7-fold is not in the paper")
    assert number_mismatch("Bogs store 41 tons.", "Bogs store carbon.").strength == 0.5


@pytest.mark.parametrize(
    ("claim", "text"),
    [("Less than 1,000 trees fall.", "1,000"), ("The trees are more than 30 years old.", "30")],
)
def test_the_same_number_as_the_opposite_bound_is_a_full_mismatch(claim: str, text: str) -> None:
    assert number_mismatch(claim, ABSTRACT) == NumberMismatch(1.0, f"the paper gives {text} as the opposite bound")


@pytest.mark.parametrize("claim", ["At least 1,000 trees fall.", "About 1,000 trees fall."])
def test_the_same_number_as_the_same_bound_or_none_is_no_mismatch(claim: str) -> None:
    assert number_mismatch(claim, ABSTRACT) == NumberMismatch()


@pytest.mark.parametrize(
    "claim",
    [
        "Draining and flooding are 21.5 points apart.",
        "Draining increases the release by about 40 %.",
        "Draining changes the release 2.1 times as much as flooding.",
    ],
)
def test_a_difference_a_ratio_or_a_rounded_number_is_no_mismatch(claim: str) -> None:
    assert number_mismatch(claim, ABSTRACT) == NumberMismatch()


@pytest.mark.parametrize("claim", ["The two treatments differ.", "Five of the effects are small."])
def test_a_small_number_in_words_counts_things_and_is_no_mismatch(claim: str) -> None:
    assert number_mismatch(claim, ABSTRACT) == NumberMismatch()


def test_the_worst_of_several_mismatches_counts() -> None:
    claim = "Draining 24 bogs makes the release 7-fold; over the three long and warm summers it grows by 45.1 %."
    assert number_mismatch(claim, ABSTRACT) == NumberMismatch(1.0, "45.1 % is not in the paper")


@given(st.text(max_size=120), st.text(max_size=200))
def test_a_strength_is_a_share_and_has_a_reason_where_it_is_not_zero(claim: str, abstract: str) -> None:
    mismatch = number_mismatch(claim, abstract)
    assert 0.0 <= mismatch.strength <= 1.0
    assert bool(mismatch.strength) == bool(mismatch.reason)


@given(st.lists(st.integers(0, 10**6).map("{:,}".format), max_size=5).map(" and ".join))
def test_a_text_has_no_mismatch_with_itself(text: str) -> None:
    assert number_mismatch(text, text) == NumberMismatch()
