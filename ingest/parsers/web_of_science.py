"""Parse the tagged text of Web of Science: two-letter tags, from `FN` to `EF`, and records from `PT` to `ER`.

A value continues on lines that begin with three blanks; each such line of an author tag is another author.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from assistant.schema import Record
from ingest.parsers.base import Line, Problem
from ingest.parsers.fields import Fields, first_name_first, make_record, split_keywords
from ingest.parsers.tagged import TaggedRecord, iter_records

_TAG = re.compile(r"\ufeff?([A-Z][A-Z0-9])(?: |$)")
_HEADER = re.compile(r"\ufeff?(?:FN|VR) ")
_TYPE = re.compile(r"\ufeff?PT [A-Z]\s*$")


def matches(head: Sequence[Line]) -> bool:
    """Return whether the file begins with the header of Web of Science, or with the type of a record."""
    first = next((line.text for line in head if line.text.strip()), "")
    return bool(_HEADER.match(first) or _TYPE.match(first)) and any(_TYPE.match(line.text) for line in head)


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """Yield a record for each type line; what stands before the first and after the last of them is no record."""
    for entry in iter_records(lines, source, _TAG, start_tag="PT", end_tag="ER"):
        if isinstance(entry, Problem):
            yield entry
        elif "PT" in entry.values:
            yield make_record(_fields(entry), source, entry.line)


def _fields(entry: TaggedRecord) -> Fields:
    return Fields(
        title=entry.first("TI"),
        abstract=entry.first("AB"),
        authors=[first_name_first(name) for name in _lines(entry, "AF") or _lines(entry, "AU") or _lines(entry, "CA")],
        year=entry.first("PY", "EA"),
        venue=entry.first("SO", "CT", "SE"),
        doi=entry.first("DI", "D2"),
        arxiv_id=" ".join(text for text in entry.all("AR") if text.casefold().startswith("arxiv")),
        keywords=split_keywords(entry.first("DE")),
    )


def _lines(entry: TaggedRecord, tag: str) -> list[str]:
    return [line for value in entry.values.get(tag, []) for line in value if line]
