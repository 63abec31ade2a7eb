"""EndNote's XML, as EndNote and Zotero export it: often all in one line, each value in a `style` element."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from assistant.schema import Record
from ingest.parsers.base import Line, Problem
from ingest.parsers.fields import Fields, record, turned
from ingest.parsers.markup import Node, begins, records


def recognises(head: Sequence[Line]) -> bool:
    """Records stand in `xml` or `records`."""
    return bool(re.search(r"<(?:xml|records)(?:\s[^>]*)?>\s*<(?:records?)[\s>]", begins(head)))


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """A record for each `record`."""
    for found in records(lines, source, "record"):
        yield found if isinstance(found, Problem) else record(_fields(found), source, found.line)


def _fields(node: Node) -> Fields:
    return Fields(
        title=node.text("titles/title"),
        abstract=node.text("abstract"),
        authors=[turned(name) for name in node.texts("contributors/authors/author")],
        year=node.text("dates/year", "dates/pub-dates/date"),
        venue=node.text("titles/secondary-title", "periodical/full-title", "periodical/abbr-1"),
        doi=node.text("electronic-resource-num"),
        arxiv_id=" ".join(map(node.text, ("accession-num", "remote-database-name", "titles/secondary-title"))),
        url=node.text("urls/related-urls/url", "urls/web-urls/url"),
    )
