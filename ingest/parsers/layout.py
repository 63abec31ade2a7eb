"""What a layout's parser is made of, and how lines of a pasted listing are told apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from assistant.schema import Record

# A title is a line of at most this many characters; an abstract has at least so many. The seeds' longest title
# has 155 and their shortest abstract 415.
LONGEST_TITLE = 300
SHORTEST_ABSTRACT = 200
# No abstract is longer; a longer line is a whole document or a broken file.
LONGEST_ABSTRACT = 20_000


@dataclass(frozen=True, slots=True)
class Line:
    """A non-empty line, stripped, with its 1-based number in the file."""

    number: int
    text: str


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


class Layout(Protocol):
    """A module that knows one layout."""

    def recognises(self, lines: Sequence[Line]) -> bool:
        """Whether the lines look like this layout."""
        ...

    def parse(self, lines: Sequence[Line], source: str) -> Iterator[Record | Problem]:
        """The records, and what could not be read as one, in the file's order."""
        ...


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
    return Problem(
        source, line.number, f"a line of {len(line.text):,} characters is no abstract (most: {LONGEST_ABSTRACT:,})"
    )
