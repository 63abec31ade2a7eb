"""A publication list as pasted: the author's name, then title, authors and abstract lines for each paper.

Authors stand as `Last, First` pairs: `Lin, Yong, Tang, Shange`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from assistant.schema import Record
from ingest.parsers.base import Line, Problem, filled, is_abstract, is_title, too_long

# No part of a person's name has more words.
_MOST_WORDS = 4


def recognises(head: Sequence[Line]) -> bool:
    """After the banner, most lines stand in triplets of a title, authors and an abstract."""
    lines = list(filled(head))
    triplets = sum(_is_triplet(*three) for three in zip(lines, lines[1:], lines[2:], strict=False))
    return triplets > 0 and triplets * 3 >= (len(lines) - 1) * 0.8


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """A record for each triplet; lines that belong to none are reported, except an author's banner on top."""
    coming = filled(lines)
    window = list(islice(coming, 3))
    on_top = True
    while window:
        done = 3 if _is_triplet(*window) else 1
        if done == 3:
            yield _record(window[0], window[1], window[2], source)
        elif problem := too_long(window[0], source):
            yield problem
        elif not on_top or not authors(window[0].text):
            yield Problem(source, window[0].number, "skipped: not part of a title, authors, abstract group")
        window = [*window[done:], *islice(coming, done)]
        on_top = False


def authors(text: str) -> tuple[str, ...]:
    """Names as `First Last` from `Last, First` pairs; empty where the text is not such a list."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) % 2 or not all(part and len(part.split()) <= _MOST_WORDS for part in parts):
        return ()
    if any(any(character.isdigit() for character in part) for part in parts):
        return ()
    return tuple(f"{first} {last}" for last, first in zip(parts[::2], parts[1::2], strict=True))


def _is_triplet(*lines: Line) -> bool:
    if len(lines) != 3:
        return False
    title, names, abstract = lines
    return is_title(title) and bool(authors(names.text)) and is_abstract(abstract) and not is_abstract(title)


def _record(title: Line, names: Line, abstract: Line, source: str) -> Record | Problem:
    return too_long(abstract, source) or Record(
        abstract.text, title=title.text, authors=authors(names.text), source=source, line=title.number
    )
