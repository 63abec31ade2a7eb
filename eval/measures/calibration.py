"""Measures of confidence and support, each computed from all questions or claims together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from eval.measures.answers import cites_relevant
from eval.runs.answer_records import AnswerRecord
from eval.runs.records import ClaimRecord, QuestionRecord, Record, of_type
from eval.suites import ANNOTATED

Array: TypeAlias = NDArray[np.float64]

# The name of the table of these measures, beside those of the suites.
TRUST = "trust"
# Suites that say nothing about confidence: an answer there is right only if it uses several papers.
_EXCLUDED_SUITES = frozenset({"multi", "dialogs"})
_BINS = 10
# The share of answerable questions that may be refused for the figure of unanswerable ones.
_FALSE_REFUSALS = 0.05
# The claims that each area under the ROC curve compares, where claims have a label and a wording.
_SUPPORT_STRATA: dict[str, Callable[[ClaimRecord], bool]] = {
    "ROC AUC, close": lambda claim: claim.wording == "close",
    "ROC AUC, paraphrased": lambda claim: claim.wording == "paraphrased",
    "ROC AUC, true paraphrase / close lie": lambda claim: (
        (claim.label, claim.wording) in {("supported", "paraphrased"), ("contradicted", "close")}
    ),
    "ROC AUC, supported / contradicted": lambda claim: claim.label in ("supported", "contradicted"),
}


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
    """Return the measures of the support of one suite's claims, over all and by stratum; those with both labels."""
    claims = sorted(of_type(records, ClaimRecord), key=lambda claim: claim.id)
    columns = {"ROC AUC": _support_columns(claims)}
    if any(claim.label for claim in claims):
        columns |= {
            name: _support_columns([claim for claim in claims if includes(claim)])
            for name, includes in _SUPPORT_STRATA.items()
        }
    if all(claim.contradiction is not None for claim in claims):
        columns["ROC AUC of contradiction"] = _contradiction_columns(claims)
    return {name: JointMeasure(roc_auc, pair) for name, pair in columns.items() if len(set(pair[0])) == 2}


def trust_families(records: Iterable[Record]) -> dict[str, list[QuestionRecord]]:
    """Return the questions by the name of their table of trust: those over the annotated abstracts have their own.

    Questions with an expected form have none: of some, no paper says whether they are answerable.
    """
    families: dict[str, list[QuestionRecord]] = {}
    for record in of_type(records, QuestionRecord):
        if record.expectation:
            continue
        name = f"{ANNOTATED}-{TRUST}" if record.suite.startswith(f"{ANNOTATED}-") else TRUST
        families.setdefault(name, []).append(record)
    return families


def trust_measures(records: Sequence[Record]) -> dict[str, JointMeasure]:
    """Return the measures of confidence; none unless answerable and unanswerable questions occur."""
    confidence, correct, answerable = confidences(records)
    if len(set(answerable)) < 2:
        return {}
    return {
        "area under risk-coverage": JointMeasure(area_under_risk_coverage, (confidence, correct)),
        "Brier score": JointMeasure(brier_score, (confidence, answerable)),
        "ROC AUC of confidence": JointMeasure(roc_auc, (answerable, confidence)),
        "rejected at 5 % false refusals": JointMeasure(rejected_at_false_refusals, (answerable, confidence)),
    }


def style_auc(records: Iterable[Record]) -> float | None:
    """Return the ROC AUC that the wording of the questions alone gives; None where it was not scored for all."""
    pairs = _answered(records)
    styles = [record.style for record, _ in pairs if record.style is not None]
    if not pairs or len(styles) < len(pairs):
        return None
    return roc_auc(np.array([float(record.answerable) for record, _ in pairs]), np.array(styles))


def confidences(records: Iterable[Record]) -> tuple[Array, Array, Array]:
    """Return three columns over the answers, by question id: confidence, cites a relevant paper, is answerable."""
    pairs = _answered(records)
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


def rejected_at_false_refusals(answerable: Array, confidence: Array) -> float:
    """Return the share of unanswerable questions below the threshold under which 5 % of the answerable ones are.

    The threshold is that of these very questions, so the figure compares models and promises nothing of new questions.
    """
    reached = np.sort(confidence[answerable > 0])
    if not len(reached) or len(reached) == len(answerable):
        return float("nan")
    threshold = reached[int(_FALSE_REFUSALS * len(reached))]
    return float(np.mean(confidence[answerable == 0] < threshold))


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


def _answered(records: Iterable[Record]) -> list[tuple[QuestionRecord, AnswerRecord]]:
    """Return the questions that say something about confidence with their answers, by id."""
    questions = [record for record in of_type(records, QuestionRecord) if record.suite not in _EXCLUDED_SUITES]
    return [(record, record.answer) for record in sorted(questions, key=lambda record: record.id) if record.answer]


def _support_columns(claims: Sequence[ClaimRecord]) -> tuple[Array, Array]:
    """Return whether each claim is supported, and its support."""
    return np.array([float(claim.supported) for claim in claims]), np.array([claim.support for claim in claims])


def _contradiction_columns(claims: Sequence[ClaimRecord]) -> tuple[Array, Array]:
    """Return whether each claim is contradicted, and its contradiction."""
    labels = np.array([float(claim.label == "contradicted") for claim in claims])
    return labels, np.array([claim.contradiction or 0.0 for claim in claims])
