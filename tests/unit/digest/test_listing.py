"""A list has every paper that comes near enough to the best one, each once, and says where there may be more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assistant.digest.listing import plan_list
from assistant.digest.quoting import Plan
from assistant.encodings import PairReading
from assistant.question.terms import QuestionTerms, Term
from assistant.retrieval.gathering import LISTED
from assistant.retrieval.search import Found
from assistant.schema import Hit, Paper, Query
from tests.unit.digest.quoted import abstracts, evidence

READING = PairReading(0.0, 0.0, 0.5, (), ())


def listed(scores: Sequence[float], *, read: int | None = None) -> Plan:
    """Return the list of papers with these scores in the search, of which the first were read."""
    papers = [Paper(f"paper-{rank}", f"Hive {rank} dances.") for rank in range(1, len(scores) + 1)]
    hits = tuple(Hit(rank, score, paper) for rank, (score, paper) in enumerate(zip(scores, papers, strict=True), 1))
    readings = (READING,) * (len(hits) if read is None else read)
    items = [item for hit in hits for item in evidence(hit.paper.abstract, 0.1, rank=hit.rank)]
    return plan_list(Found(Query("", ""), hits=hits, readings=readings), items, abstracts(items))


def ranks(plan: Plan) -> list[int]:
    return [quotation.hit.rank for quotation in plan.quotations]


def test_papers_near_the_best_are_listed_in_the_order_of_the_search_and_others_are_not() -> None:
    plan = listed([0.5, 0.45, 0.4, 0.3, 0.1])
    assert (ranks(plan), plan.opening) == ([1, 2, 3], "Three papers belong here.")


def test_how_near_depends_on_the_best_paper_alone() -> None:
    assert ranks(listed([0.2, 0.18, 0.1])) == ranks(listed([0.8, 0.72, 0.4])) == [1, 2]


def test_a_single_paper_is_listed_without_a_count() -> None:
    plan = listed([0.5, 0.1])
    assert (ranks(plan), plan.opening) == ([1], "")


def test_of_five_thousand_matches_those_that_were_read_are_listed_and_said_to_be_the_nearest() -> None:
    plan = listed([0.5] * 5000, read=LISTED)
    assert ranks(plan) == list(range(1, LISTED + 1))
    assert plan.opening == f"At least {LISTED} papers belong here; these are the nearest."


def test_papers_that_mention_no_name_of_the_question_are_left_out_where_another_does() -> None:
    question = "papers on weaknesses of DPO"
    start = question.index("DPO")
    terms = QuestionTerms((Term("DPO", start, start + 3, ("dpo",), 3.0),))
    texts = ("Bees have weaknesses.", "DPO is brittle.", "Weaknesses of bees.")
    papers = [Paper(f"paper-{rank}", text) for rank, text in enumerate(texts, 1)]
    hits = tuple(Hit(rank, 0.5, paper) for rank, paper in enumerate(papers, 1))
    items = [item for hit in hits for item in evidence(hit.paper.abstract, 0.1, rank=hit.rank)]
    found = Found(Query(question, question), terms, hits, readings=(READING,) * 3)
    assert ranks(plan_list(found, items, abstracts(items))) == [2]
    without = replace(found, hits=(hits[0], hits[2]), readings=(READING,) * 2)
    assert ranks(plan_list(without, items, abstracts(items))) == [1, 3]
