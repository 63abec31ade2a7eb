"""Combine the scores of several rankings by weighted sums.

A weighted sum keeps what ranks discard: how far ahead a paper is. Bruch, Gai and Ingber 2023, "An Analysis of Fusion
Functions for Hybrid Retrieval".
"""

from __future__ import annotations

from collections.abc import Mapping

Scores = Mapping[str, float]


def fuse(dense: Scores, lexical: Scores, dense_weight: float) -> dict[str, float]:
    """Return the weighted sum of two rankings' scores by paper id, best first.

    A paper that the dense ranking lacks gets its lowest score, which is an upper bound; one that the lexical ranking
    lacks gets 0.
    """
    last = min(dense.values(), default=0.0)
    return ranked(
        {
            paper_id: dense_weight * dense.get(paper_id, last) + (1.0 - dense_weight) * lexical.get(paper_id, 0.0)
            for paper_id in {**dense, **lexical}
        }
    )


def mix(fused: Scores, reranked: Scores, weight: float) -> dict[str, float]:
    """Return the weighted sum of fused and reranked scores, best first; the latter is 0 for a paper not reranked."""
    return ranked(
        {paper_id: (1.0 - weight) * score + weight * reranked.get(paper_id, 0.0) for paper_id, score in fused.items()}
    )


def ranked(scores: Scores) -> dict[str, float]:
    """Return the scores in descending order, ties by id."""
    return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0])))
