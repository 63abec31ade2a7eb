"""Split tagged lines, as in RIS and MEDLINE, into records as they are read, each with its line number.

rispy 0.10 is not used here: it joins a record without an end tag to the next one, drops the last record, and does not
report lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ingest.parsers.base import LONGEST_RECORD, Line, Problem


@dataclass(slots=True)
class TaggedRecord:
    """A record's values by tag, in order, each as the list of its lines."""

    line: int
    values: dict[str, list[list[str]]] = field(default_factory=dict)
    size: int = 0

    def first(self, *tags: str) -> str:
        """Return the first value that is not empty of the first tag that has one."""
        return next((value for tag in tags for value in self.all(tag) if value), "")

    def all(self, *tags: str) -> list[str]:
        """Return every value of the first tag that has any."""
        values = next((self.values[tag] for tag in tags if self.values.get(tag)), [])
        return [" ".join(lines) for lines in values]


def iter_records(
    lines: Iterable[Line], source: str, tag: re.Pattern[str], start_tag: str, end_tag: str = ""
) -> Iterator[TaggedRecord | Problem]:
    """Yield records that begin with the start tag, and end with the end tag or before the next start tag.

    `tag` matches a line up to its value, with the tag as group 1. A line without a tag continues the previous value.
    """
    for record in _split(lines, tag, start_tag, end_tag):
        if record.size > LONGEST_RECORD:
            yield Problem(source, record.line, f"a record of more than {LONGEST_RECORD:,} characters")
        elif record.values:
            yield record


def _split(lines: Iterable[Line], tag: re.Pattern[str], start_tag: str, end_tag: str) -> Iterator[TaggedRecord]:
    record = TaggedRecord(0)
    value: list[str] = []
    for line in lines:
        match = tag.match(line.text)
        if match and (match[1] in (start_tag, end_tag) or not record.line):
            yield record
            record, value = TaggedRecord(line.number if match[1] != end_tag else 0), []
        record.size += len(line.text)
        if record.size > LONGEST_RECORD:
            continue
        if match and match[1] != end_tag:
            value = [line.text[match.end() :].strip()]
            record.values.setdefault(match[1], []).append(value)
        elif text := line.text.strip():
            value.append(text)
    yield record
