"""Fit the weights of the evidence model and of the answerability model on the dev split of a suite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from assistant.answering import answerability, evidence
from assistant.chat import Assistant
from assistant.errors import InputError
from assistant.question.understand import understand
from assistant.retrieval.alignment import Alignment
from assistant.retrieval.search import Found
from assistant.settings import Settings
from eval import corpora
from eval.suites import SEEDS, Question, beir, load
from eval.suites.selection import Suite

Figures = NDArray[np.float64]

# The weight of a question in the fit of the answerability model. Every answerable question is used once more with its
# papers hidden, as a near miss that costs nothing; the near misses that people wrote are few and harder.
_GROUP_WEIGHTS = {"hidden": 0.3, "near": 3.0}
# Folds of the cross-validation.
_FOLDS = 5
# The share of answerable questions that may be answered with a reservation.
_RESERVED_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Case:
    """A question and the result of its search."""

    question: Question
    search: Found

    @property
    def alignments(self) -> tuple[Alignment, ...]:
        """Return the alignments of the hits from which answerability is judged."""
        return self.search.alignments[: answerability.CONSIDERED]

    @property
    def answerable(self) -> bool:
        """Tell whether a paper that answers the question is among them."""
        return any(alignment.paper.id in self.question.papers for alignment in self.alignments)

    @property
    def group(self) -> str:
        """Return the group of the question."""
        return self.question.group


def calibrate(settings: Settings, source: Path | Suite | None = None) -> str:
    """Fit the weights; return them as the modules spell them, with cross-validated figures.

    `source` is a folder (see `eval.suites.beir`), a suite with its papers, or None for the suites over the seeds; only
    the dev split is used. Raises InputError for a source with too few questions.
    """
    assistant, answerable, unanswerable = _load(settings, source)
    cases = [case for question in _with_progress(answerable) for case in _with_and_without_papers(assistant, question)]
    cases += [_case(assistant, question) for question in _with_progress(unanswerable)]
    cases = [case for case in cases if case.alignments]
    if len({case.answerable for case in cases}) < 2 or len({case.question.id for case in cases}) < _FOLDS:
        name = source.name if isinstance(source, Suite) else str(source or SEEDS)
        raise InputError(name, f"needs {_FOLDS} or more questions, some with and some without a paper that is found")
    return "\n".join([*_fit_evidence(cases), *_fit_answerability(assistant, cases)])


def _load(settings: Settings, source: Path | Suite | None) -> tuple[Assistant, Sequence[Question], Sequence[Question]]:
    """Return an assistant over the papers, the answerable and the unanswerable questions."""
    if source is None:
        assistant = corpora.over_seeds(settings)
        return assistant, load(SEEDS / "single.jsonl", "dev"), load(SEEDS / "unanswerable.jsonl", "dev")
    suite = source if isinstance(source, Suite) else _suite(source)
    questions = [item for item in suite.items if isinstance(item, Question)]
    answerable = [question for question in questions if question.papers]
    unanswerable = [question for question in questions if not question.papers]
    return corpora.over_papers(suite.library, suite.papers or (), settings), answerable, unanswerable


def _suite(folder: Path) -> Suite:
    collection = beir.read(folder, "dev")
    return Suite(folder.name, collection.questions, folder.name, collection.papers)


def _with_and_without_papers(assistant: Assistant, question: Question) -> list[Case]:
    """Return the case of the question, and that of the question with the papers that answer it hidden."""
    case = _case(assistant, question)
    remaining = [rank for rank, hit in enumerate(case.search.hits) if hit.paper.id not in question.papers]
    search = replace(
        case.search,
        hits=tuple(case.search.hits[rank] for rank in remaining),
        alignments=tuple(case.search.alignments[rank] for rank in remaining),
    )
    return [case, Case(replace(question, papers=frozenset(), group="hidden"), search)]


def _case(assistant: Assistant, question: Question) -> Case:
    return Case(question, assistant.find(understand(question.text), assistant.library.fresh()))


def _fit_evidence(cases: Sequence[Case]) -> list[str]:
    """Fit the weights of sentences as evidence, on questions whose evidence sentences are known."""
    labelled = [case for case in cases if case.answerable and case.question.evidence]
    if len(labelled) < _FOLDS:
        return ["assistant/answering/evidence.py: the suite has no evidence sentences, so nothing is fitted"]
    rows, labels, groups = _sentence_features(labelled)
    # The scores of papers lie close together; without scaling, the penalty would hold their weight down most.
    model = make_pipeline(StandardScaler(with_mean=False), LogisticRegression(C=0.3, max_iter=1000))
    scores = cross_val_predict(model, rows, labels, groups=groups, cv=GroupKFold(_FOLDS), method="decision_function")
    quoted = [np.mean([labels[best].any() for best in _best_rows(scores, groups, count)]) for count in (1, 3, 5)]
    scaler, fitted = model.fit(rows, labels)
    return [
        "assistant/answering/evidence.py",
        *_format_weights(evidence.EvidenceFeatures, fitted, scaler.scale_),
        f"  cross-validated, {len(labelled)} questions with a relevant paper in the top {answerability.CONSIDERED}: "
        "an evidence sentence is among the best 1, 3, 5 for {:.3f}, {:.3f}, {:.3f}".format(*quoted),
    ]


def _sentence_features(cases: Sequence[Case]) -> tuple[Figures, NDArray[np.bool_], NDArray[np.int_]]:
    """Return the features of every sentence, whether it is evidence, and the number of its question."""
    sentences = [
        (astuple(features), _is_evidence(case.question, passage.text), number)
        for number, case in enumerate(cases)
        for hit, alignment in zip(case.search.hits, case.alignments, strict=False)
        for passage, features in zip(
            alignment.passages,
            evidence.features(case.search.query, alignment, hit.score - case.search.hits[0].score),
            strict=True,
        )
    ]
    rows, labels, groups = zip(*sentences, strict=True)
    return np.array(rows), np.array(labels), np.array(groups)


def _is_evidence(question: Question, sentence: str) -> bool:
    return any(gold in sentence or sentence in gold for gold in question.evidence)


def _best_rows(scores: Figures, groups: NDArray[np.int_], count: int) -> list[NDArray[np.int_]]:
    """Return the rows of the best `count` scores of each group."""
    members = (np.flatnonzero(groups == group) for group in np.unique(groups))
    return [rows[np.argsort(-scores[rows])[:count]] for rows in members]


def _fit_answerability(assistant: Assistant, cases: Sequence[Case]) -> list[str]:
    """Fit the weights of answerability, and the confidence threshold of firm answers."""
    rows, labels = _answerability_features(assistant, cases), np.array([case.answerable for case in cases])
    weights = np.array([_GROUP_WEIGHTS.get(case.group, 1.0) for case in cases])
    model = LogisticRegression(C=10.0, max_iter=1000)
    # A question and its copy with hidden papers belong to the same fold.
    _, groups = np.unique([case.question.id for case in cases], return_inverse=True)
    confidence = cross_val_predict(
        model,
        rows,
        labels,
        groups=groups,
        cv=GroupKFold(_FOLDS),
        params={"sample_weight": weights},
        method="predict_proba",
    )[:, 1]
    threshold = float(np.quantile(confidence[labels], _RESERVED_SHARE))
    model.fit(rows, labels, sample_weight=weights)
    return [
        "assistant/answering/answerability.py",
        *_format_weights(answerability.AnswerabilityFeatures, model),
        f"  cross-validated: {1 - _RESERVED_SHARE:.0%} of the answerable questions reach a confidence of "
        f"{threshold:.3f}; below it are " + _shares_below(confidence, threshold, cases),
    ]


def _answerability_features(assistant: Assistant, cases: Sequence[Case]) -> Figures:
    lexicon = assistant.library.lexicon
    features = [
        answerability.features(case.search.query, case.search.terms, case.alignments, lexicon) for case in cases
    ]
    return np.array([astuple(row) for row in features])


def _shares_below(confidence: Figures, threshold: float, cases: Sequence[Case]) -> str:
    """Format the share of each group of unanswerable cases below the threshold."""
    groups = np.array(["not found" if case.question.papers else case.group for case in cases])
    unanswerable = np.array([not case.answerable for case in cases])
    shares = {
        group: float(np.mean(confidence[unanswerable & (groups == group)] < threshold))
        for group in sorted(set(groups[unanswerable]))
    }
    return ", ".join(f"{group} {share:.2f}" for group, share in shares.items())


def _format_weights(kind: type[Any], model: Any, scale: Figures | float = 1.0) -> list[str]:
    """Format a fitted model as the module of its features spells it; `kind` is the class of the features."""
    values = zip(fields(kind), model.coef_[0] / scale, strict=True)
    weights = ", ".join(f"{field.name}={value:.2f}" for field, value in values)
    return [f"  WEIGHTS = {kind.__name__}({weights})", f"  BIAS = {model.intercept_[0]:.2f}"]


def _with_progress(questions: Sequence[Question]) -> Any:
    """Iterate over the questions and show a progress bar on a terminal."""
    return track(questions, "Asking", console=Console(stderr=True), transient=True)
