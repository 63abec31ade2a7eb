"""Parse lines that begin with `Abstract:`, one paper per line, without titles."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from assistant.schema import Record
from ingest.parsers.base import Line, Problem, length_problem, nonblank_lines

_PREFIX = re.compile(r"abstract\s*:\s*", re.IGNORECASE)


def matches(head: Sequence[Line]) -> bool:
    """Return whether most lines begin with the prefix."""
    lines = list(nonblank_lines(head))
    return sum(bool(_PREFIX.match(line.text)) for line in lines) * 2 > len(lines)


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """Yield a record for each line that has text after the prefix."""
    for line in nonblank_lines(lines):
        yield length_problem(line, source) or _record(line, source)


def _record(line: Line, source: str) -> Record | Problem:
    prefix = _PREFIX.match(line.text)
    if not prefix:
        return Problem(source, line.number, "skipped: the line does not begin with 'Abstract:'")
    abstract = line.text[prefix.end() :]
    if not any(character.isalnum() for character in abstract):
        return Problem(source, line.number, "skipped: there is no text after 'Abstract:'")
    return Record(abstract, source=source, line=line.number)
