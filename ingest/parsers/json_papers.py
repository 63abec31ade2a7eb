"""Parse JSON of any service: find the papers in it and extract their fields by the dialect of the service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from assistant.errors import InputError
from assistant.schema import Record
from ingest.parsers import arxiv_json, csl_json, daily_papers, openalex, openreview, plain_json, semantic_scholar
from ingest.parsers.base import Line, Problem
from ingest.parsers.fields import Fields, make_record
from ingest.parsers.json_values import JsonValue, is_json, iter_values

# How deep inside lists and objects a paper may be.
_MAX_DEPTH = 5
# A file whose first values include no paper is taken for another kind of JSON.
_MAX_LEADING_PROBLEMS = 100


class JsonDialect(Protocol):
    """A module that extracts papers from the objects of one service."""

    def matches(self, value: Mapping[str, Any]) -> bool:
        """Return whether an object is a paper of the service."""
        ...

    def extract(self, value: Mapping[str, Any]) -> Fields:
        """Return the fields of a paper."""
        ...


# In order: the most general last.
DIALECTS: tuple[JsonDialect, ...] = (
    arxiv_json,
    openalex,
    semantic_scholar,
    openreview,
    daily_papers,
    csl_json,
    plain_json,
)


def matches(head: Sequence[Line]) -> bool:
    """Return whether the file is JSON."""
    return is_json(head)


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """Yield a record for each paper, and a problem for each other value.

    Raise InputError if the file begins with too many values that are not papers.
    """
    leading: list[Problem] = []
    items = _items(lines, source)
    for item in items:
        if isinstance(item, Record):
            yield from leading
            yield item
            yield from items
            return
        leading.append(item)
        if len(leading) == _MAX_LEADING_PROBLEMS:
            raise InputError(source, f"this is JSON, but no paper is recognised in it; first: {leading[0].reason}")
    yield from leading


def _items(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    for number, value in enumerate(iter_values(lines, source), start=1):
        if isinstance(value, Problem):
            yield value
            continue
        for item in _records(value, source):
            yield replace(item, reason=f"record {number}: {item.reason}") if isinstance(item, Problem) else item


def _records(value: JsonValue, source: str) -> Iterator[Record | Problem]:
    papers = list(_papers(value.value, _MAX_DEPTH))
    for dialect, paper in papers:
        yield make_record(dialect.extract(paper), source, value.line)
    if not papers and not value.after_error:
        is_container = isinstance(value.value, dict | list)
        reason = "no paper is recognised in it" if is_container else "not a JSON object"
        yield Problem(source, value.line, f"skipped: {reason}")


def _papers(value: Any, depth: int) -> Iterator[tuple[JsonDialect, Mapping[str, Any]]]:
    """Yield the papers in a value, each with its dialect, down to this many levels."""
    if isinstance(value, dict):
        dialect = next((dialect for dialect in DIALECTS if dialect.matches(value)), None)
        if dialect:
            yield dialect, value
            return
    if depth and isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _papers(inner, depth - 1)
