"""A query to ranked hits: embed, search by meaning and by words, fuse, re-rank, one hit a paper.

All scores are on scales that no search stretches: cosines, shares of the highest BM25 score that the question allows,
the re-ranker's 0..1. So a weak match stays weak where it is the best of its list, and hits of two searches compare.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assistant.encodings import EncodedQuery
from assistant.protocols import Embedder, Lexicon, Reranker
from assistant.schema import Hit, Paper, Query, Scored, SearchResult
from assistant.timing import Stopwatch

if TYPE_CHECKING:
    from assistant.storage.library import Library


@dataclass(frozen=True, slots=True)
class Ranking:
    """How hits are chosen: `papers` of them, from `candidates` of each index.

    `dense_weight` is the share of the cosine in the fused score, the rest is BM25's. The best `reranked` are looked at
    again; `rerank_weight` is that look's share in the score.
    """

    papers: int
    candidates: int
    dense_weight: float
    reranked: int
    rerank_weight: float


def retrieve(query: Query, library: Library, ranking: Ranking, reranker: Reranker | None = None) -> SearchResult:
    """The best papers that the query allows, best first, with every part of their scores and each stage's time.

    Filters without anything to search for list the papers that they allow, the newest first.
    """
    watch = Stopwatch()
    allowed_ids = library.catalog.papers.allowed_ids(query.filters, query.scope)
    searched = library.catalog.ledger.indexed_count() if allowed_ids is None else len(allowed_ids)
    if query.is_blank or allowed_ids == set():
        return SearchResult(query, _newest(library, allowed_ids, ranking.papers), watch.timings, searched)
    lexicon = library.lexicon
    asked = _asked(query, library.embedder, lexicon)
    watch.lap("embed_ms")
    dense = library.store.search(asked.vector, ranking.candidates, allowed_ids)
    watch.lap("dense_ms")
    lexical = lexicon.search(query.standalone, ranking.candidates, allowed_ids)
    fused = fuse(dense, _shares(lexical, lexicon.max_score(query.standalone)), ranking.dense_weight)
    watch.lap("lexical_ms")
    papers = library.catalog.papers.get([each.paper_id for each in fused[: max(ranking.reranked, ranking.papers)]])
    closer = _closer(asked, papers[: ranking.reranked], reranker)
    best = mix(fused, closer, ranking.rerank_weight if reranker else 0.0)
    parts = {"dense": _by_id(dense), "lexical": _by_id(lexical), "rerank": _by_id(closer)}
    hits = _hits(best, papers, parts)[: ranking.papers]
    watch.lap("rerank_ms")
    return SearchResult(query, _with_likeness(hits, asked, library), watch.timings, searched, asked)


def _newest(library: Library, allowed_ids: Set[str] | None, limit: int) -> tuple[Hit, ...]:
    listed = library.catalog.papers.newest(allowed_ids, limit) if allowed_ids else ()
    return tuple(Hit(rank, 0.0, paper) for rank, paper in enumerate(listed, start=1))


def fuse(dense: Sequence[Scored], lexical: Sequence[Scored], dense_weight: float) -> list[Scored]:
    """Weighted sum of two lists of scores, best first.

    What the dense list lacks counts as its last paper, which it is no nearer than; what the lexical one lacks, as 0.
    A weighted sum keeps what ranks throw away: how far ahead a paper is. Bruch, Gai and Ingber 2023, "An analysis of
    fusion functions for hybrid retrieval".
    """
    cosines, shares = _by_id(dense), _by_id(lexical)
    last = min(cosines.values(), default=0.0)
    return _ranked(
        {
            paper_id: dense_weight * cosines.get(paper_id, last) + (1.0 - dense_weight) * shares.get(paper_id, 0.0)
            for paper_id in cosines | shares
        }
    )


def mix(fused: Sequence[Scored], closer: Sequence[Scored], weight: float) -> list[Scored]:
    """The fused scores with the re-ranker's, best first; a paper that it has not looked at has 0 of it."""
    scores = _by_id(closer)
    return _ranked(
        {each.paper_id: (1.0 - weight) * each.score + weight * scores.get(each.paper_id, 0.0) for each in fused}
    )


def _asked(query: Query, embedder: Embedder, lexicon: Lexicon) -> EncodedQuery:
    from assistant.embedding.content_words import encode_query

    (reading,) = embedder.encode_queries([query.standalone])
    return encode_query(query.standalone, reading, lexicon)


def _closer(asked: EncodedQuery, papers: Sequence[Paper], reranker: Reranker | None) -> list[Scored]:
    if reranker is None:
        return []
    scores = reranker.score(asked, papers)
    return [Scored(paper.id, score) for paper, score in zip(papers, scores, strict=True)]


def _hits(best: Sequence[Scored], papers: Sequence[Paper], parts: Mapping[str, Mapping[str, float]]) -> tuple[Hit, ...]:
    """Hits of those of the papers that were read, which are the best ones before re-ranking."""
    by_id = {paper.id: paper for paper in papers}
    found = [each for each in best if each.paper_id in by_id]
    return tuple(
        Hit(rank, min(1.0, max(0.0, each.score)), by_id[each.paper_id], scores=_parts(each.paper_id, parts))
        for rank, each in enumerate(found, start=1)
    )


def _with_likeness(hits: Sequence[Hit], asked: EncodedQuery, library: Library) -> tuple[Hit, ...]:
    from assistant.retrieval import late_interaction

    held = library.words.get([hit.paper.id for hit in hits])
    return tuple(
        replace(hit, likeness=late_interaction.by_sentence(asked, held[hit.paper.id], hit.paper.abstract))
        if hit.paper.id in held
        else hit
        for hit in hits
    )


def _shares(scored: Sequence[Scored], max_score: float) -> list[Scored]:
    return [Scored(each.paper_id, each.score / max_score) for each in scored]


def _ranked(scores: Mapping[str, float]) -> list[Scored]:
    return [Scored(paper_id, score) for paper_id, score in sorted(scores.items(), key=lambda each: (-each[1], each[0]))]


def _by_id(scored: Sequence[Scored]) -> dict[str, float]:
    return {each.paper_id: each.score for each in scored}


def _parts(paper_id: str, parts: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    return {name: scores[paper_id] for name, scores in parts.items() if paper_id in scores}
