"""A language model's output without unprintable characters and without its reasoning."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from assistant.text.printable import printable

_SURROGATE = re.compile(r"[\ud800-\udfff]")
# Some models put their reasoning between these tags, and not every server removes it.
_OPENING, _CLOSING = "<think>", "</think>"


def filter_output(pieces: Iterable[str]) -> Iterator[str]:
    """Yield the pieces as they can be shown. A piece of which nothing remains is empty."""
    reasoning = _ReasoningFilter()
    for piece in pieces:
        yield _readable(reasoning.feed(piece))
    yield _readable(reasoning.flush())


def _readable(text: str) -> str:
    return printable(_SURROGATE.sub("\ufffd", text.replace("\r", "")), keep="\n\t")


class _ReasoningFilter:
    """Removes the reasoning at the beginning of a reply; the same tags further on are text."""

    def __init__(self) -> None:
        self._buffer, self._is_over = "", False

    def feed(self, piece: str) -> str:
        """Return what can be shown now that this piece has arrived."""
        if self._is_over:
            return piece
        self._buffer += piece
        start = self._buffer.lstrip()
        if start.startswith(_OPENING):
            answer = start.partition(_CLOSING)[2].lstrip()
            self._is_over = bool(answer)
            return answer
        if _OPENING.startswith(start):
            return ""
        self._is_over = True
        return self._buffer

    def flush(self) -> str:
        """Return what was withheld as the possible beginning of a tag and did not become one."""
        is_reasoning = self._buffer.lstrip().startswith(_OPENING)
        return "" if self._is_over or is_reasoning else self._buffer
