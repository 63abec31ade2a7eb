"""Read the text of a Word document: its paragraphs as lines, tracked insertions in, tracked deletions out."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from assistant.errors import InputError

_DOCUMENT = "word/document.xml"
_MAGIC = b"PK\x03\x04"
# Bytes of a document's text with its markup, and how many times its compressed size: beyond, it is a bomb.
_MAX_SIZE, _MAX_RATIO = 1 << 28, 400
_NAMESPACE = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/wordprocessingml/main}"
# Elements whose text is no prose: deleted or moved text, field codes, and the second copy of a drawing.
_LEFT_OUT = frozenset(("del", "moveFrom", "instrText", "Fallback", "delText", "tbl"))
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, KeyError)


def is_docx(data: bytes) -> bool:
    """Tell whether a file is a zip archive, which a Word document is."""
    return data.startswith(_MAGIC)


def text(data: bytes, name: str) -> str:
    """Return the paragraphs, with an empty line between them. Raises InputError for any other file, and for a bomb."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            info = archive.getinfo(_DOCUMENT)
            if info.file_size > min(_MAX_SIZE, max(1 << 20, info.compress_size * _MAX_RATIO)):
                raise InputError(name, f"its text unpacks to {info.file_size:,} bytes, which no document has")
            with archive.open(info) as stream:
                document = stream.read(_MAX_SIZE + 1)
    except _UNREADABLE as error:
        raise InputError(name, "this is an archive, or a damaged file, and no Word document (.docx)") from error
    try:
        return "\n\n".join(filter(str.strip, _paragraphs(document)))
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise InputError(name, f"the text of the document is broken XML: {error}") from error


def _paragraphs(document: bytes) -> Iterator[str]:
    depth = 0
    for event, element in iterparse(io.BytesIO(document), events=("start", "end"), forbid_dtd=True):
        kind = _local(element)
        if kind in ("del", "moveFrom", "tbl"):
            depth += 1 if event == "start" else -1
        if event == "end" and kind == "p" and not depth:
            yield "".join(_runs(element))
            element.clear()


def _runs(paragraph: Element) -> Iterator[str]:
    """Yield the pieces of text of a paragraph, in order."""
    for element in paragraph:
        kind = _local(element)
        if kind in _LEFT_OUT:
            continue
        if kind == "t":
            yield element.text or ""
        elif kind in ("tab", "br", "cr"):
            yield " "
        else:
            yield from _runs(element)


def _local(element: Element) -> str:
    """Return the name of an element of a document's text; empty for one of another vocabulary."""
    tag = element.tag if isinstance(element.tag, str) else ""
    return tag.removeprefix(_NAMESPACE).removeprefix(_STRICT).rpartition("}")[2]
