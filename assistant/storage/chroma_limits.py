"""How many rows one request to Chroma may have: what the server tells, and what it teaches by refusing.

Chroma's single-node server tells how many rows a write may have, and reads any number. Its hosted service enforces less
than it tells, and limits the rows of a read and the results of a search too; a proxy may limit the bytes of a request.
So a request that is refused for its size is repeated in smaller parts, and what was learned counts from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from assistant.errors import LibraryError
from assistant.storage.chroma_location import size_limit

Value = TypeVar("Value")

# Rows in one write to a server that does not tell its limit.
_DEFAULT_WRITE = 1000
# Ids of all rows in one page: Chroma counts the rows before a page from the beginning, so that pages of 20,000 took
# 272 s over a million rows. (With their metadata, it would return at most 32,766 rows.)
_DEFAULT_READ = 200_000
# Ids in one read: a server takes 8 KB for the vector of each row, as decimals.
_MAX_IDS = 4_000
_UNLIMITED = 2**31 - 1


@dataclass(slots=True)
class RequestLimits:
    """The most rows that one request may write or read, and the most results of a search."""

    write: int = _DEFAULT_WRITE
    read: int = _DEFAULT_READ
    results: int = _UNLIMITED
    _is_write_learned: bool = False

    def set_told(self, rows: int) -> None:
        """Take the limit of writes that the server tells, unless it has refused as many; 0 or less tells none."""
        if rows > 0 and not (self._is_write_learned and rows > self.write):
            self.write = rows

    def write_in_parts(self, values: Sequence[Value], write: Callable[[list[Value]], object]) -> None:
        """Write the values in as few requests as the server takes. Raises LibraryWriteError."""
        start = 0
        while start < len(values):
            part = list(values[start : start + self.write])
            try:
                write(part)
            except LibraryError as error:
                self.write, self._is_write_learned = _smaller(error, len(part)), True
            else:
                start += len(part)

    def read_in_pages(self, read: Callable[[int, int], Any]) -> Iterator[Any]:
        """Yield the results of `read(limit, offset)`, which have `ids`, until there are no more rows.

        The limit is always sent: without one, the hosted service returns its maximum and does not tell of the rest.
        """
        offset = 0
        while True:
            limit = self.read
            try:
                page = read(limit, offset)
            except LibraryError as error:
                self.read = _smaller(error, limit)
                continue
            yield page
            offset += len(page["ids"])
            if len(page["ids"]) < limit:
                return

    def read_in_parts(self, values: Sequence[Value], read: Callable[[list[Value]], Any]) -> Iterator[Any]:
        """Yield what is read for the values, in as few requests as the server answers; a value has one row at most."""
        start = 0
        while start < len(values):
            part = list(values[start : start + min(self.read, _MAX_IDS)])
            try:
                page = read(part)
            except LibraryError as error:
                self.read = _smaller(error, len(part))
                continue
            yield page
            start += len(part)

    def search(self, wanted: int, search: Callable[[int], Any]) -> Any:
        """Return what a search for so many results returns, or for as many as the server gives at most."""
        while True:
            results = min(wanted, self.results)
            try:
                return search(results)
            except LibraryError as error:
                self.results = _smaller(error, results)


def _smaller(error: LibraryError, rows: int) -> int:
    """Return the number of rows to try after a refusal of so many; raise the error where fewer would not help."""
    limit = size_limit(error)
    if limit is None:
        raise error
    fewer = limit or rows // 2  # the server may not tell how many it takes
    if not 0 < fewer < rows:
        raise error
    return fewer
