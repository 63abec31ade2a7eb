"""Split XML into records and parse each on its own, so that a broken record affects no other.

Records are cut from the text before any parsing: no parser ever sees an entity declaration or an outer document type,
and no file is kept in memory as a whole.
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

_XML_ENTITIES = frozenset(["amp", "lt", "gt", "quot", "apos"])
_ENTITY = re.compile(r"&([A-Za-z]\w{1,30});")
_PREFIX = re.compile(r"<([A-Za-z_][\w.-]*):|\s([A-Za-z_][\w.-]*):[\w.-]+\s*=")
# Characters that XML 1.0 forbids and databases export nevertheless.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# A tag cut off at the end of a piece of a line moves to the next piece if it is at most this long.
_LONGEST_TAG = 1_000


@dataclass(frozen=True, slots=True)
class XmlRecord:
    """A record's element, with names stripped of namespaces, and the line on which it begins."""

    line: int
    element: Element

    def texts(self, path: str) -> list[str]:
        """Return the text of every element at the path that has any, without inner markup."""
        return [text for element in self.element.iterfind(path) if (text := text_content(element))]

    def text(self, *paths: str) -> str:
        """Return the first text found at any of the paths."""
        return next((text for path in paths for text in self.texts(path)), "")


def text_content(element: Element) -> str:
    """Return all text of an element as one line."""
    return " ".join("".join(element.itertext()).split())


def xml_text(head: Sequence[Line]) -> str:
    """Return the text of a file's first lines if it is XML; otherwise nothing."""
    text = "".join(line.raw for line in head)
    return text if text.lstrip("\ufeff \t\r\n").startswith("<") else ""


def iter_records(lines: Iterable[Line], source: str, names: str) -> Iterator[XmlRecord | Problem]:
    """Yield the elements with these names (a regular expression) at any depth. They must not be nested."""
    for number, text in _element_texts(lines, names):
        if not text:
            yield Problem(source, number, f"an unterminated record, or one of more than {LONGEST_RECORD:,} characters")
            continue
        try:
            yield XmlRecord(number, _parse_element(text))
        except (ParseError, DefusedXmlException, ValueError) as error:
            yield Problem(source, number, f"skipped: broken XML: {error}")


def _element_texts(lines: Iterable[Line], names: str) -> Iterator[tuple[int, str]]:
    """Yield each element's first line number and text; the text is empty if the end is missing or too far away."""
    tag = re.compile(rf"<(?:[\w.-]+:)?(?:{names})(?=[\s>])|(?P<end></(?:[\w.-]+:)?(?:{names})\s*>)")
    start_line = size = 0
    pieces: list[str] = []
    for number, text in _whole_tags(lines):
        position = 0
        for match in tag.finditer(text):
            if start_line:
                pieces.append(text[position : match.end()])
                yield start_line, "".join(pieces) if match["end"] and size <= LONGEST_RECORD else ""
            start_line, size, pieces, position = 0 if match["end"] else number, 0, [], match.start()
        size += len(text) - position
        if start_line and size <= LONGEST_RECORD:
            pieces.append(text[position:])
    if start_line:
        yield start_line, ""


def _whole_tags(lines: Iterable[Line]) -> Iterator[tuple[int, str]]:
    """Yield lines, or pieces of long lines, none of which ends inside a tag."""
    number, carried = 0, ""
    for line in lines:
        number, text, carried = line.number, carried + line.raw, ""
        start = text.rfind("<")
        if line.continues and start > text.rfind(">") and len(text) - start <= _LONGEST_TAG:
            text, carried = text[:start], text[start:]
        yield number, text
    yield number, carried


def _parse_element(text: str) -> Element:
    """Return the element that a text represents. Raises ParseError."""
    text = _ENTITY.sub(lambda match: match[0] if match[1] in _XML_ENTITIES else html.unescape(match[0]), text)
    prefixes = {tag or attribute for tag, attribute in _PREFIX.findall(text)} - {"xml", "xmlns"}
    namespaces = "".join(f' xmlns:{prefix}="{prefix}"' for prefix in sorted(prefixes))
    root: Element = fromstring(f"<root{namespaces}>{_FORBIDDEN.sub(' ', text)}</root>", forbid_dtd=True)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root[0]
