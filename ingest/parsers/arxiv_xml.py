"""Parse arXiv's XML: Atom from the search API; `arXiv`, `arXivRaw` or Dublin Core records from OAI-PMH."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from xml.etree.ElementTree import Element

from assistant.schema import Record
from ingest.parsers.base import Line, Problem
from ingest.parsers.fields import Fields, first_name_first, make_record, split_names
from ingest.parsers.latex import decode_latex
from ingest.parsers.markup import XmlRecord, iter_records, xml_text


def matches(head: Sequence[Line]) -> bool:
    """Return whether the file is an Atom feed or an OAI-PMH response."""
    return bool(re.search(r"<(?:\w+:)?(?:feed|entry|OAI-PMH|ListRecords|GetRecord)[\s>]", xml_text(head)))


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """Yield a record for each entry, and a problem for a deleted entry or a service error."""
    for entry in iter_records(lines, source, "entry|record"):
        yield entry if isinstance(entry, Problem) else _record(entry, source)


def comments(text: str) -> dict[str, str]:
    """Return the comments of the entries of an Atom feed that have one, by arXiv id without version."""
    lines = (Line(number, line) for number, line in enumerate(text.splitlines(), start=1))
    entries = [entry for entry in iter_records(lines, "", "entry") if isinstance(entry, XmlRecord)]
    described = ((_record(entry, ""), entry.text("comment")) for entry in entries)
    return {
        item.arxiv_id: comment for item, comment in described if isinstance(item, Record) and item.arxiv_id and comment
    }


def _record(entry: XmlRecord, source: str) -> Record | Problem:
    if entry.element.find("header[@status='deleted']") is not None:
        return Problem(source, entry.line, "the archive has deleted this record", lost=False)
    if "/api/errors" in entry.text("id"):
        return Problem(source, entry.line, f"the service reports an error: {entry.text('summary')}")
    fields = _atom_fields(entry) if entry.element.tag == "entry" else _oai_fields(entry)
    return make_record(fields, source, entry.line)


def _atom_fields(entry: XmlRecord) -> Fields:
    return Fields(
        title=decode_latex(entry.text("title")),
        abstract=decode_latex(entry.text("summary", "content")),
        authors=[decode_latex(name) for name in entry.texts("author/name")],
        year=entry.text("published", "updated"),
        venue=entry.text("journal_ref"),
        doi=entry.text("doi"),
        arxiv_id=entry.text("id"),
        url=entry.text("id"),
    )


def _oai_fields(entry: XmlRecord) -> Fields:
    arxiv_id = entry.text("metadata/*/id")
    identifiers = entry.texts("metadata/*/identifier")
    return Fields(
        title=decode_latex(entry.text("metadata/*/title")),
        abstract=decode_latex(entry.text("metadata/*/abstract", "metadata/*/description")),
        authors=[decode_latex(name) for name in _authors(entry)],
        year=entry.text("metadata/*/created", "metadata/*/version/date", "metadata/*/date"),
        venue=entry.text("metadata/*/journal-ref"),
        doi=" ".join(entry.texts("metadata/*/doi") + identifiers),
        arxiv_id=arxiv_id or " ".join([entry.text("header/identifier"), *identifiers]),
        url=f"https://arxiv.org/abs/{arxiv_id}" if arxiv_id else entry.text("metadata/*/identifier"),
    )


def _authors(entry: XmlRecord) -> list[str]:
    structured = list(map(_name, entry.element.iterfind("metadata/*/authors/author")))
    creators = [first_name_first(name) for name in entry.texts("metadata/*/creator")]
    return structured or creators or split_names(entry.text("metadata/*/authors"))


def _name(author: Element) -> str:
    parts = (author.findtext(tag) for tag in ("forenames", "keyname", "suffix"))
    return " ".join(part for part in parts if part)
