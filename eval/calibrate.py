"""Fits the weights of `assistant.abstain` on the dev half of the seeds' suites and prints them."""

from __future__ import annotations

from dataclasses import astuple, fields

import numpy as np
from rich.progress import track
from sklearn.linear_model import LogisticRegression

from assistant import abstain
from assistant.chat import Assistant
from assistant.settings import Settings
from eval.libraries import over_seeds
from eval.suites import SEEDS, load


def calibrate(settings: Settings) -> str:
    """The fitted weights, as they stand in the module, and how well they separate the halves."""
    assistant = over_seeds(settings)
    fit, labels = _signs(assistant, "dev")
    model = LogisticRegression(C=10.0, class_weight="balanced").fit(fit, labels)
    weights = ", ".join(
        f"{field.name}={value:.2f}" for field, value in zip(fields(abstain.Signs), model.coef_[0], strict=True)
    )
    lines = [f"WEIGHTS = Signs({weights})", f"BIAS = {model.intercept_[0]:.2f}"]
    for split in ("dev", "test"):
        signs, truth = (fit, labels) if split == "dev" else _signs(assistant, split)
        lines.append(f"{split}: area under the ROC curve {_area(model.decision_function(signs), truth):.3f}")
    return "\n".join(lines)


def _signs(assistant: Assistant, split: str) -> tuple[np.ndarray, np.ndarray]:
    questions = [*load(SEEDS / "single.jsonl", split), *load(SEEDS / "unanswerable.jsonl", split)]
    rows = [_row(assistant, question.text) for question in track(questions, f"Asking {split}", transient=True)]
    return np.array(rows), np.array([bool(question.papers) for question in questions])


def _row(assistant: Assistant, question: str) -> tuple[float, ...]:
    found = assistant.search(question)
    if not found.hits:
        return (0.0,) * len(fields(abstain.Signs))
    return astuple(abstain.signs(found.query, found.hits, assistant.library.lexicon))


def _area(scores: np.ndarray, truth: np.ndarray) -> float:
    """Probability that an answerable question scores above an unanswerable one."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(truth, scores))
