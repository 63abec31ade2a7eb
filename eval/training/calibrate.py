"""Fit the weights of answerability and of the choice of sentences on the dev split of suites.

Two logistic models make a confidence: whether the library covers the topic of the question, fitted on questions from
other fields, and whether it answers a question on a topic that it covers, fitted on near misses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from assistant.answering import answerability, evidence
from assistant.answering.calibration import PACKAGED, AnswerabilityFeatures, Calibration, EvidenceFeatures
from assistant.errors import InputError
from assistant.logistic import LogisticModel
from assistant.settings import Settings
from eval.suites.selection import Suite
from eval.training.cases import OFF_TOPIC, Case, default_cases, suite_cases

Numbers = NDArray[np.float64]
Answerability: TypeAlias = LogisticModel[AnswerabilityFeatures]
_FeaturesT = TypeVar("_FeaturesT")

# The features of each model.
_TOPIC, _ANSWER = ("similarity",), ("answers", "met", "weakest", "missing_names", "behind")
_FOLDS = 5
# The share of answerable questions that may be answered with a reservation.
_RESERVED_SHARE = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class _Data:
    """Cases with their features, the weight of each, and a number for all cases of one paper or question."""

    cases: Sequence[Case]
    rows: Numbers
    weights: Numbers
    groups: NDArray[np.int_]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A calibration with its cross-validated figures, line by line."""

    calibration: Calibration
    figures: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([*spelled(self.calibration), *self.figures])


def calibrate(settings: Settings, source: Path | Suite | None = None) -> Fitted:
    """Fit a calibration; what the source has no questions for stays as in the package.

    `source` is a folder (see `eval.suites.beir`), a suite with its papers, or None for the suites over the seeds and
    over the annotated abstracts; only the dev split is used. Raises InputError for a source with too few questions.
    """
    cases = default_cases(settings) if source is None else suite_cases(settings, source)
    if len({case.answerable for case in cases}) < 2 or len({case.question.id for case in cases}) < _FOLDS:
        name = source.name if isinstance(source, Suite) else str(source or "the suites")
        raise InputError(name, f"needs {_FOLDS} or more questions, some with and some without a paper that is found")
    evidence_model, of_evidence = _fit_evidence(cases)
    topic, answer, of_answers = _fit_answerability(cases)
    return Fitted(Calibration(topic, answer, evidence_model), (*of_evidence, *of_answers))


def spelled(calibration: Calibration) -> list[str]:
    """Return the models as `assistant.answering.calibration` spells them."""
    return [
        "assistant/answering/calibration.py",
        *(f"  {name}={getattr(calibration, name)}" for name in ("topic", "answer", "evidence")),
    ]


def _fit_answerability(cases: Sequence[Case]) -> tuple[Answerability, Answerability, list[str]]:
    """Fit both models of answerability; return them with the shares of each group that they refuse."""
    data = _data(cases)
    is_off_topic = np.array([case.question.group in OFF_TOPIC for case in cases])
    answerable = np.array([case.answerable for case in cases])
    topic, confidence = PACKAGED.topic, np.ones(len(cases))
    if is_off_topic.any():
        confidence, model = _fit(data, _TOPIC, ~is_off_topic, np.ones(len(cases), dtype=bool))
        topic = _rounded(model, AnswerabilityFeatures, _TOPIC)
    answers, model = _fit(data, _ANSWER, answerable, ~is_off_topic)
    return topic, _rounded(model, AnswerabilityFeatures, _ANSWER), _shares_below(confidence * answers, cases)


def _data(cases: Sequence[Case]) -> _Data:
    """Return the cases with their features; each group of questions has the same weight."""
    keys = [case.group for case in cases]
    weights = np.array([len(cases) / keys.count(key) for key in keys])
    _, groups = np.unique(
        [min(case.question.papers, default=case.question.text) for case in cases], return_inverse=True
    )
    rows = np.array([astuple(answerability.features(case.search)) for case in cases])
    return _Data(cases, rows, weights / weights.mean(), groups)


def _fit(data: _Data, names: Sequence[str], labels: NDArray[np.bool_], rows: NDArray[np.bool_]) -> tuple[Numbers, Any]:
    """Fit a logistic model on some rows; return its cross-validated probabilities for all, and the model."""
    columns = [field.name in names for field in fields(AnswerabilityFeatures)]
    features = data.rows[:, columns]
    scale = features.std(axis=0) + 1e-9
    model = LogisticRegression(C=10.0, max_iter=5000)
    probabilities = np.zeros(len(features))
    for train, test in GroupKFold(_FOLDS).split(features, groups=data.groups):
        chosen = train[rows[train]]
        model.fit(features[chosen] / scale, labels[chosen], sample_weight=data.weights[chosen])
        probabilities[test] = model.predict_proba(features[test] / scale)[:, 1]
    model.fit(features[rows] / scale, labels[rows], sample_weight=data.weights[rows])
    model.coef_ /= scale
    return probabilities, model


def _rounded(model: Any, kind: type[_FeaturesT], names: Sequence[str]) -> LogisticModel[_FeaturesT]:
    """Return a fitted model over some of the features, rounded as the package spells it."""
    values = dict.fromkeys((field.name for field in fields(kind)), 0.0)  # type: ignore[arg-type]
    values |= {name: round(float(weight), 2) for name, weight in zip(names, model.coef_[0], strict=True)}
    return LogisticModel(round(float(model.intercept_[0]), 2), kind(**values))


def _shares_below(confidence: Numbers, cases: Sequence[Case]) -> list[str]:
    """Format, for each library, the threshold that spares most answerable questions, and the shares below it."""
    lines = []
    keys = [case.group for case in cases]
    for library in sorted({library for library, _ in keys}):
        of_group = {
            group: confidence[[key == (library, group) for key in keys]]
            for group in sorted({group for key, group in keys if key == library})
        }
        threshold = float(np.quantile(of_group.get("answered", np.zeros(1)), _RESERVED_SHARE))
        shares = ", ".join(f"{group} {np.mean(values < threshold):.2f}" for group, values in of_group.items())
        lines.append(f"  {library}, cross-validated, below {threshold:.3f}: {shares}")
    return lines


def _fit_evidence(cases: Sequence[Case]) -> tuple[LogisticModel[EvidenceFeatures], list[str]]:
    """Fit the weights of sentences as evidence, on questions whose evidence sentences are known."""
    labelled = [case for case in cases if case.answerable and case.question.evidence]
    if len(labelled) < _FOLDS:
        return PACKAGED.evidence, ["  evidence: the suite has no evidence sentences, so nothing is fitted"]
    rows, labels, numbers = _sentence_rows(labelled)
    logistic, scores = _fit_rows(labelled, rows, labels, numbers, penalty=0.3)
    figures = [_share_among_best(scores, labels, numbers, count) for count in (1, 3, 5)]
    names = [field.name for field in fields(EvidenceFeatures)]
    return _rounded(logistic, EvidenceFeatures, names), [
        f"  evidence, cross-validated, {len(labelled)} questions with a relevant paper among those read: an evidence "
        "sentence is among the best 1, 3, 5 for {:.3f}, {:.3f}, {:.3f}".format(*figures)
    ]


def _fit_rows(
    cases: Sequence[Case], rows: Numbers, labels: NDArray[np.bool_], numbers: NDArray[np.int_], penalty: float
) -> tuple[Any, Numbers]:
    """Return a logistic model of rows that belong to the cases of these numbers, and their cross-validated scores.

    Libraries have the same weight; `penalty` is the inverse strength of the regularization.
    """
    libraries = [case.library for case in cases]
    weights = np.array([len(cases) / libraries.count(library) for library in libraries])[numbers]
    # The scores of papers lie close together; without scaling, the penalty would hold their weight down most.
    model = make_pipeline(StandardScaler(with_mean=False), LogisticRegression(C=penalty, max_iter=3000))
    fitted = {"logisticregression__sample_weight": weights / weights.mean()}
    papers = np.unique([min(case.question.papers) for case in cases], return_inverse=True)[1]
    scores = cross_val_predict(
        model, rows, labels, groups=papers[numbers], cv=GroupKFold(_FOLDS), params=fitted, method="decision_function"
    )
    scaler, logistic = model.fit(rows, labels, **fitted)
    logistic.coef_ /= scaler.scale_
    return logistic, scores


def _sentence_rows(cases: Sequence[Case]) -> tuple[Numbers, NDArray[np.bool_], NDArray[np.int_]]:
    """Return the features of every sentence, whether it is evidence, and the number of its case."""
    sentences = [
        (astuple(features), hit.paper.id in case.question.papers and _is_evidence(case, passage.text), number)
        for number, case in enumerate(cases)
        for hit, aligned, reading in zip(case.search.hits, case.search.alignments, case.search.readings, strict=False)
        for passage, features in evidence.features(aligned, reading, hit.score - case.search.hits[0].score)
    ]
    rows, labels, numbers = zip(*sentences, strict=True)
    return np.array(rows), np.array(labels), np.array(numbers)


def _is_evidence(case: Case, sentence: str) -> bool:
    return any(gold in sentence or sentence in gold for gold in case.question.evidence)


def _share_among_best(scores: Numbers, labels: NDArray[np.bool_], numbers: NDArray[np.int_], count: int) -> float:
    """Return the share of cases with a labelled row among the best of their rows."""
    members = (np.flatnonzero(numbers == number) for number in np.unique(numbers))
    return float(np.mean([labels[rows[np.argsort(-scores[rows])[:count]]].any() for rows in members]))
