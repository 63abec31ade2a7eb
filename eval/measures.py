"""Figures from records. Ranking measures are ir-measures'; a question without results, or one that failed, scores zero.

A measure is a mean over questions, so each has a value for every question that it applies to (`values`); a few are
made from all questions together (`joint`). Figures are 0..1 unless their name has a unit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TypeAlias, TypeVar

import ir_measures
import numpy as np
from ir_measures import RR, R, nDCG
from numpy.typing import NDArray
from scipy.stats import rankdata

from assistant import citations
from assistant.schema import Strength, Verdict
from eval.records import Asked, Checked, Record, Reply

# Rows are measures, columns groups of questions, `all` first.
Table: TypeAlias = dict[str, dict[str, float]]
# A measure's value for each question by its id.
Values: TypeAlias = dict[str, dict[str, float]]
Array: TypeAlias = NDArray[np.float64]
Kind = TypeVar("Kind", Asked, Checked)

RANKING = (R @ 1, R @ 5, R @ 10, nDCG @ 10, RR @ 10)
# Suites that do not say how far confidence can be trusted: it takes more than one paper to be right there.
_APART = frozenset({"multi", "dialogs"})
TRUST = "trust"
LOWER_IS_BETTER = frozenset({"area under risk-coverage", "Brier score"})
_STAGES = 0.5, 0.95
_BINS = 10


def figures(records: Sequence[Record]) -> dict[str, Table]:
    """The tables by suite; where questions with and without an answer were asked, `trust` is of both together."""
    tables = {suite: _table(own) for suite, own in by_suite(records).items()}
    tables[TRUST] = _of_all(trust(records))
    return {suite: table for suite, table in tables.items() if table}


def by_suite(records: Iterable[Record]) -> dict[str, list[Record]]:
    """The records of each suite."""
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(record.suite, []).append(record)
    return found


def values(records: Sequence[Record]) -> Values:
    """Of each measure that is a mean, the value for each record that it applies to."""
    asked, checked = split(records)
    found = ranking([record for record in asked if record.answerable])
    found |= _applied(_MEASURES, asked)
    return found | _applied(_OF_CLAIMS, checked)


def split(records: Iterable[Record]) -> tuple[list[Asked], list[Checked]]:
    """Questions and claims."""
    both = list(records)
    return [each for each in both if isinstance(each, Asked)], [each for each in both if isinstance(each, Checked)]


def ranking(records: Sequence[Asked]) -> Values:
    """Recall, nDCG and reciprocal rank of the papers found for each question."""
    if not records:
        return {}
    judgements = [ir_measures.Qrel(record.id, paper, 1) for record in records for paper in record.papers]
    results = [
        # Places, not scores: ties must not be broken anew by the measure.
        ir_measures.ScoredDoc(record.id, found.id, -float(place))
        for record in records
        for place, found in enumerate(record.found)
    ]
    found: Values = {str(measure): dict.fromkeys((record.id for record in records), 0.0) for measure in RANKING}
    for metric in ir_measures.iter_calc(RANKING, judgements, results):
        found[str(metric.measure)][metric.query_id] = metric.value
    return found


def _replied(of: Callable[[Asked, Reply], float | None], answerable: bool) -> Callable[[Asked], float | None]:
    """A measure of the replies to questions that have an answer, or that have none."""

    def value(record: Asked) -> float | None:
        if record.only_search or record.answerable is not answerable:
            return None
        return of(record, record.reply) if record.reply else 0.0

    return value


def _if(applies: Callable[[Asked], bool], measure: Callable[[Asked], float | None]) -> Callable[[Asked], float | None]:
    """The measure of the questions to which it applies, even if they failed."""
    return lambda record: measure(record) if applies(record) else None


def _answered(of: Callable[[Asked, Reply], float | None]) -> Callable[[Asked], float | None]:
    """A measure of answers to questions that have one; it does not apply to abstentions."""
    return _replied(lambda record, reply: of(record, reply) if reply.answered else None, True)


def _cites_gold(record: Asked, reply: Reply) -> float:
    return float(any(cited.id in record.papers for cited in reply.cited))


def _has_evidence(record: Asked) -> bool:
    return bool(record.evidence)


def _evidence_recall(record: Asked, reply: Reply) -> float:
    return fmean(any(_same(gold, each) for each in _passages(reply)) for gold in record.evidence)


def _evidence_precision(record: Asked, reply: Reply) -> float | None:
    passages = _passages(reply)
    if not passages:
        return None
    return fmean(any(_same(gold, each) for gold in record.evidence) for each in passages)


def _quotes_gold(record: Asked, reply: Reply) -> float:
    return float(_evidence_recall(record, reply) > 0)


def _citation_recall(record: Asked, reply: Reply) -> float | None:
    """The share of sentences that cite a relevant paper."""
    if not reply.sentences:
        return None
    return fmean(any(_is_gold(number, record, reply) for number in each.citations) for each in reply.sentences)


def _citation_precision(record: Asked, reply: Reply) -> float | None:
    """The share of citations that are of a relevant paper."""
    numbers = [number for each in reply.sentences for number in each.citations]
    return fmean(_is_gold(number, record, reply) for number in numbers) if numbers else None


def _supported(_: Asked, reply: Reply) -> float | None:
    stated = [each for each in reply.sentences if each.verdict is not Verdict.REMARK]
    return fmean(each.verdict is Verdict.SUPPORTED for each in stated) if stated else None


def _numbers_valid(record: Asked) -> float | None:
    """Whether every number in the text and behind each sentence stands for a paper."""
    if record.reply is None or not record.reply.answered:
        return None
    used = {number for each in record.reply.sentences for number in each.citations}
    used |= set(citations.numbers(record.reply.text))
    return float(used <= set(range(1, len(record.reply.cited) + 1)))


def _judged(record: Asked) -> float | None:
    given = [vote for vote in record.votes if vote is not None]
    return fmean(given) if given else None


def _is_gold(number: int, record: Asked, reply: Reply) -> bool:
    return 1 <= number <= len(reply.cited) and reply.cited[number - 1].id in record.papers


def _passages(reply: Reply) -> list[str]:
    return [passage for cited in reply.cited for passage in cited.passages]


def _same(gold: str, passage: str) -> bool:
    """Whether one is the other or a part of it: sentences may be cut differently."""
    one, other = " ".join(gold.split()), " ".join(passage.split())
    return bool(one and other) and (one in other or other in one)


_FIRM = _replied(lambda _, reply: float(reply.strength is Strength.FIRM), True)
_MEASURES: dict[str, Callable[[Asked], float | None]] = {
    "answered": _replied(lambda _, reply: float(reply.answered), True),
    "firm": _FIRM,
    "firm, gold paper in top 5": _if(lambda record: _in_top(record, 5), _FIRM),
    "gold paper cited": _replied(_cites_gold, True),
    "gold sentence quoted": _if(_has_evidence, _replied(_quotes_gold, True)),
    "evidence recall": _if(_has_evidence, _replied(_evidence_recall, True)),
    "evidence precision": _if(_has_evidence, _answered(_evidence_precision)),
    "citation recall": _answered(_citation_recall),
    "citation precision": _answered(_citation_precision),
    "sentences supported": _answered(_supported),
    "not answered firmly": _replied(lambda _, reply: float(reply.strength is not Strength.FIRM), False),
    "refused": _replied(lambda _, reply: float(not reply.answered), False),
    "citation numbers valid": _numbers_valid,
    "judge's score": _judged,
}


def _in_top(record: Asked, limit: int) -> bool:
    return any(found.id in record.papers for found in record.found[:limit])


def _shown(claim: Checked, passages: Sequence[str]) -> float | None:
    """Whether one of the passages is a sentence that tells whether the claim is true, where those are known."""
    if not claim.evidence:
        return None
    return float(any(_same(gold, passage) for gold in claim.evidence for passage in passages))


_OF_CLAIMS: dict[str, Callable[[Checked], float | None]] = {
    "accuracy": lambda each: float(each.verdict is not None and (each.verdict is Verdict.SUPPORTED) == each.supported),
    "gold sentence behind it": lambda each: _shown(each, (each.passage,)),
    "gold sentence in top 3": lambda each: _shown(each, each.nearest),
}


def _applied(measures: Mapping[str, Callable[[Kind], float | None]], records: Sequence[Kind]) -> Values:
    found = {
        name: {each.id: value for each in records if (value := measure(each)) is not None}
        for name, measure in measures.items()
    }
    return {name: own for name, own in found.items() if own}


def _table(records: Sequence[Record]) -> Table:
    groups = {record.id: _groups(record) for record in records}
    if len({record.split for record in records}) < 2:
        groups = {name: own[1:] for name, own in groups.items()}  # the split is that of all
    return {name: _grouped(own, groups) for name, own in values(records).items()} | _of_all(joint(records))


def _of_all(found: Mapping[str, Joint]) -> Table:
    return {name: {"all": each.value} for name, each in found.items()}


def _groups(record: Record) -> tuple[str, ...]:
    """The split, then the difficulty or kind, unless that is the same for all."""
    return (record.split, record.group) if record.group not in ("all", record.suite) else (record.split,)


def _grouped(own: Mapping[str, float], groups: Mapping[str, Sequence[str]]) -> dict[str, float]:
    members: dict[str, list[float]] = {"all": list(own.values())}
    for place in range(2):  # the splits stand before the other groups
        for name, value in own.items():
            for group in groups[name][place : place + 1]:
                members.setdefault(group, []).append(value)
    return {name: fmean(each) for name, each in members.items()}


@dataclass(frozen=True, slots=True)
class Joint:
    """A measure of all questions together: `of` the columns, each with an entry for every question in order of ids."""

    of: Callable[..., float]
    columns: tuple[Array, ...]

    @property
    def value(self) -> float:
        """The figure."""
        return self.of(*self.columns)


def joint(records: Sequence[Record]) -> dict[str, Joint]:
    """The measures that are no means, of one suite's records."""
    _, checked = split(sorted(records, key=lambda record: record.id))
    truth = np.array([float(each.supported) for each in checked])
    if len(set(truth)) < 2:
        return {}  # there is nothing to tell apart
    return {"ROC AUC": Joint(roc_auc, (truth, np.array([each.support for each in checked])))}


def trust(records: Sequence[Record]) -> dict[str, Joint]:
    """How far confidence can be trusted, of all suites together in which one paper makes an answer right."""
    confidence, right, answerable = confidences(records)
    if len(set(answerable)) < 2:
        return {}
    return {
        "area under risk-coverage": Joint(area_under_risk_coverage, (confidence, right)),
        "Brier score": Joint(brier, (confidence, answerable)),
        "ROC AUC of confidence": Joint(roc_auc, (answerable, confidence)),
    }


def confidences(records: Iterable[Record]) -> tuple[Array, Array, Array]:
    """Of each reply to a question its confidence, whether it cites a relevant paper, and whether there is an answer."""
    asked = sorted((each for each in split(records)[0] if each.suite not in _APART), key=lambda each: each.id)
    replies = [(record, record.reply) for record in asked if record.reply]
    return (
        np.array([reply.confidence for _, reply in replies]),
        np.array([_cites_gold(record, reply) for record, reply in replies]),
        np.array([float(record.answerable) for record, _ in replies]),
    )


def risk_coverage(confidence: Array, right: Array) -> Array:
    """The share of wrong answers among the k most confident, for k = 1 to all; shape (questions,).

    Questions of equal confidence count as the mean of them, so that their order does not matter.
    """
    order = np.argsort(-confidence, kind="stable")
    _, tied = np.unique(confidence[order], return_inverse=True)
    mean = np.bincount(tied, weights=right[order]) / np.bincount(tied)
    return 1.0 - np.cumsum(mean[tied]) / np.arange(1, len(right) + 1)


def area_under_risk_coverage(confidence: Array, right: Array) -> float:
    """The mean of the risk over all coverages: 0 where every wrong answer comes last and few are.

    Geifman and El-Yaniv 2017, "Selective classification for deep neural networks".
    """
    return float(risk_coverage(confidence, right).mean())


def roc_auc(truth: Array, score: Array) -> float:
    """The probability that something true scores above something false, ties counted half; NaN with one kind alone."""
    ranks, positive = rankdata(score), int(truth.sum())
    negative = len(truth) - positive
    if not positive or not negative:
        return float("nan")
    return float((ranks[truth > 0].sum() - positive * (positive + 1) / 2) / (positive * negative))


def brier(confidence: Array, truth: Array) -> float:
    """The mean squared difference between a probability and what came true: lower is better."""
    return float(np.mean((confidence - truth) ** 2))


def reliability(confidence: Array, truth: Array) -> list[tuple[float, float, int]]:
    """Mean confidence, share true and number of questions in each tenth of the scale that has any."""
    place = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    bins = (place == each for each in range(_BINS))
    return [(float(confidence[own].mean()), float(truth[own].mean()), int(own.sum())) for own in bins if own.any()]


def cost(records: Sequence[Record]) -> dict[str, dict[str, float]]:
    """For each stage the median, the 95th percentile and the most of its milliseconds; tokens a question, if any."""
    stages: dict[str, list[float]] = {}
    for record in records:
        for stage, took in record.timings.items():
            stages.setdefault(stage, []).append(took)
    return {stage: _spread(took) for stage, took in stages.items()}


def tokens(records: Iterable[Record]) -> tuple[int, int] | None:
    """Tokens that a language model read and wrote in all; None where there was none."""
    counted = [each.reply for each in split(records)[0] if each.reply and each.reply.tokens_in is not None]
    if not counted:
        return None
    return sum(reply.tokens_in or 0 for reply in counted), sum(reply.tokens_out or 0 for reply in counted)


def money(counted: tuple[int, int], prices: tuple[float, float]) -> float:
    """What tokens read and written cost at prices for a million of each."""
    return sum(count * price for count, price in zip(counted, prices, strict=True)) / 1e6


def _spread(took: Sequence[float]) -> dict[str, float]:
    median, high = np.quantile(took, _STAGES)
    return {"p50": float(median), "p95": float(high), "max": max(took)}
