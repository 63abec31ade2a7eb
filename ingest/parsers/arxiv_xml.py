"""arXiv's XML: Atom from its search interface; OAI-PMH as `arXiv`, `arXivRaw` or Dublin Core from its harvest one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from xml.etree.ElementTree import Element

from assistant.schema import Record
from ingest.parsers.base import Line, Problem
from ingest.parsers.fields import Fields, listed, record, turned
from ingest.parsers.latex import decoded
from ingest.parsers.markup import Node, begins, records


def recognises(head: Sequence[Line]) -> bool:
    """An Atom feed or an answer of OAI-PMH."""
    return bool(re.search(r"<(?:\w+:)?(?:feed|entry|OAI-PMH|ListRecords|GetRecord)[\s>]", begins(head)))


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """A record for each entry; deleted ones and errors of the service are warnings."""
    for found in records(lines, source, "entry|record"):
        yield found if isinstance(found, Problem) else _record(found, source)


def _record(node: Node, source: str) -> Record | Problem:
    if node.element.find("header[@status='deleted']") is not None:
        return Problem(source, node.line, "a record that its archive has deleted", lost=False)
    if "/api/errors" in node.text("id"):
        return Problem(source, node.line, f"an error of the service: {node.text('summary')}")
    return record(_atom(node) if node.element.tag == "entry" else _oai(node), source, node.line)


def _atom(node: Node) -> Fields:
    return Fields(
        title=decoded(node.text("title")),
        abstract=decoded(node.text("summary", "content")),
        authors=[decoded(name) for name in node.texts("author/name")],
        year=node.text("published", "updated"),
        venue=node.text("journal_ref"),
        doi=node.text("doi"),
        arxiv_id=node.text("id"),
        url=node.text("id"),
    )


def _oai(node: Node) -> Fields:
    number = node.text("metadata/*/id")
    return Fields(
        title=decoded(node.text("metadata/*/title")),
        abstract=decoded(node.text("metadata/*/abstract", "metadata/*/description")),
        authors=[decoded(name) for name in _authors(node)],
        year=node.text("metadata/*/created", "metadata/*/version/date", "metadata/*/date"),
        venue=node.text("metadata/*/journal-ref"),
        doi=" ".join(node.texts("metadata/*/doi") + node.texts("metadata/*/identifier")),
        arxiv_id=number or " ".join([node.text("header/identifier"), *node.texts("metadata/*/identifier")]),
        url=f"https://arxiv.org/abs/{number}" if number else node.text("metadata/*/identifier"),
    )


def _authors(node: Node) -> list[str]:
    named = list(map(_name, node.element.iterfind("metadata/*/authors/author")))
    creators = [turned(name) for name in node.texts("metadata/*/creator")]
    return named or creators or listed(node.text("metadata/*/authors"))


def _name(author: Element) -> str:
    parts = (author.findtext(tag) for tag in ("forenames", "keyname", "suffix"))
    return " ".join(part for part in parts if part)
