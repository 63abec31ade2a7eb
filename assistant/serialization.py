"""Values to the JSON that scripts rely on, and back. Names may be added to it, never changed or taken away."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from assistant.schema import Answer, Citation, Filters, Hit, Paper, Passage, Scope, SearchResult, Sentence, Verification

Json = dict[str, Any]
Value = TypeVar("Value")

# Filters but the years: under which name they are typed and written, and the field that has them.
_FILTERS = {
    "author": "authors",
    "title": "titles",
    "venue": "venues",
    "source": "sources",
    "phrase": "phrases",
    "without": "without",
}


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
    given = {name: list(getattr(filters, field)) for name, field in _FILTERS.items()}
    said = {name: values for name, values in given.items() if values}
    return said | ({"year": years} if any(year is not None for year in years.values()) else {})


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
        "searched": answer.searched,
        "nearest": [paper_json(paper) for paper in answer.nearest],
        "model": answer.model,
        "prompt": answer.prompt,
        "recipe": asdict(answer.recipe) if answer.recipe else None,
        "timings": dict(answer.timings),
        "dropped": answer.dropped,
        "cut": answer.cut,
        "withdrawn": asdict(answer.withdrawn) if answer.withdrawn else None,
    }


def answer_from_json(given: Mapping[str, Any]) -> Answer:
    """The answer that `answer_json` made this of, to the digits that it writes.

    Keys that are no field of an answer are passed over, fields that are missing take their defaults: so what an older
    or a newer paperchat wrote can be read. Hits come back without their `likeness`, which only retrieval and the choice
    of passages need. Raises ValueError where it is no answer.
    """
    return _read(Answer, given, "answer")


def scope_from_json(given: Mapping[str, Any]) -> Scope:
    """The scope that `scope_json` made this of. Raises ValueError where it is none."""
    return _read(Scope, given, "scope")


def _read(kind: type[Value], given: Mapping[str, Any], called: str) -> Value:
    try:
        value: Value = _dataclass_from(kind, given)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"this is no {called}: {error!r}") from error
    return value


def _filters_from(given: Mapping[str, Any]) -> Filters:
    years = given.get("year") or {}
    listed = {field: tuple(given.get(name, ())) for name, field in _FILTERS.items()}
    return Filters(since=years.get("from"), until=years.get("to"), **listed)


def _dataclass_from(kind: Any, given: Mapping[str, Any]) -> Any:
    if kind is Filters:  # its names are those that are typed
        return _filters_from(given)
    hints = _hints(kind)
    return kind(**{name: _value_from(hints[name], given[name]) for name in hints if name in given})


def _value_from(hint: Any, given: Any) -> Any:
    """What JSON says, as the type that a field asks for."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return None if given is None else _value_from(parts[0], given)
    if origin is tuple:
        return tuple(_value_from(parts[0], each) for each in given)
    if is_dataclass(hint) and isinstance(hint, type):
        return _dataclass_from(hint, given)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint(given)
    return given


@cache
def _hints(kind: Any) -> dict[str, Any]:
    """The types of a dataclass's fields, in their order."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


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
        "attributed": sentence.attributed,
        "replaces": sentence.replaces,
    }
