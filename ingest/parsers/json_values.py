"""JSON Lines and JSON documents to objects, as they come: a document's array is never held whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from ingest.parsers.base import LONGEST_RECORD, Line, Problem, first_pieces

# Control characters within strings are no reason to lose a record.
_DECODER = json.JSONDecoder(strict=False)
_BEGINNING = re.compile(r'\ufeff?\s*(?:\{\s*["}]|\[\s*(?:[{\]]|$))')
# How many of the first lines tell lines of objects from a document.
_SAMPLE = 50
_BETWEEN = re.compile(r"[\s,\[\]\ufeff]*")
# Where a document may go on behind something broken, and how often that is tried.
_ELEMENT = re.compile(r"(?:[,\[]\s{0,99}|\n)(?=\{)")
_TRIES = 1_000


@dataclass(frozen=True, slots=True)
class Value:
    """What a line or an array's element holds, and the line on which it begins.

    `doubtful`: it stands behind something broken, so it may as well be a part of that.
    """

    line: int
    value: Any
    doubtful: bool = False


def begins(head: Sequence[Line]) -> bool:
    """Whether a file with this head is JSON."""
    text = "".join(line.whole for line in islice(head, _SAMPLE))
    return bool(_BEGINNING.match(text)) or _are_objects(head)


def values(lines: Iterable[Line], source: str) -> Iterator[Value | Problem]:
    """What stands on each line, or is an element of the document's outermost array; what is broken is reported."""
    coming = iter(lines)
    head = list(islice(coming, _SAMPLE))
    read = _of_lines if _are_objects(head) else _of_document
    yield from read(chain(head, coming), source)


def _are_objects(head: Iterable[Line]) -> bool:
    """Whether most of the first lines are an object each."""
    said = [line for line in first_pieces(islice(head, _SAMPLE)) if line.text.strip()]
    return sum(map(_is_object, said)) * 2 > len(said)


def _is_object(line: Line) -> bool:
    try:
        return line.text.startswith("{") and not line.more and isinstance(_DECODER.decode(line.text), dict)
    except (ValueError, RecursionError):
        return False


def _of_lines(lines: Iterable[Line], source: str) -> Iterator[Value | Problem]:
    for number, text in _joined(lines):
        if len(text) > LONGEST_RECORD:
            yield Problem(source, number, f"a line of more than {LONGEST_RECORD:,} characters")
        elif text.strip():
            try:
                yield Value(number, _DECODER.decode(text))
            except (ValueError, RecursionError) as error:
                yield Problem(source, number, f"skipped: broken JSON: {error}")


def _joined(lines: Iterable[Line]) -> Iterator[tuple[int, str]]:
    """Each line with its number; of an endless one a little more than can be a record."""
    held, size = [], 0
    for line in lines:
        if size <= LONGEST_RECORD:
            held.append(line.text)
            size += len(line.text)
        if not line.more:
            yield line.number, "".join(held)
            held, size = [], 0


def _of_document(lines: Iterable[Line], source: str) -> Iterator[Value | Problem]:
    document = _Document(lines)
    failures, broken = 0, False
    while document.skip():
        line = document.line
        try:
            value = document.value()
        except (ValueError, RecursionError) as error:
            if not (broken or (failures and not document.at_object) or document.is_outermost(error)):
                yield Problem(source, line, f"skipped: broken JSON: {error}")
            failures, broken = failures + 1, True
            if failures > _TRIES:
                yield Problem(source, document.line, "too much of it is broken; the rest is not read")
                return
            document.skip_to_element()
        else:
            yield Value(line, value, doubtful=failures > 0)
            broken = broken and not isinstance(value, dict)


class _TooLong(ValueError):
    """A value that is longer than any record."""


class _Document:
    """A text that is read from value to value; only what is being read is held."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = iter(lines)
        self._text, self._at = "", 0
        self.line, self._beyond = 1, False

    @property
    def at_object(self) -> bool:
        """Whether an object begins here."""
        return self._text.startswith("{", self._at)

    def is_outermost(self, error: Exception) -> bool:
        """Whether what failed is the outermost object of a large file: no record, but with records in its arrays."""
        return isinstance(error, _TooLong) and self.at_object and not self._beyond

    def skip(self) -> bool:
        """Go to the next value; false if there is none."""
        while True:
            self._go_to(_BETWEEN.match(self._text, self._at).end())  # type: ignore[union-attr]  # matches anything
            if self._at < len(self._text):
                return True
            if not self._fill(1):
                return False

    def value(self) -> Any:
        """The value here. Raises ValueError or RecursionError, and stays, where it is broken or too long."""
        wanted = 1 << 16
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                held = len(self._text) - self._at
                if not _cut_off(error) or (held <= LONGEST_RECORD and not self._fill(wanted)):
                    raise
                if held > LONGEST_RECORD:
                    raise _TooLong(f"a value of more than {LONGEST_RECORD:,} characters") from None
                wanted *= 2
            else:
                self._go_to(end)
                self._beyond = True
                return value

    def skip_to_element(self) -> None:
        """Go behind what is here to where the next element of some array may begin."""
        self._beyond = True
        self._go_to(self._at + 1)
        while not (found := _ELEMENT.search(self._text, self._at - 1)):
            self._go_to(max(self._at, len(self._text) - 99))
            if not self._fill(1):
                self._go_to(len(self._text))
                return
        self._go_to(found.end())

    def _go_to(self, position: int) -> None:
        self.line += self._text.count("\n", self._at, position)
        self._at = position

    def _fill(self, wanted: int) -> bool:
        """Hold at least so many more characters; false if there are none."""
        pieces = [self._text[self._at :]]
        for line in self._lines:
            pieces.append(line.whole)
            wanted -= len(line.text)
            if wanted <= 0:
                break
        self._text, self._at = "".join(pieces), 0
        return len(pieces) > 1


def _cut_off(error: json.JSONDecodeError) -> bool:
    """Whether the text may just have ended too early: within a string, a number, an escape or a word."""
    return error.msg.startswith("Unterminated string") or error.pos >= len(error.doc) - 9
