from __future__ import annotations

import pytest

from assistant.question.inversion import auxiliary_of, invert, statement


@pytest.mark.parametrize(
    ("claim", "inversion"),
    [
        ("Warmup is needed for Adam.", "Warmup is not needed for Adam."),
        ("Warmup is not needed for Adam.", "Warmup is needed for Adam."),
        ("Models cannot count.", "Models can count."),
        ("Models can't count.", "Models ca count."),
        ("Bees do not sleep.", "Bees sleep."),
        ("Bees never sleep.", "Bees sleep."),
        ("Vitamin D protects against cancer.", "Vitamin D does not protect against cancer."),
        ("Larger batches generalize worse.", "Larger batches do not generalize worse."),
        ("Small models memorize more.", "Small models do not memorize more."),
        ("Warmup caused instability.", "Warmup did not cause instability."),
    ],
)
def test_a_claim_is_negated_or_loses_its_negation(claim: str, inversion: str) -> None:
    assert invert(claim) == inversion


@pytest.mark.parametrize("claim", ["", "!", "x", "DPO", "<b>bold</b>", "not", "is", "Ist Wärme gut?", "a " * 2000])
def test_any_text_has_an_inversion_that_differs(claim: str) -> None:
    assert invert(claim) != claim


@pytest.mark.parametrize(
    ("question", "inversion"),
    [
        ("Does warmup help Adam?", "warmup does not help Adam."),
        ("Do small models memorize more?", "small models do not memorize more."),
        ("Did warmup stabilize training?", "warmup did not stabilize training."),
    ],
)
def test_the_claim_of_a_question_is_negated_with_its_auxiliary_verb(question: str, inversion: str) -> None:
    assert invert(statement(question), auxiliary_of(question)) == inversion


def test_a_statement_needs_no_auxiliary_in_front() -> None:
    assert statement("Bees dance.") == "Bees dance."
