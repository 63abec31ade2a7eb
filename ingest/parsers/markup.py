"""XML, record by record: the only home of defusedxml. A broken record costs itself alone.

Records are cut out of the text before anything parses it, so that a declaration of entities or an outer document
type never reaches a parser, no file is held whole, and what is wrong in one record is wrong in no other.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ingest.parsers.base import LONGEST_RECORD, Line, Problem

_OF_XML = frozenset(["amp", "lt", "gt", "quot", "apos"])
_ENTITY = re.compile(r"&([A-Za-z]\w{1,30});")
_PREFIX = re.compile(r"<([A-Za-z_][\w.-]*):|\s([A-Za-z_][\w.-]*):[\w.-]+\s*=")
# What no XML 1.0 may hold, and databases export all the same.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# A tag that a piece of an endless line breaks off is carried over to the next piece, if it is no longer than this.
_LONGEST_TAG = 1_000


@dataclass(frozen=True, slots=True)
class Node:
    """A record's element; names are without their namespaces. `line` is where the record begins."""

    line: int
    element: Element

    def texts(self, path: str) -> list[str]:
        """The text, markup within left out, of every element of the path."""
        return [text for each in self.element.iterfind(path) if (text := content(each))]

    def text(self, *paths: str) -> str:
        """The first text that one of the paths leads to."""
        return next((text for path in paths for text in self.texts(path)), "")


def content(element: Element) -> str:
    """All text of an element, in one line."""
    return " ".join("".join(element.itertext()).split())


def begins(head: Sequence[Line]) -> str:
    """The text of a head if it is XML, else nothing."""
    text = "".join(line.whole for line in head)
    return text if text.lstrip("\ufeff \t\r\n").startswith("<") else ""


def records(lines: Iterable[Line], source: str, names: str) -> Iterator[Node | Problem]:
    """The elements of these names (a regular expression), wherever they stand; none of them in another."""
    for number, text in _cut(lines, names):
        if not text:
            yield Problem(source, number, f"a record that does not end, or has more than {LONGEST_RECORD:,} characters")
            continue
        try:
            yield Node(number, _element(text))
        except (ParseError, DefusedXmlException, ValueError) as error:
            yield Problem(source, number, f"skipped: broken XML: {error}")


def _cut(lines: Iterable[Line], names: str) -> Iterator[tuple[int, str]]:
    """The text of each element, with the number of the line on which it begins; empty for one without an end."""
    tag = re.compile(rf"<(?:[\w.-]+:)?(?:{names})(?=[\s>])|(?P<end></(?:[\w.-]+:)?(?:{names})\s*>)")
    begun = size = 0
    held: list[str] = []
    for number, text in _pieces(lines):
        at = 0
        for found in tag.finditer(text):
            if begun:
                held.append(text[at : found.end()])
                yield begun, "".join(held) if found["end"] and size <= LONGEST_RECORD else ""
            begun, size, held, at = 0 if found["end"] else number, 0, [], found.start()
        size += len(text) - at
        if begun and size <= LONGEST_RECORD:
            held.append(text[at:])
    if begun:
        yield begun, ""


def _pieces(lines: Iterable[Line]) -> Iterator[tuple[int, str]]:
    """Lines, or pieces of endless ones, of which none ends within a tag."""
    number, carried = 0, ""
    for line in lines:
        number, text, carried = line.number, carried + line.whole, ""
        at = text.rfind("<")
        if line.more and at > text.rfind(">") and len(text) - at <= _LONGEST_TAG:
            text, carried = text[:at], text[at:]
        yield number, text
    yield number, carried


def _element(text: str) -> Element:
    """The element that a text is. Raises ParseError."""
    known = _ENTITY.sub(lambda found: found[0] if found[1] in _OF_XML else html.unescape(found[0]), text)
    prefixes = {one or other for one, other in _PREFIX.findall(known)} - {"xml", "xmlns"}
    spaces = "".join(f' xmlns:{prefix}="{prefix}"' for prefix in sorted(prefixes))
    root: Element = fromstring(f"<root{spaces}>{_FORBIDDEN.sub(' ', known)}</root>", forbid_dtd=True)
    for each in root.iter():
        each.tag = each.tag.rpartition("}")[2]
    return root[0]
