"""Turn the response of a service into records that carry the name under which they were requested."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from assistant.errors import InputError
from assistant.schema import Record
from ingest.parsers.base import Problem

_WITHDRAWN = re.compile(
    r"(?:this|the) (?:paper|article|work|submission|manuscript|preprint)\b.{0,60}\bwithdrawn", re.IGNORECASE
)


def named_records(items: Iterable[Record | Problem], name: str) -> Iterator[Record | Problem]:
    """Yield the records with `name` as their source, and a problem for each withdrawn paper."""
    for item in items:
        if isinstance(item, Record) and _WITHDRAWN.search(item.abstract[:200]):
            yield Problem(name, 0, f"{item.title or item.arxiv_id} has been withdrawn")
        elif isinstance(item, Record):
            yield replace(item, source=name)
        else:
            yield Problem(name, 0, item.reason, item.lost)  # the line number of a response helps nobody


def errors_as_problems(name: str, fetch: Callable[[], Iterable[Record | Problem]]) -> Iterator[Record | Problem]:
    """Yield what `fetch` returns, and a problem in place of an InputError."""
    try:
        yield from fetch()
    except InputError as error:
        yield Problem(name, 0, error.reason)
