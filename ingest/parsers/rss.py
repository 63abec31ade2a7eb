"""Parse RSS feeds of journals and archives: RSS 2.0 and 1.0, with Dublin Core and PRISM where a feed has them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from assistant.schema import Record
from ingest.parsers.base import SHORTEST_ABSTRACT, Line, Problem
from ingest.parsers.fields import Fields, make_record, split_names, strip_markup
from ingest.parsers.latex import decode_latex
from ingest.parsers.markup import XmlRecord, iter_records, xml_text

# arXiv's feed writes these in front of an abstract and behind a title.
_ANNOUNCEMENT = re.compile(r"^arXiv:\S+ Announce Type: \S+\s+Abstract:\s*", re.IGNORECASE)
_ARXIV_SUFFIX = re.compile(r"\.?\s*\(arXiv:[^()]*\)\s*$", re.IGNORECASE)


def matches(head: Sequence[Line]) -> bool:
    """Return whether the file is an RSS feed."""
    return bool(re.search(r"<(?:rss|rdf:RDF)[\s>]", xml_text(head)))


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """Yield a record for each item; an item without a title is no paper, and a problem."""
    for entry in iter_records(lines, source, "item"):
        yield entry if isinstance(entry, Problem) else make_record(_fields(entry), source, entry.line)


def _fields(entry: XmlRecord) -> Fields:
    link = entry.text("link", "guid", "identifier")
    identifiers = " ".join([*entry.texts("doi"), *entry.texts("identifier"), *entry.texts("guid"), link])
    return Fields(
        title=decode_latex(_ARXIV_SUFFIX.sub("", entry.text("title"))),
        abstract=decode_latex(_abstract(entry)),
        authors=[decode_latex(name) for name in _authors(entry)],
        year=entry.text("pubDate", "date", "publicationDate", "coverDate"),
        venue=entry.text("publicationName", "source"),
        doi=identifiers,
        arxiv_id=identifiers,
        url=link,
    )


def _abstract(entry: XmlRecord) -> str:
    """Return the longest description if it is long enough for an abstract; many feeds have a teaser only."""
    texts = [strip_markup(text) for name in ("encoded", "description", "summary") for text in entry.texts(name)]
    text = _ANNOUNCEMENT.sub("", max(texts, key=len, default="").strip())
    return text if len(text) >= SHORTEST_ABSTRACT else ""


def _authors(entry: XmlRecord) -> list[str]:
    names = entry.texts("creator") or entry.texts("author")
    return split_names(names[0]) if len(names) == 1 else names
