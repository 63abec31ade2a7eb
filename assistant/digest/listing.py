"""Plan the answer to a question for a list: every paper that belongs, with the sentence that shows why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assistant.answering.evidence import Evidence
from assistant.answering.names import missing_names, names_in
from assistant.digest.composition import Limits, compose
from assistant.digest.quoting import Group, Plan, Quotation
from assistant.digest.wording import counted_papers
from assistant.retrieval.gathering import LISTED
from assistant.retrieval.search import Found
from assistant.schema import Paper, Passage

# The share of the best score from which a paper is listed; chosen on the dev questions of the suite of forms
# (docs/experiments.md).
LISTED_FROM = 0.725


def plan_list(found: Found, evidence: Sequence[Evidence], abstracts: Mapping[str, Sequence[Passage]]) -> Plan:
    """Return the plan: the papers that answer, best first, each with one sentence and what that leans on.

    The best paper is listed in any case.
    """
    listed = [paper.id for paper in listed_papers(found)]
    by_paper = {paper_id: [item for item in evidence if item.hit.paper.id == paper_id] for paper_id in listed}
    quotations = [quotation for items in by_paper.values() for quotation in _sentence(items, abstracts)]
    if not quotations:
        quotations = _sentence(evidence, abstracts)
    return Plan((Group(tuple(quotations)),), _opening(len({quotation.hit.paper.id for quotation in quotations})))


def listed_papers(found: Found) -> Sequence[Paper]:
    """Return the papers that belong to a list, best first, of hits that were read."""
    return _with_names(found, _near(found))


def _near(found: Found) -> list[Paper]:
    """Return the papers that were read and come near the best one."""
    least = LISTED_FROM * found.hits[0].score
    return [hit.paper for hit in found.hits[: len(found.readings)] if hit.score >= least]


def _with_names(found: Found, papers: Sequence[Paper]) -> Sequence[Paper]:
    """Return the papers that mention a name of the question; all of them where none does, or it has no name."""
    names = names_in(found.query.standalone, found.terms.content)
    return [paper for paper in papers if len(missing_names(names, paper)) < len(names)] or papers


def _sentence(evidence: Sequence[Evidence], abstracts: Mapping[str, Sequence[Passage]]) -> list[Quotation]:
    return compose(evidence, abstracts, Limits(2, 1, 1, 1.0, 1.0))


def _opening(papers: int) -> str:
    if papers >= LISTED:
        return f"At least {papers} papers belong here; these are the nearest."
    return f"{counted_papers(papers, 'belong', 'belongs')} here." if papers > 1 else ""
