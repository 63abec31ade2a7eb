"""Predict from the wording of a question alone whether an abstract answers it: the baseline that no reader may miss.

Questions that are answered and near misses were written by people who knew which they wrote, and wording gives that
away. A model of confidence is only worth what it orders better than this baseline, which has read no abstract.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict

from assistant import factory
from assistant.settings import load

Row: TypeAlias = dict[str, Any]
_FOLDS = 5
_DIGITS = 3


def add_style(questions: Sequence[Row], near: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Return both lists of lines, each with `style`, the cross-validated probability that it is answered.

    The id of a line begins with that of the abstract it was written about.
    """
    lines = (*questions, *near)
    labels = np.repeat([True, False], [len(questions), len(near)])
    papers = [line["id"].rpartition("-")[0] for line in lines]
    scores = style_scores(_encode([line["question"] for line in lines]), labels, papers)
    styled = [line | {"style": score} for line, score in zip(lines, scores, strict=True)]
    return styled[: len(questions)], styled[len(questions) :]


def style_scores(vectors: NDArray[np.float64], labels: NDArray[np.bool_], papers: Sequence[str]) -> list[float]:
    """Return the probability of each question under a logistic model of the vectors, shape (questions, dimension).

    Cross-validated: the questions about one abstract are in one fold, so that none is scored by a model that saw it.
    """
    _, groups = np.unique(papers, return_inverse=True)
    model = LogisticRegression(class_weight="balanced", max_iter=1000)
    folds = GroupKFold(_FOLDS)
    scores = cross_val_predict(model, vectors, labels, groups=groups, cv=folds, method="predict_proba")[:, 1]
    return [round(float(score), _DIGITS) for score in scores]


def _encode(texts: Sequence[str]) -> NDArray[np.float64]:
    """Encode the texts with the packaged encoder in float32, whatever the settings of this machine are."""
    embedder = factory.open_embedder(load(engine="float32"))
    return np.array([text.vector for text in embedder.encode_queries(texts)], dtype=np.float64)
