"""A yes/no question is answered by what speaks for it and what speaks against it, where sentences do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from assistant.digest.quoting import Plan, Quotation
from assistant.digest.stance import Stance, plan_stances
from assistant.encodings import PairReading
from assistant.question.inversion import statement
from tests.unit.digest.quoted import BEES, composed, evidence


class DecidedReader:
    """A pair reader that decides a claim by words of the sentence, and records what it is asked."""

    revision = "decided"

    def __init__(self) -> None:
        self.claims: list[str] = []

    def read(self, pairs: Sequence[tuple[str, Sequence[str]]]) -> Iterator[PairReading]:
        for claim, (sentence,) in pairs:
            self.claims.append(claim)
            supported, contradicted = 0.9 * ("longer" in sentence), 0.9 * ("flowers" in sentence)
            yield PairReading(contradicted, supported, 0.5, (0.5,), (0.5,))


def planned(*scores: float) -> Plan:
    return plan_stances("Do old bees dance longer?", composed(evidence(BEES, *scores), 3), DecidedReader())


def headings(plan: Plan) -> list[tuple[str, list[str]]]:
    return [(group.heading, [quotation.passage.text for quotation in group.quotations]) for group in plan.groups]


def test_what_speaks_for_it_comes_first_then_what_speaks_against_it_then_the_rest() -> None:
    plan = planned(0.9, 0.89, 0.88)
    assert headings(plan) == [
        (Stance.FOR.value, ["Old bees dance longer."]),
        (Stance.AGAINST.value, ["They show the way to flowers."]),
        (Stance.OPEN.value, ["Honey bees dance."]),
    ]
    assert plan.opening == "Two sides:"


def test_where_no_sentence_takes_a_side_there_is_no_heading() -> None:
    assert headings(planned(0.9, 0.001, 0.001)) == [("", ["Honey bees dance."])]


def test_context_stays_with_the_sentence_that_leans_on_it() -> None:
    first, second, third = composed(evidence(BEES, 0.9, 0.89, 0.88), 3)
    context = Quotation(second.hit, second.passage, is_context=True)
    plan = plan_stances("Do old bees dance longer?", [first, context, third], DecidedReader())
    assert headings(plan)[0] == (Stance.FOR.value, ["They show the way to flowers.", "Old bees dance longer."])


@pytest.mark.parametrize(
    ("question", "claim"),
    [
        ("Do old bees dance longer?", "old bees dance longer."),
        ("Is  warmup needed ?", "warmup needed."),
        ("Old bees dance longer.", "Old bees dance longer."),
        ("Is?", "Is?"),
        ("", ""),
    ],
)
def test_the_statement_of_a_question_lacks_its_auxiliary_verb(question: str, claim: str) -> None:
    assert statement(question).split() == claim.split()
