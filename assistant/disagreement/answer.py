"""Lay out both sides of a claim as an answer: quotations under a heading for each side, the newest paper last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from assistant.citations import has_marker
from assistant.digest.quoting import Group, Plan, Quotation, snapshots
from assistant.disagreement.sides import SidedSentence, Sides
from assistant.schema import Answer, Hit, Strength
from assistant.text.printable import sentence_case
from assistant.timing import at_once

_HEADINGS = ("Supports it", "Contradicts it", "Depends on a condition")


def stream_sides(draft: Answer, sides: Sides, plan: Plan, started: float) -> Iterator[Answer]:
    """Yield snapshots of the answer that grow by a quotation; the last is done.

    `plan` is that of the sides, with one quotation or more. `started` is the reading of the clock at the question, in
    seconds.
    """
    draft = replace(draft, timings=at_once(started))
    confidence = max(sentence.probability for sentence in sides.sentences)
    yield from snapshots(replace(draft, confidence=confidence, strength=Strength.FIRM), plan)


def no_side(sides: Sides) -> str:
    """Return the reason why sides of which nothing can be quoted do not answer."""
    return f"no abstract takes a side on “{sides.disputed.rstrip('. ')}”"


def plan_sides(sides: Sides) -> Plan:
    """Return what is quoted, in groups, below a line that names the claim and the side that is missing."""
    groups = (sides.supports, sides.contradicts, sides.depends)
    return Plan(
        tuple(
            Group(quotations, heading)
            for heading, group in zip(_HEADINGS, groups, strict=True)
            if (quotations := _quotations(group))
        ),
        f"For and against “{sentence_case(sides.disputed).rstrip('. ')}”:{_missing(sides)}",
    )


def _quotations(sentences: Sequence[SidedSentence]) -> tuple[Quotation, ...]:
    """Return the sentences that can be quoted: one with a citation marker would be read as a citation here."""
    return tuple(
        Quotation(Hit(rank, sentence.probability, sentence.paper, (sentence.passage,)), sentence.passage)
        for rank, sentence in enumerate(sentences, start=1)
        if not has_marker(sentence.passage.text)
    )


def _missing(sides: Sides) -> str:
    """Return which side no abstract takes, if one is missing."""
    if not any(sentence.supports for sentence in sides.sentences):
        return " no abstract that was found supports it."
    if all(sentence.supports for sentence in sides.sentences):
        return " no abstract that was found contradicts it."
    return ""
