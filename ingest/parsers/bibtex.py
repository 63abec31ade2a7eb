"""BibTeX and BibLaTeX, entry by entry: the only home of bibtexparser. A broken entry costs itself alone."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bibtexparser.entrypoint import parse_string
from bibtexparser.middlewares.names import parse_single_name_into_parts, split_multiple_persons_names
from bibtexparser.model import DuplicateFieldKeyBlock, Entry, ImplicitComment, ParsingFailedBlock, String

from assistant.schema import Record
from ingest.parsers.base import LONGEST_RECORD, Line, Problem
from ingest.parsers.fields import Fields, record
from ingest.parsers.latex import decoded, typeset

_START = re.compile(r"\s*@\s*[A-Za-z]+\s*[{(]")
_ENTRY = re.compile(r"\s*@\s*(?:string|(?!comment|preamble)[A-Za-z]+\s*[{(]\s*[^,{}()=]*,)", re.IGNORECASE)
_LOST_SIGN = re.compile(r"^\s*[A-Za-z]+\s*\{[^\s,{}]*,\s*$", re.MULTILINE)
# What it has to say goes into the report, not to the terminal.
logging.getLogger("bibtexparser").addHandler(logging.NullHandler())


def recognises(head: Sequence[Line]) -> bool:
    """A line begins an entry with its key."""
    return any(_ENTRY.match(line.text) for line in head)


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """A record for each entry; comments and preambles are passed over."""
    strings: dict[str, str] = {}
    for number, text in _blocks(lines):
        if len(text) > LONGEST_RECORD:
            yield Problem(source, number, f"an entry of more than {LONGEST_RECORD:,} characters")
        else:
            yield from _parsed(text, source, number, strings)


def _blocks(lines: Iterable[Line]) -> Iterator[tuple[int, str]]:
    """Each stretch from the start of an entry to the next with its line number; no more of it than can be a record."""
    number, size, begins = 1, 0, True
    held: list[str] = []
    for line in lines:
        if begins and held and _START.match(line.text):
            yield number, "".join(held)
            number, held, size = line.number, [], 0
        if size <= LONGEST_RECORD:
            held.append(line.whole)
            size += len(line.text)
        begins = not line.more
    yield number, "".join(held)


def _parsed(text: str, source: str, number: int, strings: dict[str, str]) -> Iterator[Record | Problem]:
    library = parse_string(text, parse_stack=[])
    for block in library.blocks:
        line = number + (block.start_line or 0)
        entry = block.ignore_error_block if isinstance(block, DuplicateFieldKeyBlock) else block
        if isinstance(entry, Entry):
            values = {field.key.lower(): _value(field.value, strings) for field in reversed(entry.fields)}
            yield record(_fields(values), source, line)
        elif isinstance(entry, String):
            strings[entry.key.lower()] = _value(entry.value, strings)
        elif isinstance(entry, ParsingFailedBlock):
            yield Problem(source, line, f"skipped: broken BibTeX: {_cause(entry)}")
        elif isinstance(entry, ImplicitComment) and _LOST_SIGN.search(entry.comment):
            yield Problem(source, line, "skipped: an entry without its @")


def _cause(block: ParsingFailedBlock) -> str:
    return str(getattr(block.error, "abort_reason", block.error))


def _value(raw: str, strings: Mapping[str, str]) -> str:
    """A value without its braces or quotes, abbreviations written out, concatenated parts together."""
    return "".join(_part(part.strip(), strings) for part in re.split(r'(?<=["}\w])\s+#\s+(?=["{\w])', raw))


def _part(raw: str, strings: Mapping[str, str]) -> str:
    if raw[:1] + raw[-1:] in ("{}", '""') and len(raw) > 1:
        return raw[1:-1]
    return strings.get(raw.lower(), raw)


def _fields(values: Mapping[str, str]) -> Fields:
    def plain(*keys: str) -> str:
        return next((typeset(values[key]) for key in keys if values.get(key)), "")

    subtitle = plain("subtitle")
    return Fields(
        title=f"{plain('title')}: {subtitle}" if subtitle else plain("title"),
        abstract=plain("abstract", "annotation", "abstracts"),
        authors=_names(values.get("author", "")),
        year=plain("year", "date"),
        venue=plain("booktitle", "journal", "journaltitle", "eventtitle", "school", "institution"),
        doi=decoded(values.get("doi", "")),
        arxiv_id=_arxiv(values),
        url=decoded(values.get("url", "")),
    )


def _arxiv(values: Mapping[str, str]) -> str:
    archive = values.get("archiveprefix", values.get("eprinttype", "arxiv")).lower()
    if archive == "arxiv" and values.get("eprint"):
        return values["eprint"].removeprefix("arXiv:")
    elsewhere = " ".join(values.get(key, "") for key in ("journal", "note", "howpublished"))
    return elsewhere if "arxiv" in elsewhere.lower() else ""


def _names(text: str) -> list[str]:
    names = split_multiple_persons_names(text) if text else []
    return [_name(name) for name in names if name.lower() != "others"]


def _name(name: str) -> str:
    parts = parse_single_name_into_parts(name, strict=False)
    return typeset(" ".join([*parts.first, *parts.von, *parts.last, *parts.jr]))
