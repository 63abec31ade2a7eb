"""Parse BibTeX and BibLaTeX entry by entry, so that a broken entry affects no other."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bibtexparser.entrypoint import parse_string
from bibtexparser.middlewares.names import parse_single_name_into_parts, split_multiple_persons_names
from bibtexparser.model import Block, DuplicateFieldKeyBlock, Entry, ImplicitComment, ParsingFailedBlock, String

from assistant.schema import Record
from ingest.parsers.base import LONGEST_RECORD, Line, Problem
from ingest.parsers.fields import Fields, make_record, split_keywords
from ingest.parsers.latex import decode_bibtex, decode_latex

_START = re.compile(r"\s*@\s*[A-Za-z]+\s*[{(]")
_ENTRY = re.compile(r"\s*@\s*(?:string|(?!comment|preamble)[A-Za-z]+\s*[{(]\s*[^,{}()=]*,)", re.IGNORECASE)
_MISSING_AT = re.compile(r"^\s*[A-Za-z]+\s*\{[^\s,{}]*,\s*$", re.MULTILINE)
# The parser's messages become problems in the report; they must not be printed as well.
logging.getLogger("bibtexparser").addHandler(logging.NullHandler())


def matches(head: Sequence[Line]) -> bool:
    """Return whether a line begins an entry with its key."""
    return any(_ENTRY.match(line.text) for line in head)


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """Yield a record for each entry; skip comments and preambles."""
    for item in _entries(lines, source):
        yield item if isinstance(item, Problem) else make_record(item.fields, source, item.line)


def parse_keyed(lines: Iterable[Line], source: str) -> Iterator[tuple[str, Record] | Problem]:
    """Yield the key and the record of each entry, also of one that has neither a title nor an abstract."""
    for item in _entries(lines, source):
        if isinstance(item, Problem):
            yield item
            continue
        # Without a title there would be no record.
        named = item.fields if item.fields.title else replace(item.fields, title=item.key)
        record = make_record(named, source, item.line)
        if isinstance(record, Problem):
            yield record
        else:
            yield item.key, record if item.fields.title else replace(record, title=None)


@dataclass(frozen=True, slots=True)
class _KeyedFields:
    """An entry: its key, its fields, and the line on which it begins."""

    key: str
    fields: Fields
    line: int


def _entries(lines: Iterable[Line], source: str) -> Iterator[_KeyedFields | Problem]:
    strings: dict[str, str] = {}
    for number, text in _entry_texts(lines):
        if len(text) > LONGEST_RECORD:
            yield Problem(source, number, f"an entry of more than {LONGEST_RECORD:,} characters")
        else:
            yield from _parse_entries(text, source, number, strings)


def _entry_texts(lines: Iterable[Line]) -> Iterator[tuple[int, str]]:
    """Yield the text from the start of each entry to the next, with its line number, cut beyond the record limit."""
    number, size, at_line_start = 1, 0, True
    pieces: list[str] = []
    for line in lines:
        if at_line_start and pieces and _START.match(line.text):
            yield number, "".join(pieces)
            number, pieces, size = line.number, [], 0
        if size <= LONGEST_RECORD:
            pieces.append(line.raw)
            size += len(line.text)
        at_line_start = not line.continues
    yield number, "".join(pieces)


def _parse_entries(text: str, source: str, number: int, strings: dict[str, str]) -> Iterator[_KeyedFields | Problem]:
    for block in parse_string(text, parse_stack=[]).blocks:
        line = number + (block.start_line or 0)
        entry = block.ignore_error_block if isinstance(block, DuplicateFieldKeyBlock) else block
        if isinstance(entry, Entry):
            values = {field.key.lower(): _value(field.value, strings) for field in reversed(entry.fields)}
            yield _KeyedFields(entry.key, _fields(values), line)
        elif isinstance(entry, String):
            strings[entry.key.lower()] = _value(entry.value, strings)
        elif reason := _block_problem(entry):
            yield Problem(source, line, f"skipped: {reason}")


def _block_problem(block: Block | None) -> str:
    """Return why a block that should be an entry could not be parsed; nothing for comments and preambles."""
    if isinstance(block, ParsingFailedBlock):
        return f"broken BibTeX: {getattr(block.error, 'abort_reason', block.error)}"
    if isinstance(block, ImplicitComment) and _MISSING_AT.search(block.comment):
        return "an entry without its @"
    return ""


def _value(raw: str, strings: Mapping[str, str]) -> str:
    """Return a value without braces or quotes, with abbreviations expanded and concatenated parts joined."""
    return "".join(_part(part.strip(), strings) for part in re.split(r'(?<=["}\w])\s+#\s+(?=["{\w])', raw))


def _part(raw: str, strings: Mapping[str, str]) -> str:
    if raw[:1] + raw[-1:] in ("{}", '""') and len(raw) > 1:
        return raw[1:-1]
    return strings.get(raw.lower(), raw)


def _fields(values: Mapping[str, str]) -> Fields:
    def plain(*keys: str) -> str:
        return next((decode_bibtex(values[key]) for key in keys if values.get(key)), "")

    subtitle = plain("subtitle")
    return Fields(
        title=f"{plain('title')}: {subtitle}" if subtitle else plain("title"),
        abstract=plain("abstract", "annotation", "abstracts"),
        authors=_names(values.get("author", "")),
        year=plain("year", "date"),
        venue=plain("booktitle", "journal", "journaltitle", "eventtitle", "school", "institution"),
        doi=decode_latex(values.get("doi", "")),
        arxiv_id=_arxiv_id(values),
        url=decode_latex(values.get("url", "")),
        keywords=split_keywords(plain("keywords", "keyword")),
    )


def _arxiv_id(values: Mapping[str, str]) -> str:
    archive = values.get("archiveprefix", values.get("eprinttype", "arxiv")).lower()
    if archive == "arxiv" and values.get("eprint"):
        return values["eprint"].removeprefix("arXiv:")
    mentions = " ".join(values.get(key, "") for key in ("journal", "note", "howpublished"))
    return mentions if "arxiv" in mentions.lower() else ""


def _names(text: str) -> list[str]:
    names = split_multiple_persons_names(text) if text else []
    return [_name(name) for name in names if name.lower() != "others"]


def _name(name: str) -> str:
    parts = parse_single_name_into_parts(name, strict=False)
    return decode_bibtex(" ".join([*parts.first, *parts.von, *parts.last, *parts.jr]))
