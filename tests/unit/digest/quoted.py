"""Evidence and abstracts of made-up papers, and what is quoted of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assistant.answering.evidence import Evidence
from assistant.digest.composition import Limits, compose
from assistant.digest.quoting import Group, Plan, Quotation, snapshots
from assistant.schema import Answer, Hit, Paper, Passage, Strength
from assistant.text.sentences import passages

BEES = "Honey bees dance. They show the way to flowers. Old bees dance longer."
ICE = "Glaciers lose ice every summer. Small ones shrink the fastest."
DRAFT = Answer("Why?", "Why?", Strength.FIRM, 0.5, "", done=False)


def evidence(abstract: str, *scores: float, rank: int = 1, title: str | None = None) -> list[Evidence]:
    """Return evidence for each sentence of an abstract, in order."""
    hit = Hit(rank, 1.0, Paper(f"paper-{rank}", abstract, title=title))
    return [Evidence(hit, passage, score) for passage, score in zip(passages(abstract), scores, strict=True)]


def best_first(*papers: Sequence[Evidence]) -> list[Evidence]:
    return sorted((item for paper in papers for item in paper), key=lambda item: -item.score)


def abstracts(candidates: Sequence[Evidence]) -> Mapping[str, Sequence[Passage]]:
    return {item.hit.paper.id: passages(item.hit.paper.abstract) for item in candidates}


def composed(
    candidates: Sequence[Evidence],
    sentences: int,
    *,
    papers: int = 4,
    of_paper: int = 10,
    share_of_best: float = 0.05,
    share_of_other: float = 0.2,
) -> list[Quotation]:
    limits = Limits(sentences, papers, of_paper, share_of_best, share_of_other)
    return compose(candidates, abstracts(candidates), limits)


def answer(quotations: Sequence[Quotation], opening: str = "") -> Answer:
    """Return the whole answer of quotations in one group."""
    *_, last = snapshots(DRAFT, Plan((Group(tuple(quotations)),), opening))
    return last


def texts(quotations: Sequence[Quotation]) -> list[str]:
    return [quotation.passage.text for quotation in quotations]
