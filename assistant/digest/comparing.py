"""Plan the answer to a comparison: sentences that speak of both sides first, then some of each side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assistant.answering.evidence import Evidence
from assistant.answering.side_presence import SPEAKS_FROM, in_passages
from assistant.digest.composition import Limits, compose
from assistant.digest.quoting import Group, Plan, Quotation
from assistant.question.sides import Side
from assistant.retrieval.search import Found
from assistant.schema import Passage
from assistant.text.printable import sentence_case

# Sentences that speak of both sides, and of each where few or none do; the most papers of each group.
_OF_BOTH, _OF_SIDE, _MAX_PAPERS = 3, 2, 2
_SHARE_OF_BEST = 0.05


def plan_comparison(
    found: Found, evidence: Sequence[Evidence], abstracts: Mapping[str, Sequence[Passage]], max_sentences: int
) -> Plan:
    """Return the plan, with a heading for each group; a side that nothing speaks of has none."""
    presence = [_presence(side, found) for side in found.sides]
    of_both = [item for item in evidence if all(_speaks(item, values) for values in presence)]
    groups = [_group(_names(found.sides), of_both, abstracts, min(_OF_BOTH, max_sentences))]
    room = max_sentences - len(groups[0].quotations)
    for side, values, others in zip(found.sides, presence, presence[::-1], strict=True):
        alone = [item for item in evidence if _speaks(item, values) and not _speaks(item, others)]
        groups.append(_group(side.text, alone, abstracts, min(_OF_SIDE, room)))
    return Plan(tuple(_without_repeats(groups)))


def _group(
    heading: str, evidence: Sequence[Evidence], abstracts: Mapping[str, Sequence[Passage]], sentences: int
) -> Group:
    limits = Limits(sentences, _MAX_PAPERS, sentences, _SHARE_OF_BEST, _SHARE_OF_BEST)
    return Group(tuple(compose(evidence, abstracts, limits)) if sentences > 0 else (), sentence_case(heading))


def _without_repeats(groups: Sequence[Group]) -> list[Group]:
    """Return the groups without quotations that stand in an earlier one, and without groups that are left empty."""
    quoted: set[tuple[str, Passage]] = set()
    remaining = []
    for group in groups:
        fresh: list[Quotation] = []
        for quotation in group.quotations:
            if (key := (quotation.hit.paper.id, quotation.passage)) not in quoted:
                quoted.add(key)
                fresh.append(quotation)
        if fresh:
            remaining.append(Group(tuple(fresh), group.heading))
    return remaining


def _presence(side: Side, found: Found) -> dict[tuple[str, Passage], float]:
    """Return how strongly each passage speaks of the side."""
    return {
        (aligned.paper.id, passage): value
        for aligned in found.alignments
        for passage, value in zip(aligned.passages, in_passages(side, aligned), strict=True)
    }


def _speaks(item: Evidence, presence: Mapping[tuple[str, Passage], float]) -> bool:
    return presence[item.hit.paper.id, item.passage] >= SPEAKS_FROM


def _names(sides: Sequence[Side]) -> str:
    return " and ".join(side.text for side in sides)
