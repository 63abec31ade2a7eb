"""Tables with a header: comma, semicolon, tab or bar between the columns, which stand in any order."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from assistant.schema import Record
from ingest.parsers.base import Line, Problem, first_pieces
from ingest.parsers.columns import fields, known
from ingest.parsers.fields import record

_DELIMITERS = ",\t;|"


def recognises(head: Sequence[Line]) -> bool:
    """The first line names two columns that are known, one of them for titles or abstracts."""
    top = next((line for line in head if _says_something(line)), Line(0, ""))
    found = known(_cells(top.text, _delimiter(top.text)))
    return len(found) > 1 and not found.isdisjoint(["title", "abstract"])


def parse(lines: Iterable[Line], source: str) -> Iterator[Record | Problem]:
    """A record for each row. A row with a cell too few or too many is reported: nobody knows which one it is."""
    whole = first_pieces(lines)
    top = next((line for line in whole if _says_something(line)), Line(0, ""))
    delimiter = _delimiter(top.text)
    names = _cells(top.text, delimiter)
    rows = _Rows(whole, delimiter)
    for line, row in rows:
        if isinstance(row, csv.Error):
            complaint = str(row)
        elif len(row) < len(names) or any(map(str.strip, row[len(names) :])):
            complaint = f"the row has {len(row)} columns, the header {len(names)}"
        else:
            yield record(fields(dict(zip(names, row, strict=False))), source, line)
            continue
        yield Problem(source, line, f"skipped: {complaint}")
        rows.retry(len(names))


class _Rows:
    """A table's rows, each with the number of its first line, or with what is wrong with it."""

    def __init__(self, lines: Iterator[Line], delimiter: str) -> None:
        self._lines, self._delimiter = lines, delimiter
        self._again: deque[Line] = deque()
        self._taken: list[Line] = []

    def __iter__(self) -> Iterator[tuple[int, list[str] | csv.Error]]:
        while row := self._next():
            if isinstance(row[1], csv.Error) or any(map(str.strip, row[1])):
                yield row

    def retry(self, columns: int) -> None:
        """After a bad row: read again from the first line in it that is a row on its own. A stray quote joined them."""
        for at, line in enumerate(self._taken):
            if at and len(_cells(line.text, self._delimiter)) == columns:
                self._again.extendleft(reversed(self._taken[at:]))
                return

    def _next(self) -> tuple[int, list[str] | csv.Error] | None:
        self._taken = []
        try:
            row = next(csv.reader(self._texts(), delimiter=self._delimiter), None)
        except csv.Error as error:
            return self._taken[0].number, error
        return None if row is None else (self._taken[0].number, row)

    def _texts(self) -> Iterator[str]:
        while line := self._again.popleft() if self._again else next(self._lines, None):
            self._taken.append(line)
            yield line.whole


def _says_something(line: Line) -> bool:
    # Excel may put its delimiter on top of the header.
    return bool(line.text.strip()) and not line.text.startswith("sep=")


def _delimiter(header: str) -> str:
    """The delimiter that parts a header into most columns known."""
    return max(_DELIMITERS, key=lambda each: len(known(_cells(header, each))))


def _cells(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text.strip("\ufeff")], delimiter=delimiter), [])
    except csv.Error:
        return []
