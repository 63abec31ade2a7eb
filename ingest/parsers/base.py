"""What every parser is made of, and how lines of a pasted listing are told apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from assistant.schema import Record
from assistant.text.printable import printable

# A title is a line of at most this many characters; an abstract has at least so many. The seeds' longest title
# has 155 and their shortest abstract 415.
LONGEST_TITLE = 300
SHORTEST_ABSTRACT = 200
# No abstract is longer; a longer text is a whole document or a broken file.
LONGEST_ABSTRACT = 20_000
# No record of any format is longer, in characters. What is longer is passed over as it comes, never held.
LONGEST_RECORD = 1 << 23


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end, with its 1-based number in the file.

    Lines of any length are held in pieces: `more` says that the line goes on in the next piece.
    """

    number: int
    text: str
    more: bool = False

    @property
    def whole(self) -> str:
        """The text with its line end, if it is here."""
        return self.text if self.more else f"{self.text}\n"


@dataclass(frozen=True, slots=True)
class Problem:
    """A place of a source that could not be read as it should be. `line` is 1-based, 0 for the whole file.

    `lost` says whether a record was skipped for it; otherwise it is a warning.
    """

    source: str
    line: int
    reason: str
    lost: bool = True

    def __str__(self) -> str:
        place = f"{self.source}:{self.line}" if self.line else self.source
        return f"{place}: {self.reason}"


class Format(Protocol):
    """A module that knows one format."""

    def recognises(self, head: Sequence[Line]) -> bool:
        """Whether a file that begins with these lines is of this format."""
        ...

    def parse(self, lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
        """The records, and what could not be read as one, in the file's order. Reads on as it yields."""
        ...


def clean(text: str) -> str:
    """The text without control and invisible characters, which no title or abstract means to carry."""
    return printable(text, keep="\t", gap=" ").strip()


def first_pieces(lines: Iterable[Line]) -> Iterator[Line]:
    """The lines, of an endless one its first piece."""
    going_on = False
    for line in lines:
        if not going_on:
            yield line
        going_on = line.more


def filled(lines: Iterable[Line]) -> Iterator[Line]:
    """The lines that say something, cleaned; of an endless line its first piece."""
    for line in first_pieces(lines):
        if text := clean(line.text):
            yield Line(line.number, text, line.more)


def is_abstract(line: Line) -> bool:
    """Whether the line is long enough for an abstract."""
    return len(line.text) >= SHORTEST_ABSTRACT


def is_title(line: Line) -> bool:
    """Whether the line is short enough for a title and has a letter."""
    return len(line.text) <= LONGEST_TITLE and bool(re.search(r"[^\W\d_]", line.text))


def too_long(line: Line, source: str) -> Problem | None:
    """The complaint about a line that is too long for an abstract."""
    if len(line.text) <= LONGEST_ABSTRACT:
        return None
    length = f"{'more than ' if line.more else ''}{len(line.text):,} characters"
    return Problem(source, line.number, f"a line of {length} is no abstract (most: {LONGEST_ABSTRACT:,})")
