"""Fit a linear chain, the conditional random field of Lafferty et al. (2001), whose transitions are allowed or not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from assistant.question.linear import LinearClassifier
from assistant.question.side_tagger import CLOSING, OPENING, TAGS, log_allowed
from eval.training.softmax import Figures

Probabilities = NDArray[np.float64]

_MAX_STEPS = 100


def fit(rows: Sequence[Figures], tags: Sequence[Sequence[int]], penalty: float) -> LinearClassifier:
    """Return the scores of tags that maximize the likelihood of the sequences, less `penalty` / 2 times their squares.

    `rows[i]`, shape (words, features), are the features of the words of sequence i, and `tags[i]` their tags.
    """
    lengths = np.array([len(sequence) for sequence in rows])
    is_word = np.arange(lengths.max())[None] < lengths[:, None]
    stacked = np.vstack(rows)
    extended = np.hstack([stacked, np.ones((len(stacked), 1), np.float32)]).astype(np.float32)
    gold = np.eye(len(TAGS), dtype=np.float32)[np.concatenate(tags)]
    shape = (len(TAGS), extended.shape[1])

    def loss(parameters: Probabilities) -> tuple[float, Probabilities]:
        weights = parameters.reshape(shape).astype(np.float32)
        scores = extended @ weights.T
        marginals, log_total = _marginals(scores, is_word)
        gradient = (marginals - gold).astype(np.float32).T @ extended
        gradient[:, :-1] += penalty * weights[:, :-1]
        total = log_total - float((scores * gold).sum()) + penalty / 2 * float((weights[:, :-1] ** 2).sum())
        return total, gradient.ravel().astype(np.float64)

    start = np.zeros(shape[0] * shape[1])
    solution = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _MAX_STEPS})
    weights = solution.x.reshape(shape).astype(np.float32)
    return LinearClassifier(TAGS, weights[:, :-1], weights[:, -1], embedder="", revision="")


def _marginals(scores: Figures, is_word: NDArray[np.bool_]) -> tuple[Probabilities, float]:
    """Return the probability of each tag of each word, and the sum of the log partition functions.

    `scores` have shape (all words, tags); `is_word` has shape (sequences, longest): true for its words.
    """
    greatest = scores.max(axis=1)
    likelihoods = np.ones((*is_word.shape, len(TAGS)))
    likelihoods[is_word] = np.exp(scores - greatest[:, None])
    forward, log_total = _forward(likelihoods, is_word)
    marginals = forward * _backward(likelihoods, is_word)
    marginals /= marginals.sum(axis=2, keepdims=True)
    return marginals[is_word], log_total + float(greatest.sum())


def _forward(likelihoods: Probabilities, is_word: NDArray[np.bool_]) -> tuple[Probabilities, float]:
    """Return the scaled forward probabilities, and the log of the sum over all allowed sequences of tags."""
    allowed = np.exp(log_allowed()).astype(np.float64)
    forward = np.zeros_like(likelihoods)
    forward[:, 0] = _among(OPENING) * likelihoods[:, 0]
    scale = forward[:, 0].sum(axis=1)
    forward[:, 0] /= scale[:, None]
    log_total = np.log(scale).sum()
    for step in range(1, likelihoods.shape[1]):
        continued = (forward[:, step - 1] @ allowed) * likelihoods[:, step]
        scale = np.where(is_word[:, step], continued.sum(axis=1), 1.0)
        forward[:, step] = np.where(is_word[:, step, None], continued / scale[:, None], forward[:, step - 1])
        log_total += np.log(scale).sum()
    return forward, float(log_total + np.log((forward[:, -1] * _among(CLOSING)).sum(axis=1)).sum())


def _backward(likelihoods: Probabilities, is_word: NDArray[np.bool_]) -> Probabilities:
    """Return the backward probabilities, scaled at each word."""
    allowed = np.exp(log_allowed()).astype(np.float64)
    backward = np.tile(_among(CLOSING), (*is_word.shape, 1))
    for step in range(likelihoods.shape[1] - 2, -1, -1):
        continued = (likelihoods[:, step + 1] * backward[:, step + 1]) @ allowed.T
        continued /= continued.max(axis=1, keepdims=True)
        backward[:, step] = np.where(is_word[:, step + 1, None], continued, _among(CLOSING))
    return backward


def _among(tags: Sequence[int]) -> Probabilities:
    return np.array([float(tag in tags) for tag in range(len(TAGS))])
