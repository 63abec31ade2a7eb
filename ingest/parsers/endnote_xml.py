"""Parse EndNote's XML, as EndNote and Zotero export it: often one long line, with each value in a `style` element."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from assistant.schema import Record
from ingest.parsers.base import Line, Problem
from ingest.parsers.fields import Fields, first_name_first, make_record
from ingest.parsers.markup import XmlRecord, iter_records, xml_text


def matches(head: Sequence[Line]) -> bool:
    """Return whether records are inside an `xml` or `records` element."""
    return bool(re.search(r"<(?:xml|records)(?:\s[^>]*)?>\s*<(?:records?)[\s>]", xml_text(head)))


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """Yield a record for each `record` element."""
    for entry in iter_records(lines, source, "record"):
        yield entry if isinstance(entry, Problem) else make_record(_fields(entry), source, entry.line)


def _fields(entry: XmlRecord) -> Fields:
    return Fields(
        title=entry.text("titles/title"),
        abstract=entry.text("abstract"),
        authors=[first_name_first(name) for name in entry.texts("contributors/authors/author")],
        year=entry.text("dates/year", "dates/pub-dates/date"),
        venue=entry.text("titles/secondary-title", "periodical/full-title", "periodical/abbr-1"),
        doi=entry.text("electronic-resource-num"),
        arxiv_id=" ".join(map(entry.text, ("accession-num", "remote-database-name", "titles/secondary-title"))),
        url=entry.text("urls/related-urls/url", "urls/web-urls/url"),
        keywords=entry.texts("keywords/keyword"),
    )
