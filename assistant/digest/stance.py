"""Sort what is quoted for a yes/no question by what it speaks for."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from assistant.digest.quoting import Group, Plan, Quotation
from assistant.encodings import PairReading
from assistant.protocols import PairReader
from assistant.question.inversion import statement

# The probabilities from which a sentence speaks for, and against, what the question asks about. Of sentences from the
# conclusions of PubMedQA's dev questions 79 % and 69 % then agree with the answer (docs/experiments.md).
FOR_FROM, AGAINST_FROM = 0.8, 0.5


class Stance(StrEnum):
    """What a sentence says of a statement."""

    FOR = "Seems to speak for it"
    AGAINST = "Seems to speak against it"
    OPEN = "Bears on it"


def plan_stances(question: str, quotations: Sequence[Quotation], reader: PairReader) -> Plan:
    """Return the plan: quotations grouped by stance if some are for or against, in one group otherwise.

    A sentence that is there as context stays with the one that leans on it. Raises ModelError.
    """
    stances = _stances(statement(question), quotations, reader)
    if not set(stances) & {Stance.FOR, Stance.AGAINST}:
        return Plan((Group(tuple(quotations)),))
    groups = [
        Group(
            tuple(
                quotation for quotation, of_quotation in zip(quotations, stances, strict=True) if of_quotation is stance
            ),
            stance.value,
        )
        for stance in Stance
    ]
    opening = "Two sides:" if {Stance.FOR, Stance.AGAINST} <= set(stances) else ""
    return Plan(tuple(group for group in groups if group.quotations), opening)


def _stances(claim: str, quotations: Sequence[Quotation], reader: PairReader) -> list[Stance]:
    """Return the stance of each quotation; that of context is the stance of the quotation behind it."""
    answering = [quotation for quotation in quotations if not quotation.is_context]
    decided = [_stance(reading) for reading in reader.read([(claim, [item.passage.text]) for item in answering])]
    stances: list[Stance] = []
    for quotation in reversed(quotations):
        stances.append((stances[-1] if stances else Stance.OPEN) if quotation.is_context else decided.pop())
    return stances[::-1]


def _stance(reading: PairReading) -> Stance:
    if reading.contradicted >= AGAINST_FROM:
        return Stance.AGAINST
    return Stance.FOR if reading.supported >= FOR_FROM else Stance.OPEN
