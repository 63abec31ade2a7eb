"""Share what every parser needs: lines, problems, the protocol of a format, and tests for titles and abstracts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from assistant.schema import Record
from assistant.text.printable import printable

# The seeds' longest title has 155 characters and their shortest abstract 415.
LONGEST_TITLE = 300
SHORTEST_ABSTRACT = 200
# A longer text is a whole document or a broken file.
LONGEST_ABSTRACT = 20_000
# In characters, for every format. A longer record is skipped while it is read and never kept in memory.
LONGEST_RECORD = 1 << 23


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its line end, and its 1-based number in the file.

    A line longer than a block is split into pieces: `continues` is true for every piece except the last.
    """

    number: int
    text: str
    continues: bool = False

    @property
    def raw(self) -> str:
        """Return the text, with the line end if this piece includes it."""
        return self.text if self.continues else f"{self.text}\n"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a source that could not be read as intended.

    `line` is 1-based, or 0 for the whole source. `lost` is true if a record was skipped; otherwise this is a warning.
    """

    source: str
    line: int
    reason: str
    lost: bool = True

    def __str__(self) -> str:
        location = f"{self.source}:{self.line}" if self.line else self.source
        return f"{location}: {self.reason}"


class RecordFormat(Protocol):
    """A module that parses one format."""

    def matches(self, head: Sequence[Line]) -> bool:
        """Return whether a file that begins with these lines has this format."""
        ...

    def parse(self, lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
        """Yield the records and problems of a file in file order, reading lines only as needed."""
        ...


def clean(text: str) -> str:
    """Return the text without unprintable characters, stripped of surrounding white space."""
    return printable(text, keep="\t", gap=" ").strip()


def first_pieces(lines: Iterable[Line]) -> Iterator[Line]:
    """Yield the lines, and of a line in several pieces only the first piece."""
    inside_line = False
    for line in lines:
        if not inside_line:
            yield line
        inside_line = line.continues


def nonblank_lines(lines: Iterable[Line]) -> Iterator[Line]:
    """Yield the cleaned first piece of every line that is not blank."""
    for line in first_pieces(lines):
        if text := clean(line.text):
            yield Line(line.number, text, line.continues)


def is_abstract(line: Line) -> bool:
    """Return whether the line is long enough for an abstract."""
    return len(line.text) >= SHORTEST_ABSTRACT


def is_title(line: Line) -> bool:
    """Return whether the line is short enough for a title and contains a letter."""
    return len(line.text) <= LONGEST_TITLE and bool(re.search(r"[^\W\d_]", line.text))


def length_problem(line: Line, source: str) -> Problem | None:
    """Return a problem if the line is too long for an abstract."""
    if len(line.text) <= LONGEST_ABSTRACT:
        return None
    length = f"{'more than ' if line.continues else ''}{len(line.text):,} characters"
    return Problem(source, line.number, f"a line of {length} is too long for an abstract (limit: {LONGEST_ABSTRACT:,})")
