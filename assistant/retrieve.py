"""A query to ranked hits: dense and lexical search, their scores fused, one hit per paper."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from assistant.schema import Hit, Query, Scored, SearchResult
from assistant.timing import milliseconds

if TYPE_CHECKING:
    from assistant.library import Library


def retrieve(query: Query, library: Library, papers: int, candidates: int, dense_weight: float) -> SearchResult:
    """The best `papers` hits of the `candidates` that each index proposes.

    `dense_weight` is the share of the vector score in the fused one, the rest is BM25's.
    """
    started = time.perf_counter()
    if query.is_blank:
        return SearchResult(query, (), {"total_ms": 0.0})
    vector = library.embedder.embed_queries([query.standalone])[0]
    embedded = time.perf_counter()
    dense = library.store.search(vector, candidates)
    lexical = library.lexicon.search(query.standalone, candidates)
    fused = fuse(dense, lexical, dense_weight)[:papers]
    hits = _hits(fused, _by_id(dense), _by_id(lexical), library)
    return SearchResult(query, hits, {"embed_ms": milliseconds(started, embedded), "total_ms": milliseconds(started)})


def fuse(dense: Sequence[Scored], lexical: Sequence[Scored], dense_weight: float) -> list[Scored]:
    """Weighted sum of min-max normalised scores, best first; a list that lacks a paper gives it 0.

    A weighted sum keeps what ranks throw away: how far ahead a paper is. Bruch, Gai and Ingber 2023,
    "An analysis of fusion functions for hybrid retrieval".
    """
    parts = ((_normalised(dense), dense_weight), (_normalised(lexical), 1.0 - dense_weight))
    total: dict[str, float] = {}
    for scores, weight in parts:
        for paper_id, score in scores.items():
            total[paper_id] = total.get(paper_id, 0.0) + weight * score
    ranked = sorted(total.items(), key=lambda item: (-item[1], item[0]))
    return [Scored(paper_id, score) for paper_id, score in ranked]


def _normalised(scored: Sequence[Scored]) -> dict[str, float]:
    """Scores stretched to 0..1 within the list."""
    if not scored:
        return {}
    low, high = min(each.score for each in scored), max(each.score for each in scored)
    return {each.paper_id: (each.score - low) / (high - low) if high > low else 1.0 for each in scored}


def _by_id(scored: Sequence[Scored]) -> dict[str, float]:
    return {each.paper_id: each.score for each in scored}


def _hits(
    fused: Sequence[Scored], dense: Mapping[str, float], lexical: Mapping[str, float], library: Library
) -> tuple[Hit, ...]:
    fused_scores = _by_id(fused)
    found = library.catalog.get(list(fused_scores))
    return tuple(
        Hit(rank, fused_scores[paper.id], paper, scores=_parts(paper.id, dense, lexical))
        for rank, paper in enumerate(found, start=1)
    )


def _parts(paper_id: str, dense: Mapping[str, float], lexical: Mapping[str, float]) -> dict[str, float]:
    parts = {"dense": dense, "lexical": lexical}
    return {name: scores[paper_id] for name, scores in parts.items() if paper_id in scores}
