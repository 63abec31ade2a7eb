"""Turn the response of a service into records that carry the name under which they were requested."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from assistant.errors import InputError
from assistant.schema import Record
from ingest.parsers.base import Problem

# The forms in which arXiv and authors withdraw a paper; a paper may also be withdrawn from a conference, and stand.
_WITHDRAWN = re.compile(
    r"(?:this|the) (?:paper|article|work|submission|manuscript|preprint)\b.{0,60}\bwithdrawn\b(?! from\b)|"
    r"^\W*(?:(?:paper|article|submission|manuscript|preprint)\s+)?withdrawn\b(?! from\b)",
    re.IGNORECASE,
)
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class WithdrawnPaper(Problem):
    """A paper that its newest version withdraws: it is not added, and marked where the library has it already."""

    record: Record | None = None
    comment: str = ""


def says_withdrawn(text: str) -> bool:
    """Return whether the beginning of an abstract, or a comment, says that the paper is withdrawn."""
    return bool(_WITHDRAWN.search(text[:200]))


def named_records(
    items: Iterable[Record | Problem], name: str, withdrawn: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Record | Problem]:
    """Yield the records with `name` as their source, and a problem for each withdrawn paper.

    `withdrawn` has the comments that withdraw papers, by arXiv id.
    """
    for item in items:
        if not isinstance(item, Record):
            yield Problem(name, 0, item.reason, item.lost)  # the line number of a response helps nobody
        elif (comment := withdrawn.get(item.arxiv_id or "")) or says_withdrawn(item.abstract):
            reason = f"{item.title or item.arxiv_id} has been withdrawn"
            words = (comment or item.abstract)[:_LONGEST_REASON]
            yield WithdrawnPaper(name, 0, reason, record=replace(item, source=name), comment=words)
        else:
            yield replace(item, source=name)


def errors_as_problems(name: str, fetch: Callable[[], Iterable[Record | Problem]]) -> Iterator[Record | Problem]:
    """Yield what `fetch` returns, and a problem in place of an InputError."""
    try:
        yield from fetch()
    except InputError as error:
        yield Problem(name, 0, error.reason)
