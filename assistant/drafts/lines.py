"""Find the lines of offsets."""

from __future__ import annotations

from bisect import bisect_right


class SourceLines:
    """Lines and columns, from 1, of the offsets of a text."""

    def __init__(self, text: str) -> None:
        self._starts = [0]
        self._starts += [position + 1 for position, character in enumerate(text) if character == "\n"]

    def position(self, offset: int) -> tuple[int, int]:
        """Return the line and the column of an offset."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1
