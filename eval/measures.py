"""Figures from answers. Ranking measures are ir-measures'; a question without results scores zero and counts.

Every figure is a mean over questions, 0..1, kept with the questions' groups (difficulty or kind) beside `all`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean
from typing import TypeVar

import ir_measures
from ir_measures import RR, R, nDCG
from sklearn.metrics import roc_auc_score

from assistant.schema import Answer, Hit, Sentence, Strength, Verdict, Verification
from eval.suites import Claim, Question

# Rows are figures, columns groups.
Table = dict[str, dict[str, float]]
Asked = TypeVar("Asked", Question, Claim)
RANKING = (R @ 1, R @ 5, R @ 10, nDCG @ 10, RR @ 10)


def ranking(questions: Sequence[Question], found: Mapping[str, Sequence[Hit]]) -> Table:
    """Recall, nDCG and reciprocal rank of the papers found for each question id."""
    if not questions:
        return {}
    judgements = [ir_measures.Qrel(question.id, paper, 1) for question in questions for paper in question.papers]
    results = [
        # Ranks, not scores: ties must not be broken anew by the measure.
        ir_measures.ScoredDoc(question.id, hit.paper.id, -float(hit.rank))
        for question in questions
        for hit in found.get(question.id, ())
    ]
    values = {
        (str(metric.measure), metric.query_id): metric.value
        for metric in ir_measures.iter_calc(RANKING, judgements, results)
    }
    return {name: _grouped(questions, _lookup(values, name)) for name in map(str, RANKING)}


def answering(questions: Sequence[Question], answers: Mapping[str, Answer]) -> Table:
    """What became of answerable questions: answered at all, a gold paper cited, a gold sentence quoted."""
    return {
        "answered": _grouped(questions, lambda question: float(answers[question.id].answered)),
        "firm": _grouped(questions, lambda question: float(answers[question.id].strength is Strength.FIRM)),
        "gold paper cited": _grouped(questions, lambda each: float(_cites_gold(each, answers[each.id]))),
        "gold sentence quoted": _grouped(questions, lambda each: float(_quotes_gold(each, answers[each.id]))),
    }


def refusing(questions: Sequence[Question], answers: Mapping[str, Answer]) -> Table:
    """What became of unanswerable questions."""
    if not questions:
        return {}
    return {
        "not answered firmly": _grouped(
            questions, lambda question: float(answers[question.id].strength is not Strength.FIRM)
        ),
        "refused": _grouped(questions, lambda question: float(not answers[question.id].answered)),
    }


def _lookup(values: Mapping[tuple[str, str], float], name: str) -> Callable[[Question], float]:
    return lambda question: values.get((name, question.id), 0.0)


def checking(claims: Sequence[Claim], verdicts: Mapping[str, Sentence | Verification]) -> Table:
    """Whether claims were told apart: accuracy of the verdicts by kind, and area under the ROC curve of `support`."""
    if not claims:
        return {}
    right = _grouped(claims, lambda each: float((verdicts[each.id].verdict is Verdict.SUPPORTED) == each.supported))
    truth = [each.supported for each in claims]
    if len(set(truth)) < 2:
        return {"accuracy": right}  # there is nothing to tell apart
    area = roc_auc_score(truth, [verdicts[each.id].support for each in claims])
    return {"accuracy": right, "ROC AUC": {"all": float(area)}}


def _grouped(questions: Sequence[Asked], value: Callable[[Asked], float]) -> dict[str, float]:
    groups: dict[str, list[Asked]] = {"all": list(questions)}
    for question in questions:
        groups.setdefault(question.group, []).append(question)
    return {name: fmean(map(value, members)) for name, members in groups.items() if members}


def _cites_gold(question: Question, answer: Answer) -> bool:
    return any(citation.paper.id in question.papers for citation in answer.citations)


def _quotes_gold(question: Question, answer: Answer) -> bool:
    return any(gold in passage or passage in gold for gold in question.evidence for passage in _passages(answer))


def _passages(answer: Answer) -> Iterable[str]:
    return (passage.text for citation in answer.citations for passage in citation.passages)
