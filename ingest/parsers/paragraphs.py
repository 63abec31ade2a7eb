"""Listings whose lines were wrapped: paragraphs between blank lines, as plain text or Markdown.

Each paragraph is made one line again, and the lines are read as the listing that they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from assistant.schema import Record
from ingest.parsers import abstract_lines, author_triplets, title_pairs
from ingest.parsers.base import LONGEST_ABSTRACT, Format, Line, Problem, clean, first_pieces

_LISTINGS: tuple[Format, ...] = (abstract_lines, author_triplets, title_pairs)
_MARK = re.compile(r"(?:#{1,6}|[-*+>•]|\d{1,4}[.)])\s+")
_HEADING = re.compile(r"#{1,6}\s")
_RULE = re.compile(r"[-=_*]{3,}")
_SAMPLE = 2_000


def recognises(head: Sequence[Line]) -> bool:
    """Once the paragraphs are lines, they are a listing."""
    return _listing(list(_unwrapped(head))) is not None


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """The listing's records."""
    coming = _unwrapped(lines)
    head = list(islice(coming, _SAMPLE))
    if listing := _listing(head):
        yield from listing.parse(chain(head, coming), source)


def _listing(lines: Sequence[Line]) -> Format | None:
    return next((listing for listing in _LISTINGS if listing.recognises(lines)), None)


def _unwrapped(lines: Iterable[Line]) -> Iterator[Line]:
    """A line for each paragraph, without Markdown's signs; a heading is a paragraph."""
    number, held = 0, ""
    for line in first_pieces(lines):
        text = clean(line.text)
        if held and (not text or _MARK.match(text) or _HEADING.match(held)):
            if not text and _HEADING.match(held):
                continue
            # A heading above a heading is a section's.
            if not (_HEADING.match(held) and _HEADING.match(text)):
                yield Line(number, _bare(held))
            held = ""
        if text and not _RULE.fullmatch(text):
            number = number if held else line.number
            # Longer than any abstract is long enough to be refused as one.
            held = f"{held} {text}".strip() if len(held) <= LONGEST_ABSTRACT else held
    if held:
        yield Line(number, _bare(held))


def _bare(text: str) -> str:
    text = _MARK.sub("", text, count=1)
    return re.sub(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1", r"\2", text).strip()
