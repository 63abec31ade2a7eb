"""Fit the weights of the evidence model and of the answerability model on the dev half of a suite."""

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
from eval.suites.selection import Exam

Figures = NDArray[np.float64]

# What a question weighs in the fit of the gate. A question whose paper is hidden from it is a near miss that costs
# nothing, and there is one for each question; those that were written as near misses are few and harder.
_WEIGHT = {"hidden": 0.3, "near": 3.0}
# Parts that are held out in turn.
_FOLDS = 5
# The share of answerable questions that may be answered with a reservation.
_RESERVED = 0.05


@dataclass(frozen=True, slots=True)
class Case:
    """A question with what a search found for it."""

    question: Question
    search: Found

    @property
    def alignments(self) -> tuple[Alignment, ...]:
        """Return the alignments with the hits that decide."""
        return self.search.alignments[: answerability.CONSIDERED]

    @property
    def answerable(self) -> bool:
        """Return whether a paper that answers is among them."""
        return any(aligned.paper.id in self.question.papers for aligned in self.alignments)

    @property
    def group(self) -> str:
        """Return the group of the question."""
        return self.question.group


def calibrate(settings: Settings, on: Path | Exam | None = None) -> str:
    """The fitted weights, as they stand in the modules, and what they give on questions held out of the fit.

    Fitted on the dev half of a folder (see `eval.suites.beir`), on an exam that brings its papers, or on that of
    the seeds' suites. Raises InputError where there is nothing to fit.
    """
    assistant, answerable, unanswerable = _asked(settings, on)
    cases = [each for question in _shown(answerable) for each in _with_and_without(assistant, question)]
    cases += [_case(assistant, question) for question in _shown(unanswerable)]
    cases = [case for case in cases if case.alignments]
    if len({case.answerable for case in cases}) < 2 or len({case.question.id for case in cases}) < _FOLDS:
        name = on.name if isinstance(on, Exam) else str(on or SEEDS)
        raise InputError(name, f"needs {_FOLDS} questions or more, some whose paper is found and others")
    return "\n".join([*_sentences(cases), *_gate(assistant, cases)])


def _asked(settings: Settings, on: Path | Exam | None) -> tuple[Assistant, Sequence[Question], Sequence[Question]]:
    """The assistant, questions with papers that answer them, and questions without."""
    if on is None:
        assistant = corpora.over_seeds(settings)
        return assistant, load(SEEDS / "single.jsonl", "dev"), load(SEEDS / "unanswerable.jsonl", "dev")
    exam = on if isinstance(on, Exam) else _exam(on)
    questions = [item for item in exam.items if isinstance(item, Question)]
    answerable, unanswerable = ([each for each in questions if bool(each.papers) is wanted] for wanted in (True, False))
    return corpora.over_papers(exam.library, exam.papers or (), settings), answerable, unanswerable


def _exam(folder: Path) -> Exam:
    found = beir.read(folder, "dev")
    return Exam(folder.name, found.questions, folder.name, found.papers)


def _with_and_without(assistant: Assistant, question: Question) -> list[Case]:
    """Return the question as it is, and with the papers that answer it hidden."""
    case = _case(assistant, question)
    shown = [rank for rank, hit in enumerate(case.search.hits) if hit.paper.id not in question.papers]
    hidden = replace(
        case.search,
        hits=tuple(case.search.hits[rank] for rank in shown),
        alignments=tuple(case.search.alignments[rank] for rank in shown),
    )
    return [case, Case(replace(question, papers=frozenset(), group="hidden"), hidden)]


def _case(assistant: Assistant, question: Question) -> Case:
    return Case(question, assistant.find(understand(question.text), assistant.library.fresh()))


def _sentences(cases: Sequence[Case]) -> list[str]:
    """The weights of a sentence's marks, fitted where the sentences that answer are known."""
    known = [case for case in cases if case.answerable and case.question.evidence]
    if len(known) < _FOLDS:
        return ["assistant/answering/evidence.py: the suite does not say which sentences answer, so nothing is fitted"]
    rows, labels, groups = _marked(known)
    # The scores of papers lie close together: on one scale with the others their weight is not held down the more.
    model = make_pipeline(StandardScaler(with_mean=False), LogisticRegression(C=0.3, max_iter=1000))
    scores = cross_val_predict(model, rows, labels, groups=groups, cv=GroupKFold(_FOLDS), method="decision_function")
    quoted = [np.mean([labels[best].any() for best in _best(scores, groups, count)]) for count in (1, 3, 5)]
    scaler, fitted = model.fit(rows, labels)
    return [
        "assistant/answering/evidence.py",
        *_weights(evidence.EvidenceFeatures, fitted, scaler.scale_),
        f"  held out, of {len(known)} questions whose paper is among the first {answerability.CONSIDERED}: "
        "a sentence that answers is among the best 1, 3, 5 for {:.3f}, {:.3f}, {:.3f}".format(*quoted),
    ]


def _marked(cases: Sequence[Case]) -> tuple[Figures, NDArray[np.bool_], NDArray[np.int_]]:
    """Return the features of every passage, whether it answers, and the number of its question."""
    examples = [
        (astuple(features), _answers(case.question, passage.text), number)
        for number, case in enumerate(cases)
        for hit, aligned in zip(case.search.hits, case.alignments, strict=False)
        for passage, features in zip(
            aligned.passages,
            evidence.features(case.search.query, aligned, hit.score - case.search.hits[0].score),
            strict=True,
        )
    ]
    rows, labels, groups = zip(*examples, strict=True)
    return np.array(rows), np.array(labels), np.array(groups)


def _answers(question: Question, sentence: str) -> bool:
    return any(gold in sentence or sentence in gold for gold in question.evidence)


def _best(scores: Figures, groups: NDArray[np.int_], count: int) -> list[NDArray[np.int_]]:
    """The rows of the best `count` scores of each group."""
    members = (np.flatnonzero(groups == group) for group in np.unique(groups))
    return [rows[np.argsort(-scores[rows])[:count]] for rows in members]


def _gate(assistant: Assistant, cases: Sequence[Case]) -> list[str]:
    """The weights of the gate's signs, and the threshold from which an answer is firm."""
    lexicon = assistant.library.lexicon
    features = [
        answerability.features(case.search.query, case.search.terms, case.alignments, lexicon) for case in cases
    ]
    rows, labels = np.array([astuple(case) for case in features]), np.array([case.answerable for case in cases])
    weights = np.array([_WEIGHT.get(case.group, 1.0) for case in cases])
    model = LogisticRegression(C=10.0, max_iter=1000)
    # A question and the same one with its paper hidden are held out together.
    _, groups = np.unique([case.question.id for case in cases], return_inverse=True)
    held_out = cross_val_predict(
        model,
        rows,
        labels,
        groups=groups,
        cv=GroupKFold(_FOLDS),
        params={"sample_weight": weights},
        method="predict_proba",
    )[:, 1]
    firm_from = float(np.quantile(held_out[labels], _RESERVED))
    model.fit(rows, labels, sample_weight=weights)
    return [
        "assistant/answering/answerability.py",
        *_weights(answerability.AnswerabilityFeatures, model),
        f"  held out: {1 - _RESERVED:.0%} of the answerable questions reach a confidence of {firm_from:.3f}; "
        "below it are " + _below(held_out, firm_from, cases),
    ]


def _below(confidence: Figures, threshold: float, cases: Sequence[Case]) -> str:
    """The share of each group of cases without an answer that stays below the threshold."""
    groups = np.array(["not found" if case.question.papers else case.group for case in cases])
    unanswered = np.array([not case.answerable for case in cases])
    shares = {
        group: float(np.mean(confidence[unanswered & (groups == group)] < threshold))
        for group in sorted(set(groups[unanswered]))
    }
    return ", ".join(f"{group} {share:.2f}" for group, share in shares.items())


def _weights(kind: type[Any], model: Any, scale: Figures | float = 1.0) -> list[str]:
    """Return the lines of a module that hold a fitted model; `kind` is the class of its features."""
    values = zip(fields(kind), model.coef_[0] / scale, strict=True)
    weights = ", ".join(f"{field.name}={value:.2f}" for field, value in values)
    return [f"  WEIGHTS = {kind.__name__}({weights})", f"  BIAS = {model.intercept_[0]:.2f}"]


def _shown(questions: Sequence[Question]) -> Any:
    """The questions, behind a progress bar on a terminal."""
    return track(questions, "Asking", console=Console(stderr=True), transient=True)
