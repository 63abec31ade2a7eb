"""Lines that begin with `Abstract:`, one a paper, without titles."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from assistant.schema import Record
from ingest.parsers.base import Line, Problem, filled, too_long

_PREFIX = re.compile(r"abstract\s*:\s*", re.IGNORECASE)


def recognises(head: Sequence[Line]) -> bool:
    """Most lines carry the prefix."""
    lines = list(filled(head))
    return sum(bool(_PREFIX.match(line.text)) for line in lines) * 2 > len(lines)


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """A record for each prefixed line with text behind it."""
    for line in filled(lines):
        yield too_long(line, source) or _record(line, source)


def _record(line: Line, source: str) -> Record | Problem:
    prefix = _PREFIX.match(line.text)
    if not prefix:
        return Problem(source, line.number, "skipped: the line does not begin with 'Abstract:'")
    abstract = line.text[prefix.end() :]
    if not any(character.isalnum() for character in abstract):
        return Problem(source, line.number, "skipped: there is no text after 'Abstract:'")
    return Record(abstract, source=source, line=line.number)
