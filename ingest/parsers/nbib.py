"""Parse MEDLINE, as PubMed saves citations in `.nbib` files: four-column tags, and values with indented next lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from assistant.schema import Record
from ingest.parsers.base import Line, Problem
from ingest.parsers.fields import Fields, first_name_first, initials_first, make_record
from ingest.parsers.tagged import TaggedRecord, iter_records

_TAG = re.compile(r"([A-Z]{2,4}) {0,2}- ")
_PMID = re.compile(r"PMID ?- ?\d+\s*$")


def matches(head: Sequence[Line]) -> bool:
    """Return whether a line gives the PubMed id of a record."""
    return any(_PMID.match(line.text) for line in head)


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """Yield a record for each PubMed id."""
    for entry in iter_records(lines, source, _TAG, start_tag="PMID"):
        yield entry if isinstance(entry, Problem) else make_record(_fields(entry), source, entry.line)


def _fields(entry: TaggedRecord) -> Fields:
    full_names = [first_name_first(name) for name in entry.all("FAU")]
    pubmed_id = entry.first("PMID")
    return Fields(
        title=plain_title(entry.first("TI", "BTI")),
        abstract=entry.first("AB", "OAB"),
        authors=full_names or [initials_first(name) for name in entry.all("AU", "CN")],
        year=entry.first("DP", "DEP", "EDAT"),
        venue=entry.first("JT", "TA"),
        doi=next((text for text in entry.all("LID") + entry.all("AID") if "[doi]" in text), ""),
        url=f"https://pubmed.ncbi.nlm.nih.gov/{pubmed_id}/" if pubmed_id else "",
        keywords=entry.all("OT"),
    )


def plain_title(title: str) -> str:
    """Return a title without PubMed's final full stop, and without the brackets around a translated title."""
    title = title.strip().removesuffix(".")
    return title[1:-1] if title.startswith("[") and title.endswith("]") else title
