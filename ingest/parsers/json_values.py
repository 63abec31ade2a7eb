"""Read values from JSON Lines or from a JSON document as they arrive; a document is never kept in memory as a whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from ingest.parsers.base import LONGEST_RECORD, Line, Problem, first_pieces

# Not strict: a control character within a string is no reason to lose a record.
_DECODER = json.JSONDecoder(strict=False)
_BEGINNING = re.compile(r'\ufeff?\s*(?:\{\s*["}]|\[\s*(?:[{\]]|$))')
# How many lines are needed to distinguish JSON Lines from a document.
_SAMPLE = 50
_SEPARATORS = re.compile(r"[\s,\[\]\ufeff]*")
# Where parsing may resume after an error, and how often to try.
_ELEMENT = re.compile(r"(?:[,\[]\s{0,99}|\n)(?=\{)")
_MAX_ERRORS = 1_000


@dataclass(frozen=True, slots=True)
class JsonValue:
    """The value of a line or of an array element, and the line on which it begins.

    `after_error` is true for values after a syntax error: they may be fragments of the broken one.
    """

    line: int
    value: Any
    after_error: bool = False


def is_json(head: Sequence[Line]) -> bool:
    """Return whether a file with these first lines is JSON."""
    text = "".join(line.raw for line in islice(head, _SAMPLE))
    return bool(_BEGINNING.match(text)) or _is_json_lines(head)


def iter_values(lines: Iterable[Line], source: str) -> Iterator[JsonValue | Problem]:
    """Yield the value of each line, or each element of the document's outermost array, and a problem if broken."""
    remaining = iter(lines)
    head = list(islice(remaining, _SAMPLE))
    read = _read_lines if _is_json_lines(head) else _read_document
    yield from read(chain(head, remaining), source)


def _is_json_lines(head: Iterable[Line]) -> bool:
    """Return whether most of the first lines are one object each."""
    lines = [line for line in first_pieces(islice(head, _SAMPLE)) if line.text.strip()]
    return sum(map(_is_object, lines)) * 2 > len(lines)


def _is_object(line: Line) -> bool:
    try:
        return line.text.startswith("{") and not line.continues and isinstance(_DECODER.decode(line.text), dict)
    except (ValueError, RecursionError):
        return False


def _read_lines(lines: Iterable[Line], source: str) -> Iterator[JsonValue | Problem]:
    for number, text in _joined_pieces(lines):
        if len(text) > LONGEST_RECORD:
            yield Problem(source, number, f"a line of more than {LONGEST_RECORD:,} characters")
        elif text.strip():
            try:
                yield JsonValue(number, _DECODER.decode(text))
            except (ValueError, RecursionError) as error:
                yield Problem(source, number, f"skipped: broken JSON: {error}")


def _joined_pieces(lines: Iterable[Line]) -> Iterator[tuple[int, str]]:
    """Yield the number and text of each line, cut shortly after the record limit."""
    pieces, size = [], 0
    for line in lines:
        if size <= LONGEST_RECORD:
            pieces.append(line.text)
            size += len(line.text)
        if not line.continues:
            yield line.number, "".join(pieces)
            pieces, size = [], 0


def _read_document(lines: Iterable[Line], source: str) -> Iterator[JsonValue | Problem]:
    document = _JsonDocument(lines)
    errors, is_broken = 0, False
    while document.skip_separators():
        line = document.line
        try:
            value = document.read_value()
        except (ValueError, RecursionError) as error:
            if not (is_broken or (errors and not document.at_object) or document.is_outermost(error)):
                yield Problem(source, line, f"skipped: broken JSON: {error}")
            errors, is_broken = errors + 1, True
            if errors > _MAX_ERRORS:
                yield Problem(source, document.line, "too much of it is broken; the rest is not read")
                return
            document.skip_to_element()
        else:
            yield JsonValue(line, value, after_error=errors > 0)
            is_broken = is_broken and not isinstance(value, dict)


class _TooLong(ValueError):
    """Raised for a value that is longer than any record."""


class _JsonDocument:
    """Read a text value by value, with no more than the current value in memory."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = iter(lines)
        self._text, self._position = "", 0
        self.line, self._past_start = 1, False

    @property
    def at_object(self) -> bool:
        """Return whether an object begins at the current position."""
        return self._text.startswith("{", self._position)

    def is_outermost(self, error: Exception) -> bool:
        """Return whether reading failed on the outermost object of a large file, whose arrays contain the records."""
        return isinstance(error, _TooLong) and self.at_object and not self._past_start

    def skip_separators(self) -> bool:
        """Move to the next value; return false if there is none."""
        while True:
            self._move_to(_SEPARATORS.match(self._text, self._position).end())  # type: ignore[union-attr]  # always matches
            if self._position < len(self._text):
                return True
            if not self._fill(1):
                return False

    def read_value(self) -> Any:
        """Return the value at the current position and move behind it.

        Raise ValueError or RecursionError, without moving, if the value is broken or too long.
        """
        size = 1 << 16
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._position)
            except json.JSONDecodeError as error:
                buffered = len(self._text) - self._position
                if not _is_cut_off(error) or (buffered <= LONGEST_RECORD and not self._fill(size)):
                    raise
                if buffered > LONGEST_RECORD:
                    raise _TooLong(f"a value of more than {LONGEST_RECORD:,} characters") from None
                size *= 2
            else:
                self._move_to(end)
                self._past_start = True
                return value

    def skip_to_element(self) -> None:
        """Move past the current position to where the next element of an array may begin."""
        self._past_start = True
        self._move_to(self._position + 1)
        while not (match := _ELEMENT.search(self._text, self._position - 1)):
            self._move_to(max(self._position, len(self._text) - 99))
            if not self._fill(1):
                self._move_to(len(self._text))
                return
        self._move_to(match.end())

    def _move_to(self, position: int) -> None:
        self.line += self._text.count("\n", self._position, position)
        self._position = position

    def _fill(self, size: int) -> bool:
        """Read at least this many more characters; return false at the end of the text."""
        pieces = [self._text[self._position :]]
        for line in self._lines:
            pieces.append(line.raw)
            size -= len(line.text)
            if size <= 0:
                break
        self._text, self._position = "".join(pieces), 0
        return len(pieces) > 1


def _is_cut_off(error: json.JSONDecodeError) -> bool:
    """Return whether the text may end too early: within a string, a number, an escape or a word."""
    return error.msg.startswith("Unterminated string") or error.pos >= len(error.doc) - 9
