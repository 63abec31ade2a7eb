"""Parse a pasted trending-papers page: banner lines, then a title line and an abstract line for each paper.

The page's button text is pasted in front of the first title: `SubscribeETHER: Efficient Finetuning ...`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from assistant.schema import Record
from ingest.parsers.base import Line, Problem, is_abstract, is_title, length_problem, nonblank_lines

_BANNER = re.compile(r"get trending papers in your email inbox", re.IGNORECASE)
_BUTTON = re.compile(r"Subscribe(?=[^\sa-z])")
_NO_ABSTRACT = "skipped: no abstract follows this line"


def matches(head: Sequence[Line]) -> bool:
    """Return whether most lines after the banner form pairs of a title and an abstract."""
    body = list(_body(head))
    pairs = sum(is_title(a) and is_abstract(b) for a, b in pairwise(body))
    return bool(body) and pairs * 2 >= len(body) * 0.8


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """Yield a record for each abstract line after a title line, and a problem for each line that does not fit."""
    title: Line | None = None
    for line in _body(lines):
        if problem := length_problem(line, source):
            yield problem
        elif is_abstract(line) and (title or not is_title(line)):
            yield from _record(title, line, source)
            title = None
        else:
            if title:
                yield Problem(source, title.number, _NO_ABSTRACT)
            title = line
    if title:
        yield Problem(source, title.number, _NO_ABSTRACT)


def _record(title: Line | None, abstract: Line, source: str) -> Iterator[Record | Problem]:
    if title is None:
        yield Problem(source, abstract.number, "no title precedes this abstract; added without one", lost=False)
    yield Record(abstract.text, title=title.text if title else None, source=source, line=(title or abstract).number)


def _body(lines: Iterable[Line]) -> Iterator[Line]:
    """Yield the lines without the banner and the button."""
    below_banner = False
    for line in nonblank_lines(lines):
        if _BANNER.search(line.text) and not is_abstract(line):
            below_banner = True
            continue
        yield replace(line, text=_BUTTON.sub("", line.text, count=1)) if below_banner else line
        below_banner = False
