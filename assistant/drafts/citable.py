"""Estimate whether a paper that a search finds for a sentence is one to cite for it.

The pair reader alone takes near statements of other papers for support; how well the search finds the paper tells them
apart.
"""

from __future__ import annotations

from dataclasses import dataclass

from assistant.logistic import LogisticModel, log_odds


@dataclass(frozen=True, slots=True)
class CitableFeatures:
    """The log-odds that the paper supports the sentence, and the score of the paper in the search for it, 0..1."""

    support: float
    relevance: float


# Fitted by `python -m eval.training.draft_citations`.
CITABLE = LogisticModel(-5.49, CitableFeatures(support=1.65, relevance=13.38))


def probability(support: float, relevance: float) -> float:
    """Return the probability that the paper is one to cite, 0..1."""
    return CITABLE.probability(features(support, relevance))


def features(support: float, relevance: float) -> CitableFeatures:
    """Return the features of a paper with this probability of support and this score."""
    return CitableFeatures(log_odds(min(0.995, max(0.005, support))), relevance)
