"""Put the sentence with the figure first where a question asks for a number, and mark the figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from assistant.digest.quoting import Quotation
from assistant.verification.quantities import Quantity, are_equal, quantities


def figures_first(question: str, quotations: Sequence[Quotation]) -> list[Quotation]:
    """Return the quotations with their figures marked, those of each paper with a figure before the others.

    A figure is a number in digits that the question does not have. Papers stay in their order, and context before the
    sentence that leans on it.
    """
    asked = quantities(question)
    order = list(dict.fromkeys(quotation.hit.paper.id for quotation in quotations))
    units = [[_marked(quotation, asked) for quotation in unit] for unit in _units(quotations)]
    units.sort(key=lambda unit: (order.index(unit[-1].hit.paper.id), not unit[-1].emphasis))
    return [quotation for unit in units for quotation in unit]


def _units(quotations: Sequence[Quotation]) -> Iterator[list[Quotation]]:
    """Yield each quotation that answers, behind the context that it leans on."""
    unit: list[Quotation] = []
    for quotation in quotations:
        unit.append(quotation)
        if not quotation.is_context:
            yield unit
            unit = []
    if unit:
        yield unit


def _marked(quotation: Quotation, asked: Sequence[Quantity]) -> Quotation:
    if quotation.is_context:
        return quotation
    figures = [
        (number.start, number.end)
        for number in quantities(quotation.passage.text)
        if number.in_digits and not any(are_equal(number, known) for known in asked)
    ]
    return replace(quotation, emphasis=tuple(figures))
