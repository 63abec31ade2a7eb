"""Measures of confidence and support, each computed from all questions or claims together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from eval.measures.answers import cites_relevant
from eval.runs.records import Record, split_by_type

Array: TypeAlias = NDArray[np.float64]

# The name of the table of these measures, beside those of the suites.
TRUST = "trust"
# Suites that say nothing about confidence: an answer there is right only if it uses several papers.
_EXCLUDED_SUITES = frozenset({"multi", "dialogs"})
_BINS = 10


@dataclass(frozen=True, slots=True)
class JointMeasure:
    """A measure of all questions together: `function` of the columns, which have one entry per question, by id."""

    function: Callable[..., float]
    columns: tuple[Array, ...]

    @property
    def value(self) -> float:
        """Compute the figure."""
        return self.function(*self.columns)


def support_measures(records: Sequence[Record]) -> dict[str, JointMeasure]:
    """Return the measures of the support of one suite's claims; none unless both labels occur."""
    _, claims = split_by_type(sorted(records, key=lambda record: record.id))
    labels = np.array([float(claim.supported) for claim in claims])
    if len(set(labels)) < 2:
        return {}
    return {"ROC AUC": JointMeasure(roc_auc, (labels, np.array([claim.support for claim in claims])))}


def trust_measures(records: Sequence[Record]) -> dict[str, JointMeasure]:
    """Return the measures of confidence; none unless answerable and unanswerable questions occur."""
    confidence, correct, answerable = confidences(records)
    if len(set(answerable)) < 2:
        return {}
    return {
        "area under risk-coverage": JointMeasure(area_under_risk_coverage, (confidence, correct)),
        "Brier score": JointMeasure(brier_score, (confidence, answerable)),
        "ROC AUC of confidence": JointMeasure(roc_auc, (answerable, confidence)),
    }


def confidences(records: Iterable[Record]) -> tuple[Array, Array, Array]:
    """Return three columns over the answers, by question id: confidence, cites a relevant paper, is answerable."""
    questions = [record for record in split_by_type(records)[0] if record.suite not in _EXCLUDED_SUITES]
    pairs = [(record, record.answer) for record in sorted(questions, key=lambda record: record.id) if record.answer]
    return (
        np.array([answer.confidence for _, answer in pairs]),
        np.array([cites_relevant(record, answer) for record, answer in pairs]),
        np.array([float(record.answerable) for record, _ in pairs]),
    )


def risk_coverage(confidence: Array, correct: Array) -> Array:
    """Return the share of wrong answers among the k most confident, for k = 1 to all; shape (questions,).

    Questions of equal confidence count as their mean, so that their order does not matter.
    """
    order = np.argsort(-confidence, kind="stable")
    _, tied = np.unique(confidence[order], return_inverse=True)
    mean = np.bincount(tied, weights=correct[order]) / np.bincount(tied)
    return 1.0 - np.cumsum(mean[tied]) / np.arange(1, len(correct) + 1)


def area_under_risk_coverage(confidence: Array, correct: Array) -> float:
    """Return the mean risk over all coverages; lower is better.

    Geifman and El-Yaniv 2017, "Selective classification for deep neural networks".
    """
    return float(risk_coverage(confidence, correct).mean())


def roc_auc(labels: Array, scores: Array) -> float:
    """Return the probability that a positive scores above a negative, ties counted half; NaN with one label alone."""
    ranks, positive = rankdata(scores), int(labels.sum())
    negative = len(labels) - positive
    if not positive or not negative:
        return float("nan")
    return float((ranks[labels > 0].sum() - positive * (positive + 1) / 2) / (positive * negative))


def brier_score(confidence: Array, labels: Array) -> float:
    """Return the mean squared difference between probabilities and labels; lower is better."""
    return float(np.mean((confidence - labels) ** 2))


def reliability(confidence: Array, labels: Array) -> list[tuple[float, float, int]]:
    """Return mean confidence, share of positives and number of questions of each non-empty tenth of the scale."""
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    members = (bins == number for number in range(_BINS))
    return [
        (float(confidence[rows].mean()), float(labels[rows].mean()), int(rows.sum())) for rows in members if rows.any()
    ]
