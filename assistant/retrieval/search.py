"""Search a library: embed, search by meaning and by words, fuse, rerank, align; one hit a paper.

No score is normalized by the results of its search: they are cosines, shares of the maximum BM25 score of the
question, and the reranker's 0..1. So a weak match has a low score even as the best of its list, and the scores of
different searches are comparable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assistant.encodings import PairReading
from assistant.protocols import WordVectorLookup
from assistant.question.encoder import QuestionEncoder
from assistant.question.intent import QUESTION, IntentPrediction
from assistant.question.sides import Side
from assistant.question.terms import NO_TERMS, QuestionTerms
from assistant.retrieval.alignment import Alignment, align
from assistant.retrieval.fusion import fuse, mix
from assistant.retrieval.passages import select_passages
from assistant.retrieval.reranking import Candidates, Reranker
from assistant.schema import Hit, Paper, PaperScore, Query, SearchResult
from assistant.text.sentences import passages
from assistant.timing import Stopwatch

if TYPE_CHECKING:
    from assistant.encodings import EncodedQuery
    from assistant.retrieval.late_interaction import Interactions
    from assistant.settings import Settings
    from assistant.storage.library import Indexes, Library


@dataclass(frozen=True, slots=True)
class Ranking:
    """How hits are chosen: `top_k` of them, from `candidates` of each index.

    `dense_weight` is the share of the cosine in the fused score, the rest is that of BM25. `reranked` is the number of
    papers that are reranked, `rerank_weight` the share of the reranker in the final score.
    """

    top_k: int
    candidates: int
    dense_weight: float
    reranked: int
    rerank_weight: float

    @classmethod
    def of(cls, settings: Settings, top_k: int | None = None) -> Ranking:
        """Return the ranking that the settings name, with so many hits or those of the settings."""
        return cls(
            top_k=top_k or settings.top_k,
            candidates=settings.candidates,
            dense_weight=settings.dense_weight,
            reranked=settings.rerank_top_k,
            rerank_weight=settings.rerank_weight,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The outcome of a search, with what later stages need: the question's terms, and an alignment for each hit.

    `alignments` is empty where nothing was searched for. `readings` are those of the best hits, once they are read
    (`assistant.retrieval.reading`). `searched` is the number of papers that the filters allow; `timings` are in
    milliseconds. `intents` are those of the standalone text, where an answer is wanted; `sides` are what it compares.
    """

    query: Query
    terms: QuestionTerms = NO_TERMS
    hits: tuple[Hit, ...] = ()
    alignments: tuple[Alignment, ...] = ()
    readings: tuple[PairReading, ...] = ()
    searched: int = 0
    timings: Mapping[str, float] = field(default_factory=dict)
    intents: IntentPrediction = QUESTION
    sides: tuple[Side, ...] = ()

    def result(self) -> SearchResult:
        """Return the public part."""
        return SearchResult(self.query, self.hits, self.timings, self.searched)


def search(
    query: Query,
    terms: QuestionTerms,
    library: Library,
    indexes: Indexes,
    ranking: Ranking,
    reranker: Reranker | None = None,
    encoder: QuestionEncoder | None = None,
) -> Found:
    """Return the best papers that the query allows, best first, with every part of their scores.

    `terms` are those of the query, `indexes` those of the library; `encoder` may have encoded the query already. A
    query of filters alone lists the papers that they allow, newest first. Raises LibraryError, and ModelError where a
    model fails.
    """
    watch = Stopwatch()
    allowed_ids = library.catalog.papers.allowed_ids(query.filters, query.scope)
    searched = library.catalog.ledger.indexed_count() if allowed_ids is None else len(allowed_ids)
    if query.is_blank or allowed_ids == set():
        hits = _newest(library, indexes, terms, allowed_ids, ranking.top_k)
        return Found(query, terms, hits, (), (), searched, watch.timings)
    encoder = encoder or QuestionEncoder(library.embedder)
    earlier_ms = encoder.elapsed_ms
    encoded = _encode(query, encoder, indexes)
    watch.lap("embed_ms")
    dense = _by_id(indexes.store.search(encoded.vector, ranking.candidates, allowed_ids))
    watch.lap("dense_ms")
    lexical = _by_id(indexes.lexicon.search(query.standalone, ranking.candidates, allowed_ids))
    fused = fuse(dense, _shares(lexical, indexes.lexicon.max_score(query.standalone)), ranking.dense_weight)
    watch.lap("lexical_ms")
    interactions = _interactions(encoded, indexes.words)
    pool = list(fused)[: max(ranking.reranked, ranking.top_k)]
    reranked = _rerank(pool[: ranking.reranked], interactions, library, reranker)
    mixed = mix(fused, reranked, ranking.rerank_weight if reranker else 0.0)
    papers = _read([paper_id for paper_id in mixed if paper_id in set(pool)], ranking.top_k, library)
    alignments = _align(papers, terms, interactions)
    parts = {"dense": dense, "lexical": lexical, "rerank": reranked}
    hits = _hits(alignments, terms, mixed, parts, indexes)
    watch.lap("rerank_ms")
    timings = watch.timings
    timings["embed_ms"] = round(timings["embed_ms"] + earlier_ms, 2)
    return Found(query, terms, hits, alignments, (), searched, timings)


def _encode(query: Query, encoder: QuestionEncoder, indexes: Indexes) -> EncodedQuery:
    from assistant.embedding.content_words import encode_query  # numpy: not before the first search

    return encode_query(query.standalone, encoder.encode(query.standalone), indexes.lexicon)


def _interactions(encoded: EncodedQuery, words: WordVectorLookup) -> Interactions:
    from assistant.retrieval.late_interaction import Interactions

    return Interactions(encoded, words)


def _rerank(
    paper_ids: Sequence[str], interactions: Interactions, library: Library, reranker: Reranker | None
) -> dict[str, float]:
    if reranker is None:
        return {}
    return reranker.score(Candidates(paper_ids, interactions, library.catalog.papers.get))


def _read(paper_ids: Sequence[str], limit: int, library: Library) -> list[Paper]:
    """Return the first papers that the catalog still shows, up to the limit."""
    papers = library.catalog.papers.get(paper_ids[:limit])
    return papers if len(papers) == min(limit, len(paper_ids)) else library.catalog.papers.get(paper_ids)[:limit]


def _align(papers: Sequence[Paper], terms: QuestionTerms, interactions: Interactions) -> tuple[Alignment, ...]:
    interactions.load([paper.id for paper in papers])
    return tuple(align(terms, paper, interactions) for paper in papers)


def _hits(
    alignments: Sequence[Alignment],
    terms: QuestionTerms,
    scores: Mapping[str, float],
    parts: Mapping[str, Mapping[str, float]],
    indexes: Indexes,
) -> tuple[Hit, ...]:
    return tuple(
        Hit(
            rank,
            min(1.0, max(0.0, scores[aligned.paper.id])),
            aligned.paper,
            select_passages(aligned.passages, aligned.maxsim.tolist(), terms, indexes.lexicon),
            {name: part[aligned.paper.id] for name, part in parts.items() if aligned.paper.id in part},
        )
        for rank, aligned in enumerate(alignments, start=1)
    )


def _newest(
    library: Library, indexes: Indexes, terms: QuestionTerms, allowed_ids: Set[str] | None, limit: int
) -> tuple[Hit, ...]:
    papers = library.catalog.papers.newest(allowed_ids, limit) if allowed_ids else []
    hits = []
    for rank, paper in enumerate(papers, start=1):
        split = passages(paper.abstract)
        hits.append(Hit(rank, 0.0, paper, select_passages(split, [0.0] * len(split), terms, indexes.lexicon)))
    return tuple(hits)


def _shares(scores: Mapping[str, float], max_score: float) -> dict[str, float]:
    return {paper_id: score / max_score for paper_id, score in scores.items()}


def _by_id(scored: Sequence[PaperScore]) -> dict[str, float]:
    return {hit.paper_id: hit.score for hit in scored}
