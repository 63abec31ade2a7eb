"""Recall, nDCG and reciprocal rank, as ir-measures computes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import ir_measures
from ir_measures import RR, R, nDCG

from eval.runs.records import QuestionRecord

RANKING = (R @ 1, R @ 5, R @ 10, nDCG @ 10, RR @ 10)


def ranking(records: Sequence[QuestionRecord]) -> dict[str, dict[str, float]]:
    """Return the values of each ranking measure by question id; a question without results has 0."""
    if not records:
        return {}
    judgements = [ir_measures.Qrel(record.id, paper, 1) for record in records for paper in record.papers]
    values = {str(measure): dict.fromkeys((record.id for record in records), 0.0) for measure in RANKING}
    for metric in ir_measures.iter_calc(RANKING, judgements, _results(records)):
        values[str(metric.measure)][metric.query_id] = metric.value
    return values


def _results(records: Iterable[QuestionRecord]) -> list[ir_measures.ScoredDoc]:
    """Score each retrieved paper by its rank rather than by its score, so that ties keep their order."""
    return [
        ir_measures.ScoredDoc(record.id, paper.id, -float(rank))
        for record in records
        for rank, paper in enumerate(record.retrieved)
    ]
