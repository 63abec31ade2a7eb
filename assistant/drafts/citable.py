"""Estimate from the search and the pair reader whether a paper is one to cite, or is cited rightly, for a sentence.

The pair reader alone takes near statements of other papers for support, and free paraphrases for none; how well the
search finds the paper for the sentence tells them apart.
"""

from __future__ import annotations

from dataclasses import dataclass

from assistant.logistic import LogisticModel, log_odds

# The score from which relevance counts no more: beyond, a sentence has a paper's wording, as its denial does too.
_MOST_RELEVANT = 0.6


@dataclass(frozen=True, slots=True)
class CitableFeatures:
    """The log-odds that the paper supports the sentence, and the score of the paper in the search for it, 0..1.

    The score is 0 where the search does not find it.
    """

    support: float
    relevance: float


# Fitted by `python -m eval.training.draft_citations`: papers that a search finds, and papers that are cited.
CITABLE = LogisticModel(-7.63, CitableFeatures(support=1.19, relevance=15.41))
CITED = LogisticModel(-2.62, CitableFeatures(support=0.85, relevance=4.94))


def probability(support: float, relevance: float) -> float:
    """Return the probability that a paper that the search finds is one to cite, 0..1."""
    return CITABLE.probability(features(support, relevance))


def cited_probability(support: float, relevance: float) -> float:
    """Return the probability that a paper that is cited says the sentence, 0..1: most do."""
    return CITED.probability(features(support, relevance))


def features(support: float, relevance: float) -> CitableFeatures:
    """Return the features of a paper with this probability of support and this score."""
    return CitableFeatures(log_odds(min(0.995, max(0.005, support))), min(relevance, _MOST_RELEVANT))
