"""Values to the JSON that scripts rely on. Names may be added to it, never changed or taken away."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from assistant.schema import (
    Answer,
    Citation,
    Filters,
    Hit,
    Paper,
    Passage,
    Scope,
    SearchResult,
    Sentence,
    Verification,
)

Json = dict[str, Any]


def paper_json(paper: Paper) -> Json:
    """A paper; absent values are null, absent lists empty."""
    return {
        "id": paper.id,
        "title": paper.title,
        "abstract": paper.abstract,
        "authors": list(paper.authors),
        "year": paper.year,
        "venue": paper.venue,
        "doi": paper.doi,
        "arxiv_id": paper.arxiv_id,
        "url": paper.url,
        "sources": list(paper.sources),
    }


def passage_json(passage: Passage) -> Json:
    """A passage; `abstract[start:end] == text`."""
    return {"text": passage.text, "start": passage.start, "end": passage.end}


def hit_json(hit: Hit) -> Json:
    """A hit with its paper, passages and the parts of its score."""
    return {
        "rank": hit.rank,
        "score": round(hit.score, 6),
        "paper": paper_json(hit.paper),
        "passages": [passage_json(passage) for passage in hit.passages],
        "scores": {name: round(score, 6) for name, score in hit.scores.items()},
    }


def filters_json(filters: Filters) -> Json:
    """The filters that there are, under the names they are typed with; `year` has `from` and `to`, perhaps null."""
    years = {"from": filters.since, "to": filters.until}
    given = {
        "author": list(filters.authors),
        "title": list(filters.titles),
        "venue": list(filters.venues),
        "source": list(filters.sources),
        "year": years if years != {"from": None, "to": None} else None,
        "phrase": list(filters.phrases),
        "without": list(filters.without),
    }
    return {name: value for name, value in given.items() if value}


def scope_json(scope: Scope) -> Json:
    """Ids of the papers that alone were looked at, if any, and of those that were not."""
    return {"pinned": list(scope.pinned), "excluded": list(scope.excluded)}


def search_json(result: SearchResult) -> Json:
    """What a search found."""
    return {
        "query": result.query.text,
        "standalone": result.query.standalone,
        "filters": filters_json(result.query.filters),
        "scope": scope_json(result.query.scope),
        "hits": [hit_json(hit) for hit in result.hits],
        "timings": dict(result.timings),
    }


def answer_json(answer: Answer) -> Json:
    """An answer or an abstention."""
    return {
        "question": answer.question,
        "standalone": answer.standalone,
        "filters": filters_json(answer.filters),
        "scope": scope_json(answer.scope),
        "answered": answer.answered,
        "strength": str(answer.strength),
        "reason": answer.reason,
        "confidence": round(answer.confidence, 4),
        "text": answer.text,
        "citations": [_citation_json(citation) for citation in answer.citations],
        "sentences": [_sentence_json(sentence) for sentence in answer.sentences],
        "hits": [hit_json(hit) for hit in answer.hits],
        "nearest": [paper_json(paper) for paper in answer.nearest],
        "model": answer.model,
        "recipe": asdict(answer.recipe) if answer.recipe else None,
        "timings": dict(answer.timings),
    }


def _citation_json(citation: Citation) -> Json:
    return {
        "number": citation.number,
        "paper": paper_json(citation.paper),
        "passages": [passage_json(passage) for passage in citation.passages],
    }


def verification_json(verification: Verification) -> Json:
    """A verdict on a claim."""
    return {
        "claim": verification.claim,
        "paper_id": verification.paper_id,
        "verdict": str(verification.verdict),
        "support": verification.support,
        "passage": passage_json(verification.passage) if verification.passage else None,
        "reason": verification.reason,
    }


def _sentence_json(sentence: Sentence) -> Json:
    return {
        "text": sentence.text,
        "citations": list(sentence.citations),
        "verdict": str(sentence.verdict),
        "support": sentence.support,
        "reason": sentence.reason,
    }
