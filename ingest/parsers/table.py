"""Parse tables with a header: columns in any order, separated by comma, semicolon, tab or vertical bar."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from assistant.schema import Record
from ingest.parsers.base import Line, Problem, first_pieces
from ingest.parsers.columns import extract, recognized_fields
from ingest.parsers.fields import make_record

_DELIMITERS = ",\t;|"
# What may stand above the header: the search of Embase with a rule below it, and the delimiter of Excel.
_ABOVE = re.compile(r'sep=|"|-{3,}\s*$')


def matches(head: Sequence[Line]) -> bool:
    """Return whether one of the first lines names two recognized columns, one of them for titles or abstracts."""
    return _header(iter(head)) is not None


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """Yield a record for each row, and a problem for a row with a missing or an additional cell."""
    remaining = first_pieces(lines)
    header = _header(remaining) or Line(0, "")
    delimiter = _delimiter(header.text)
    columns = _cells(header.text, delimiter)
    rows = _Rows(remaining, delimiter)
    for line, row in rows:
        if reason := _row_problem(row, len(columns)):
            yield Problem(source, line, f"skipped: {reason}")
            rows.retry(len(columns))
        elif isinstance(row, list):
            yield make_record(extract(dict(zip(columns, row, strict=False))), source, line)


def _row_problem(row: list[str] | csv.Error, columns: int) -> str:
    """Return what is wrong with a row, or nothing. Cells beyond the header's columns must be blank."""
    if isinstance(row, csv.Error):
        return str(row) or "broken CSV"
    if len(row) < columns or any(map(str.strip, row[columns:])):
        return f"the row has {len(row)} columns, the header {columns}"
    return ""


class _Rows:
    """Iterate over a table's rows, each with its first line's number and its cells, or the error in their place."""

    def __init__(self, lines: Iterator[Line], delimiter: str) -> None:
        self._lines, self._delimiter = lines, delimiter
        self._unread: deque[Line] = deque()
        self._row_lines: list[Line] = []

    def __iter__(self) -> Iterator[tuple[int, list[str] | csv.Error]]:
        while row := self._next():
            if isinstance(row[1], csv.Error) or any(map(str.strip, row[1])):
                yield row

    def retry(self, columns: int) -> None:
        """Resume at the first line of the last row that is a complete row itself: a stray quote joined them."""
        for index, line in enumerate(self._row_lines):
            if index and len(_cells(line.text, self._delimiter)) == columns:
                self._unread.extendleft(reversed(self._row_lines[index:]))
                return

    def _next(self) -> tuple[int, list[str] | csv.Error] | None:
        self._row_lines = []
        try:
            row = next(csv.reader(self._texts(), delimiter=self._delimiter), None)
        except csv.Error as error:
            return self._row_lines[0].number, error
        return None if row is None else (self._row_lines[0].number, row)

    def _texts(self) -> Iterator[str]:
        while line := self._unread.popleft() if self._unread else next(self._lines, None):
            self._row_lines.append(line)
            yield line.raw


def _header(lines: Iterator[Line]) -> Line | None:
    """Return the header, with the iterator behind it; None where something else comes first."""
    for line in lines:
        if _is_header(line):
            return line
        if line.text.strip() and not _ABOVE.match(line.text):
            return None
    return None


def _is_header(line: Line) -> bool:
    fields = recognized_fields(_cells(line.text, _delimiter(line.text)))
    return len(fields) > 1 and not fields.isdisjoint(["title", "abstract"])


def _delimiter(header: str) -> str:
    """Return the delimiter that splits a header into the most recognized columns."""
    return max(_DELIMITERS, key=lambda delimiter: len(recognized_fields(_cells(header, delimiter))))


def _cells(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text.strip("\ufeff")], delimiter=delimiter), [])
    except csv.Error:
        return []
