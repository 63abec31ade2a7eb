"""RIS: two-letter tags, `TY  - ` to `ER  - `; as EndNote, Zotero, Scopus, IEEE and publishers' pages write it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from assistant.schema import Record
from ingest.parsers import tagged
from ingest.parsers.base import Line, Problem
from ingest.parsers.fields import Fields, record, turned

_TAG = re.compile(r"\s?([A-Z][A-Z0-9]) {1,2}-(?: |$)")
_FIRST = re.compile(r"\s?TY {1,2}- ?[A-Z]{3,6}\s*$")


def recognises(head: Sequence[Line]) -> bool:
    """A line gives a record's type."""
    return any(_FIRST.match(line.text) for line in head)


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """A record for each type line."""
    for found in tagged.records(lines, source, _TAG, starts="TY", ends="ER"):
        yield found if isinstance(found, Problem) else record(_fields(found), source, found.line)


def _fields(found: tagged.Tagged) -> Fields:
    return Fields(
        title=found.first("TI", "T1", "CT", "BT"),
        abstract=found.first("AB", "N2"),
        authors=[turned(name) for name in found.all("AU", "A1", "A2")],
        year=found.first("PY", "Y1", "DA"),
        venue=found.first("T2", "JF", "JO", "JA", "J2", "BT"),
        doi=found.first("DO"),
        arxiv_id=" ".join(map(found.first, ("AN", "M1", "N1", "T2", "JO"))),
        url=found.first("UR", "L2", "LK"),
    )
