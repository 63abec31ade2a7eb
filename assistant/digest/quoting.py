"""Lay out quotations as an answer: grouped under headings, papers numbered by first appearance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from assistant.citations import build_citations, cited_text
from assistant.digest import standalone
from assistant.schema import Answer, Heading, Hit, Passage, Sentence, Verdict


@dataclass(frozen=True, slots=True)
class Quotation:
    """A passage that is quoted; `is_context` where only the next one answers, which leans on it.

    `emphasis` are the character offsets of what was asked for in it, (start, end).
    """

    hit: Hit
    passage: Passage
    is_context: bool = False
    emphasis: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Quotations under one heading, which may be empty."""

    quotations: tuple[Quotation, ...]
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an answer quotes, in order, below an opening line of the program's own, which may be empty."""

    groups: tuple[Group, ...]
    opening: str = ""

    @property
    def quotations(self) -> tuple[Quotation, ...]:
        """Return the quotations of all groups."""
        return tuple(quotation for group in self.groups for quotation in group.quotations)


def snapshots(draft: Answer, plan: Plan) -> Iterator[Answer]:
    """Yield the answer as it grows by a quotation; the last is done. The plan has at least one."""
    sentences = [_sentence(quotation) for quotation in plan.quotations]
    for count in range(1, len(sentences) + 1):
        yield _snapshot(draft, plan, sentences[:count], is_done=count == len(sentences))


def _snapshot(draft: Answer, plan: Plan, sentences: Sequence[Sentence], *, is_done: bool) -> Answer:
    quotations = plan.quotations[: len(sentences)]
    hits = list({quotation.hit.paper.id: quotation.hit for quotation in quotations}.values())
    numbers = {hit.paper.id: number for number, hit in enumerate(hits, start=1)}
    cited = tuple(
        replace(sentence, citations=(numbers[quotation.hit.paper.id],))
        for sentence, quotation in zip(sentences, quotations, strict=True)
    )
    passages: dict[int, list[Passage]] = {}
    for quotation in quotations:
        passages.setdefault(numbers[quotation.hit.paper.id], []).append(quotation.passage)
    return replace(
        draft,
        opening=plan.opening,
        headings=tuple(heading for heading in _headings(plan) if heading.first < len(sentences)),
        text=cited_text(cited),
        sentences=cited,
        citations=build_citations(hits, passages),
        done=is_done,
    )


def _sentence(quotation: Quotation) -> Sentence:
    """Return the quoted sentence, not cited yet."""
    text = quotation.passage.text
    return Sentence(
        text,
        (),
        Verdict.SUPPORTED,
        1.0,
        is_context=quotation.is_context,
        lead=standalone.lead_length(text),
        emphasis=quotation.emphasis,
    )


def _headings(plan: Plan) -> Iterator[Heading]:
    first = 0
    for group in plan.groups:
        if group.heading and group.quotations:
            yield Heading(group.heading, first)
        first += len(group.quotations)
