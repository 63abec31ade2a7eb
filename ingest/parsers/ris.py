"""Parse RIS: two-letter tags, from `TY  - ` to `ER  - `, as written by EndNote, Zotero, Scopus, IEEE and publishers.

Cochrane writes two blanks after the hyphen, and Cochrane and Ovid number the records between them. ASReview writes its
labels as notes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from assistant.schema import Record
from ingest.parsers import asreview
from ingest.parsers.base import Line, Problem
from ingest.parsers.fields import Fields, first_name_first, make_record
from ingest.parsers.tagged import TaggedRecord, iter_records

_TAG = re.compile(r"\s?([A-Z][A-Z0-9]) {1,2}-(?: |$)")
_TYPE = re.compile(r"\s?TY {1,2}- {0,2}[A-Z]{3,6}\s*$")
# Other values of the tags for notes and numbers are affiliations (Embase), cited works (Ovid) and the like.
_ARXIV = re.compile(r"arxiv\b", re.IGNORECASE)
_ARXIV_TAGS = ("AN", "M1", "N1", "T2", "JO")


def matches(head: Sequence[Line]) -> bool:
    """Return whether a line declares the type of a record."""
    return any(_TYPE.match(line.text) for line in head)


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """Yield a record for each type line."""
    for entry in iter_records(lines, source, _TAG, start_tag="TY", end_tag="ER"):
        yield entry if isinstance(entry, Problem) else make_record(_fields(entry), source, entry.line)


def _fields(entry: TaggedRecord) -> Fields:
    return Fields(
        title=entry.first("TI", "T1", "CT", "BT"),
        abstract=entry.first("AB", "N2"),
        authors=[first_name_first(name) for name in entry.all("AU", "A1", "A2")],
        year=entry.first("PY", "Y1", "DA"),
        venue=entry.first("T2", "JF", "JO", "JA", "J2", "BT"),
        doi=entry.first("DO"),
        arxiv_id=" ".join(text for tag in _ARXIV_TAGS for text in entry.all(tag) if _ARXIV.match(text)),
        url=entry.first("UR", "L2", "LK"),
        # Asterisks mark the major topics in Ovid, Embase and Cochrane.
        keywords=[
            *(keyword.strip().removeprefix("*") for value in entry.all("KW") for keyword in value.split(";")),
            *asreview.labels_in_notes(entry.all("N1")),
        ],
    )
