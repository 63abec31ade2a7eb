"""Parse listings with wrapped lines: paragraphs between blank lines, in plain text or Markdown.

Each paragraph is joined to one line, and the lines are parsed by the format of the listing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from assistant.schema import Record
from ingest.parsers import abstract_lines, author_triplets, title_pairs
from ingest.parsers.base import LONGEST_ABSTRACT, Line, Problem, RecordFormat, clean, first_pieces

_FORMATS: tuple[RecordFormat, ...] = (abstract_lines, author_triplets, title_pairs)
_BULLET = re.compile(r"(?:#{1,6}|[-*+>•]|\d{1,4}[.)])\s+")
_HEADING = re.compile(r"#{1,6}\s")
_RULE = re.compile(r"[-=_*]{3,}")
_SAMPLE = 2_000


def matches(head: Sequence[Line]) -> bool:
    """Return whether the paragraphs, joined to lines, have the format of a listing."""
    return _listing_format(list(_joined_paragraphs(head))) is not None


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """Yield the records of the listing."""
    remaining = _joined_paragraphs(lines)
    head = list(islice(remaining, _SAMPLE))
    if listing := _listing_format(head):
        yield from listing.parse(chain(head, remaining), source)


def _listing_format(lines: Sequence[Line]) -> RecordFormat | None:
    return next((listing for listing in _FORMATS if listing.matches(lines)), None)


def _joined_paragraphs(lines: Iterable[Line]) -> Iterator[Line]:
    """Yield one line per paragraph, without Markdown markers; a heading is a paragraph of its own."""
    number, paragraph = 0, ""
    for line in first_pieces(lines):
        text = clean(line.text)
        if paragraph and (not text or _BULLET.match(text) or _HEADING.match(paragraph)):
            if not text and _HEADING.match(paragraph):
                continue
            # A heading directly above another heading belongs to a section, not to a paper.
            if not (_HEADING.match(paragraph) and _HEADING.match(text)):
                yield Line(number, _without_markdown(paragraph))
            paragraph = ""
        if text and not _RULE.fullmatch(text):
            number = number if paragraph else line.number
            paragraph = _appended(paragraph, text)
    if paragraph:
        yield Line(number, _without_markdown(paragraph))


def _appended(paragraph: str, text: str) -> str:
    """Return the paragraph with the text added, unless it is already too long for an abstract."""
    return f"{paragraph} {text}".strip() if len(paragraph) <= LONGEST_ABSTRACT else paragraph


def _without_markdown(text: str) -> str:
    text = _BULLET.sub("", text, count=1)
    return re.sub(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1", r"\2", text).strip()
