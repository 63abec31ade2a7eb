"""Parse a pasted publication list: the author's name, then title, authors and abstract lines for each paper.

Authors are written as `Last, First` pairs: `Lin, Yong, Tang, Shange`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from assistant.schema import Record
from ingest.parsers.base import Line, Problem, is_abstract, is_title, length_problem, nonblank_lines

_MAX_WORDS_PER_NAME = 4


def matches(head: Sequence[Line]) -> bool:
    """Return whether most lines after the banner form triplets of title, authors and abstract."""
    lines = list(nonblank_lines(head))
    triplets = sum(_is_triplet(*group) for group in zip(lines, lines[1:], lines[2:], strict=False))
    return triplets > 0 and triplets * 3 >= (len(lines) - 1) * 0.8


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """Yield a record for each triplet, and a problem for each other line except an author's banner on top."""
    remaining = nonblank_lines(lines)
    window = list(islice(remaining, 3))
    at_top = True
    while window:
        consumed = 3 if _is_triplet(*window) else 1
        if consumed == 3:
            yield _record(window[0], window[1], window[2], source)
        elif problem := length_problem(window[0], source):
            yield problem
        elif not at_top or not _authors(window[0].text):
            yield Problem(source, window[0].number, "skipped: not part of a title, authors, abstract group")
        window = [*window[consumed:], *islice(remaining, consumed)]
        at_top = False


def _authors(text: str) -> tuple[str, ...]:
    """Return names as `First Last` from `Last, First` pairs; empty if the text is not a list of such pairs."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) % 2 or not all(part and len(part.split()) <= _MAX_WORDS_PER_NAME for part in parts):
        return ()
    if any(any(character.isdigit() for character in part) for part in parts):
        return ()
    return tuple(f"{first} {last}" for last, first in zip(parts[::2], parts[1::2], strict=True))


def _is_triplet(*lines: Line) -> bool:
    if len(lines) != 3:
        return False
    title, names, abstract = lines
    return is_title(title) and bool(_authors(names.text)) and is_abstract(abstract) and not is_abstract(title)


def _record(title: Line, names: Line, abstract: Line, source: str) -> Record | Problem:
    return length_problem(abstract, source) or Record(
        abstract.text, title=title.text, authors=_authors(names.text), source=source, line=title.number
    )
