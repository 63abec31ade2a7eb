"""Values to the JSON that scripts rely on, and back. Names may be added to it, never changed or removed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from assistant.schema import (
    Annotation,
    Answer,
    Cell,
    Filters,
    Hit,
    Paper,
    PaperCollection,
    Passage,
    Row,
    Scope,
    SearchResult,
    Verification,
)

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Json = dict[str, Any]

# The names under which filters are typed and written, with their fields; the years are written together.
_FILTERS = {
    "author": "authors",
    "title": "titles",
    "venue": "venues",
    "source": "sources",
    "phrase": "phrases",
    "without": "without",
    "collection": "collections",
    "tag": "tags",
    "note": "notes",
    "topic": "topics",
}
# A stored answer is always done, and nothing goes on.
_TRANSIENT = {"done", "progress"}


def paper_json(paper: Paper) -> Json:
    """Return a paper as JSON; absent values are null, absent lists empty."""
    return _title_first(_dump(paper))


def collection_json(collection: PaperCollection) -> Json:
    """Return a collection as JSON; `papers` is the number of its papers."""
    return _dump(collection)


def annotation_json(annotation: Annotation) -> Json:
    """Return what a person has added to a paper as JSON; note and citation key are null where there is none."""
    return _dump(annotation) | {"note": annotation.note or None, "citation_key": annotation.citation_key or None}


def passage_json(passage: Passage) -> Json:
    """Return a passage as JSON; `abstract[start:end] == text`."""
    return _dump(passage)


def hit_json(hit: Hit) -> Json:
    """Return a hit as JSON, with its paper, its passages and the parts of its score."""
    return _rounded(_dump(hit))


def filters_json(filters: Filters) -> Json:
    """Return the filters that are set, under the names they are typed with; `year` has `from` and `to`, maybe null."""
    values = {name: list(getattr(filters, field)) for name, field in _FILTERS.items() if getattr(filters, field)}
    if filters.since is None and filters.until is None:
        return values
    return values | {"year": {"from": filters.since, "to": filters.until}}


def scope_json(scope: Scope) -> Json:
    """Return the ids of the pinned and the excluded papers as JSON."""
    return _dump(scope)


def search_json(result: SearchResult) -> Json:
    """Return the result of a search as JSON."""
    return {
        "query": result.query.text,
        "standalone": result.query.standalone,
        "filters": filters_json(result.query.filters),
        "scope": scope_json(result.query.scope),
        "hits": [hit_json(hit) for hit in result.hits],
        "timings": dict(result.timings),
    }


def answer_json(answer: Answer) -> Json:
    """Return an answer or an abstention as JSON."""
    dumped = _dump(answer, exclude=_TRANSIENT)
    summary = {
        "question": answer.question,
        "standalone": answer.standalone,
        "filters": filters_json(answer.filters),
        "scope": dumped["scope"],
        "answered": answer.answered,
        "strength": dumped["strength"],
        "reason": answer.reason,
        "confidence": round(answer.confidence, 4),
        "text": answer.text,
    }
    papers = {
        "citations": [citation | {"paper": _title_first(citation["paper"])} for citation in dumped["citations"]],
        "hits": [_rounded(hit) for hit in dumped["hits"]],
        "nearest": list(map(_title_first, dumped["nearest"])),
        "table": _table(dumped["table"]),
    }
    return summary | {name: value for name, value in dumped.items() if name not in summary} | papers


def verification_json(verification: Verification) -> Json:
    """Return the verdict on a claim as JSON."""
    return _dump(verification)


def cell_json(cell: Cell) -> Json:
    """Return a cell of a table as JSON."""
    return _dump(cell)


def row_json(row: Row) -> Json:
    """Return a row of a table as JSON: its paper and its cells."""
    written = _dump(row)
    return written | {"paper": _title_first(written["paper"])}


def answer_from_json(written: Mapping[str, Any]) -> Answer:
    """Return the answer that `answer_json` wrote, to the digits that it writes.

    Unknown keys are ignored and missing fields take their defaults, so that the JSON of older and newer versions can be
    read. Raises ValueError for JSON that is not an answer.
    """
    try:
        filters = _filters_fields(written.get("filters") or {})
    except AttributeError as error:
        raise ValueError(f"this is not an answer: {error}") from error
    answer: Answer = _load(Answer, {**written, "filters": filters}, "an answer")
    return answer


def scope_from_json(written: Mapping[str, Any]) -> Scope:
    """Return the scope that `scope_json` wrote. Raises ValueError for JSON that is not a scope."""
    scope: Scope = _load(Scope, written, "a scope")
    return scope


def _filters_fields(written: Mapping[str, Any]) -> Json:
    """Return the fields of `Filters` from what `filters_json` wrote."""
    years = written.get("year") or {}
    fields = {field: written[name] for name, field in _FILTERS.items() if name in written}
    return fields | {"since": years.get("from"), "until": years.get("to")}


def _rounded(hit: Json) -> Json:
    scores = {name: round(score, 6) for name, score in hit["scores"].items()}
    return hit | {"score": round(hit["score"], 6), "paper": _title_first(hit["paper"]), "scores": scores}


def _table(table: Json | None) -> Json | None:
    """Return the JSON of a table with the title of each paper before its abstract."""
    if table is None:
        return None
    return table | {"rows": [row | {"paper": _title_first(row["paper"])} for row in table["rows"]]}


def _title_first(paper: Json) -> Json:
    """Return the JSON of a paper with its title before the long abstract, for readers."""
    return {"id": paper["id"], "title": paper["title"], **paper}


def _dump(value: Any, exclude: Any = None) -> Json:
    kind: Any = type(value)
    dumped: Json = _adapter(kind).dump_python(value, mode="json", exclude=exclude)
    return dumped


def _load(kind: Any, written: Mapping[str, Any], called: str) -> Any:
    from pydantic import ValidationError

    try:
        return _adapter(kind).validate_python(written)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(map(str, problem["loc"])) or "it"
        raise ValueError(f"this is not {called}: {where}: {problem['msg']}") from error


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
