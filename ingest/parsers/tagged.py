"""Records of tagged lines, as RIS and MEDLINE have them: read as they come, each with its line.

Own code, because rispy 0.10 joins a record without its end to the next and drops the last, and knows no lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ingest.parsers.base import LONGEST_RECORD, Line, Problem


@dataclass(slots=True)
class Tagged:
    """A record's values under their tags, in order, each in the lines that it is written in."""

    line: int
    values: dict[str, list[list[str]]] = field(default_factory=dict)
    size: int = 0

    def first(self, *tags: str) -> str:
        """The first value of the first of the tags that has one."""
        return next((value for tag in tags for value in self.all(tag) if value), "")

    def all(self, *tags: str) -> list[str]:
        """Every value of the first of the tags that has one."""
        written = next((self.values[tag] for tag in tags if self.values.get(tag)), [])
        return [" ".join(lines) for lines in written]


def records(
    lines: Iterable[Line], source: str, tag: re.Pattern[str], starts: str, ends: str = ""
) -> Iterator[Tagged | Problem]:
    """Records that begin with the tag `starts`, and end with the tag `ends` or where the next begins.

    `tag` matches a line's tag (group 1) up to its value. A line without tag goes on with the value before.
    """
    for record in _records(lines, tag, starts, ends):
        if record.size > LONGEST_RECORD:
            yield Problem(source, record.line, f"a record of more than {LONGEST_RECORD:,} characters")
        elif record.values:
            yield record


def _records(lines: Iterable[Line], tag: re.Pattern[str], starts: str, ends: str) -> Iterator[Tagged]:
    current = Tagged(0)
    value: list[str] = []
    for line in lines:
        found = tag.match(line.text)
        if found and (found[1] in (starts, ends) or not current.line):
            yield current
            current, value = Tagged(line.number if found[1] != ends else 0), []
        current.size += len(line.text)
        if current.size > LONGEST_RECORD:
            continue
        if found and found[1] != ends:
            value = [line.text[found.end() :].strip()]
            current.values.setdefault(found[1], []).append(value)
        elif text := line.text.strip():
            value.append(text)
    yield current
