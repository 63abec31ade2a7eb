"""Plan the answer to a question for a list: every paper that belongs, with the sentence that shows why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assistant.answering.evidence import Evidence
from assistant.digest.composition import Limits, compose
from assistant.digest.quoting import Group, Plan, Quotation
from assistant.digest.wording import counted_papers
from assistant.retrieval.gathering import LISTED
from assistant.retrieval.search import Found
from assistant.schema import Passage

# The share of the best score from which a paper is listed; chosen on the dev questions of the suite of forms
# (docs/experiments.md).
LISTED_FROM = 0.725


def plan_list(found: Found, evidence: Sequence[Evidence], abstracts: Mapping[str, Sequence[Passage]]) -> Plan:
    """Return the plan: the papers that answer, best first, each with one sentence and what that leans on.

    The best paper is listed in any case.
    """
    least = LISTED_FROM * found.hits[0].score
    listed = [hit.paper.id for hit in found.hits[: len(found.readings)] if hit.score >= least]
    by_paper = {paper_id: [item for item in evidence if item.hit.paper.id == paper_id] for paper_id in listed}
    quotations = [quotation for items in by_paper.values() for quotation in _sentence(items, abstracts)]
    if not quotations:
        quotations = _sentence(evidence, abstracts)
    return Plan((Group(tuple(quotations)),), _opening(len({quotation.hit.paper.id for quotation in quotations})))


def _sentence(evidence: Sequence[Evidence], abstracts: Mapping[str, Sequence[Passage]]) -> list[Quotation]:
    return compose(evidence, abstracts, Limits(2, 1, 1, 1.0, 1.0))


def _opening(papers: int) -> str:
    if papers >= LISTED:
        return f"At least {papers} papers belong here; these are the nearest."
    return f"{counted_papers(papers, 'belong', 'belongs')} here." if papers > 1 else ""
