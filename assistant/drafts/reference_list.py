"""Read the list of references at the end of a draft, and find the identifiers and the year of an entry of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.drafts.values import BibliographyEntry
from assistant.schema import Record

_HEADING = re.compile(
    r"^[ \t#*_>\d.]*(?:references?(?:[ \t]+cited)?|bibliography|literature(?:[ \t]+cited)?|works[ \t]+cited)[ \t*_:]*$",
    re.IGNORECASE | re.MULTILINE,
)
_NUMBERED = re.compile(
    r"^[ \t>]*(?:[-*+][ \t]+)?(?:\[(?P<bracketed>\d{1,4})\][:.]?|(?P<plain>\d{1,4})[.)])[ \t]+", re.MULTILINE
)
_BLANK = re.compile(r"\n[ \t]*\n\s*")
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"<>{}]+", re.ASCII)
_ARXIV = re.compile(
    r"(?:arxiv\s*:\s*|arxiv\.org/\w+/|10\.48550/arxiv\.)(\d{4}\.\d{4,5}(?!\d)|[a-z][a-z-]+(?:\.[A-Z]{2})?/\d{7})",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?<![\d./:])(?:19|20)\d\d(?![\d/])")
_FIRST_AUTHOR = re.compile(r"[^\W\d_][^\W\d_]*(?:['’-][^\W\d_]+)*")
# A list is at most this share of a draft: a heading further up is a heading of the text.
_LONGEST_ENTRY = 2_000


def split_list(source: str) -> int:
    """Return the offset where the list of references begins, or the length of the draft where it has none."""
    headings = list(_HEADING.finditer(source))
    return headings[-1].start() if headings else len(source)


def entries(source: str, start: int) -> Iterator[BibliographyEntry]:
    """Yield the entries of the list that begins at the offset: numbered ones, or one a line or paragraph."""
    heading = _HEADING.search(source, start)
    if heading is None:
        return
    listed = source[heading.end() :]
    numbered = list(_NUMBERED.finditer(listed))
    if numbered:
        ends = [*(match.start() for match in numbered[1:]), len(listed)]
        for match, end in zip(numbered, ends, strict=True):
            text = _BLANK.split(listed[match.end() : end])[0]
            yield text_entry(match["bracketed"] or match["plain"], text)
        return
    parts = _BLANK.split(listed.strip()) if _BLANK.search(listed.strip()) else listed.strip().splitlines()
    for text in parts:
        if _YEAR.search(text):
            yield text_entry(_name_and_year(text), text)


def text_entry(key: str, text: str) -> BibliographyEntry:
    """Return the entry of a text, with the identifiers and the year that it has."""
    line = " ".join(text.split())[:_LONGEST_ENTRY]
    doi, arxiv, years = _DOI.search(line), _ARXIV.search(line), _YEAR.findall(line)
    record = Record(
        abstract="",
        title=line,
        year=int(years[-1]) if years else None,
        doi=doi[0].rstrip(".,;)") if doi else None,
        arxiv_id=arxiv[1] if arxiv else None,
    )
    return BibliographyEntry(key, record, is_text=True)


def _name_and_year(text: str) -> str:
    """Return the key of an entry without a number, as authors and year cite it."""
    author, year = _FIRST_AUTHOR.search(text), _YEAR.search(text)
    return f"{author[0] if author else '?'}, {year[0] if year else '?'}"
