"""JSON of any service: finds the papers in it and asks the module that knows the service what it says of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from assistant.errors import InputError
from assistant.schema import Record
from ingest.parsers import arxiv_json, csl_json, daily_papers, openalex, openreview, plain_json, semantic_scholar
from ingest.parsers.base import Line, Problem
from ingest.parsers.fields import Fields, record
from ingest.parsers.json_values import Value, begins, values

# How deep in lists and objects a paper may stand.
_DEEPEST = 5
# After so many objects without a paper among them the file is another kind of JSON.
_PATIENCE = 100


class Service(Protocol):
    """A module that knows how one service describes a paper."""

    def recognises(self, value: Mapping[str, Any]) -> bool:
        """Whether an object is one of its papers."""
        ...

    def fields(self, value: Mapping[str, Any]) -> Fields:
        """What it says."""
        ...


# In order: the plainest last.
SERVICES: tuple[Service, ...] = (
    arxiv_json,
    openalex,
    semantic_scholar,
    openreview,
    daily_papers,
    csl_json,
    plain_json,
)


def recognises(head: Sequence[Line]) -> bool:
    """The file is JSON."""
    return begins(head)


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """A record for each paper; what is none is reported. Raises InputError where nothing seems to be."""
    held: list[Problem] = []
    items = _items(lines, source)
    for item in items:
        if isinstance(item, Record):
            yield from held
            yield item
            yield from items
            return
        held.append(item)
        if len(held) == _PATIENCE:
            raise InputError(source, f"this is JSON, but no paper is recognised in it; first: {held[0].reason}")
    yield from held


def _items(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    for number, found in enumerate(values(lines, source), start=1):
        if isinstance(found, Problem):
            yield found
            continue
        for each in _records(found, source):
            yield replace(each, reason=f"record {number}: {each.reason}") if isinstance(each, Problem) else each


def _records(found: Value, source: str) -> Iterator[Record | Problem]:
    papers = list(_papers(found.value, _DEEPEST))
    for service, paper in papers:
        yield record(service.fields(paper), source, found.line)
    if not papers and not found.doubtful:
        kind = "no object" if not isinstance(found.value, dict | list) else "no paper is recognised in it"
        yield Problem(source, found.line, f"skipped: {kind}")


def _papers(value: Any, deep: int) -> Iterator[tuple[Service, Mapping[str, Any]]]:
    """The papers in a value, each with the service that recognises it."""
    if isinstance(value, dict):
        service = next((each for each in SERVICES if each.recognises(value)), None)
        if service:
            yield service, value
            return
    if deep and isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _papers(inner, deep - 1)
