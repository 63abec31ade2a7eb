"""Fit a multinomial logistic regression, also on examples of which only a set of possible labels is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from assistant.question.linear import LinearClassifier

Figures = NDArray[np.float32]

_MAX_STEPS = 300


def fit(
    rows: Figures, possible: Figures, importance: Figures, penalty: float, labels: tuple[str, ...], revision: str = ""
) -> LinearClassifier:
    """Return the classifier that minimizes the weighted log loss and `penalty` / 2 times the squared weights.

    `rows` have shape (examples, features), `possible` has shape (examples, labels): 1 for each label that an example
    may have. Its likelihood is the sum of their probabilities. `importance` has shape (examples,).
    """
    extended = np.hstack([rows, np.ones((len(rows), 1), np.float32)]).astype(np.float32)
    shape = (len(labels), extended.shape[1])

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = parameters.reshape(shape).astype(np.float32)
        probabilities = softmax(extended @ weights.T)
        joint = probabilities * possible
        likelihood = joint.sum(axis=1, keepdims=True) + 1e-12
        residual = (probabilities - joint / likelihood) * importance[:, None]
        gradient = residual.T.astype(np.float32) @ extended
        gradient[:, :-1] += penalty * weights[:, :-1]
        total = -(importance * np.log(likelihood[:, 0])).sum() + penalty / 2 * (weights[:, :-1] ** 2).sum()
        return float(total), gradient.ravel().astype(np.float64)

    start = np.zeros(shape[0] * shape[1])
    solution = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _MAX_STEPS})
    weights = solution.x.reshape(shape).astype(np.float32)
    return LinearClassifier(labels, weights[:, :-1], weights[:, -1], embedder="", revision=revision)


def fit_labelled(
    rows: Figures, labels: Sequence[str], importance: Sequence[float], penalty: float, kinds: Sequence[str]
) -> LinearClassifier:
    """Return the classifier, as `fit` does, of examples that have one label each, out of these kinds."""
    possible = np.array([[label == kind for kind in kinds] for label in labels], dtype=np.float32)
    return fit(rows, possible, np.array(importance, dtype=np.float32), penalty, tuple(map(str, kinds)))


def cross_validated(
    rows: Figures,
    labels: Sequence[str],
    importance: Sequence[float],
    folds: Sequence[int],
    penalty: float,
    kinds: Sequence[str],
) -> Figures:
    """Return the probabilities of each example, shape (examples, kinds), by a classifier fitted on the other folds."""
    probabilities = np.zeros((len(rows), len(kinds)), np.float32)
    for fold in set(folds):
        held_out = np.array([number == fold for number in folds])
        training = [(label, weight) for label, weight, out in zip(labels, importance, held_out, strict=True) if not out]
        fitted_labels, weights = zip(*training, strict=True)
        classifier = fit_labelled(rows[~held_out], fitted_labels, weights, penalty, kinds)
        probabilities[held_out] = predict(classifier, rows[held_out])
    return probabilities


def predict(classifier: LinearClassifier, rows: Figures) -> Figures:
    """Return the probability of each label for each row, shape (rows, labels)."""
    if not len(rows):
        return np.zeros((0, len(classifier.labels)), np.float32)
    return softmax(rows @ classifier.weights.T + classifier.bias)


def softmax(logits: Figures) -> Figures:
    """Return the probabilities of each row of logits, which sum to 1."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True), dtype=np.float32)
