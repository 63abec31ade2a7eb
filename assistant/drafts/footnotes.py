"""Find the footnotes of Pandoc's Markdown: `[^mark]` with its text further down, and `^[inline ones]`."""

from __future__ import annotations

import re
from collections.abc import Iterator

# The beginning of the text of a footnote.
DEFINITION = re.compile(r"[ ]{0,3}\[\^(?P<mark>[^\]\s]+)\]:[ \t]*")
_LINE_START = re.compile(r"^" + DEFINITION.pattern, re.MULTILINE)
_MARK = re.compile(r"\[\^(?P<mark>[^\]\s]+)\]|\^\[(?P<text>(?:[^\[\]\n]|\[[^\[\]\n]*\])*)\]")
# Where the text of a footnote ends: at an empty line, or at the next footnote.
_END = re.compile(r"\n[ \t]*\n|\n(?=[ ]{0,3}\[\^[^\]\s]+\]:)")


def definitions(source: str, end: int) -> dict[str, tuple[int, int]]:
    """Return the span of the text of each footnote that stands before the offset, by its mark."""
    spans: dict[str, tuple[int, int]] = {}
    for match in _LINE_START.finditer(source, 0, end):
        closing = _END.search(source, match.end(), end)
        spans.setdefault(match["mark"], (match.end(), closing.start() if closing else end))
    return spans


def marks(source: str, start: int, end: int) -> Iterator[re.Match[str]]:
    """Yield the marks and the inline footnotes of a span, in order; the group `text` is that of an inline one."""
    yield from _MARK.finditer(source, start, end)
