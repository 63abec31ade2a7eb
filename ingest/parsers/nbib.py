"""MEDLINE, as PubMed saves citations in `.nbib` files: tags of four columns, values that go on below, indented."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from assistant.schema import Record
from ingest.parsers import tagged
from ingest.parsers.base import Line, Problem
from ingest.parsers.fields import Fields, initials_first, record, turned

_TAG = re.compile(r"([A-Z]{2,4}) {0,2}- ")
_FIRST = re.compile(r"PMID ?- ?\d+\s*$")


def recognises(head: Sequence[Line]) -> bool:
    """A line gives a record's PubMed number."""
    return any(_FIRST.match(line.text) for line in head)


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """A record for each PubMed number."""
    for found in tagged.records(lines, source, _TAG, starts="PMID"):
        yield found if isinstance(found, Problem) else record(_fields(found), source, found.line)


def _fields(found: tagged.Tagged) -> Fields:
    full = [turned(name) for name in found.all("FAU")]
    number = found.first("PMID")
    return Fields(
        title=plain_title(found.first("TI", "BTI")),
        abstract=found.first("AB", "OAB"),
        authors=full or [initials_first(name) for name in found.all("AU", "CN")],
        year=found.first("DP", "DEP", "EDAT"),
        venue=found.first("JT", "TA"),
        doi=next((text for text in found.all("LID") + found.all("AID") if "[doi]" in text), ""),
        url=f"https://pubmed.ncbi.nlm.nih.gov/{number}/" if number else "",
    )


def plain_title(title: str) -> str:
    """A title without PubMed's full stop, and without the brackets around a translated one."""
    title = title.strip().removesuffix(".")
    return title[1:-1] if title.startswith("[") and title.endswith("]") else title
