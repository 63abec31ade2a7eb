"""Read and remove the markers of a resolved text, in which `[n]` stands for the n-th citation."""

from __future__ import annotations

import re

from assistant.citations.markers import expand_numbers

# [1], [1, 2], [1; 2], [1-3], and the same in full-width brackets; an interval such as [0, 1] is no marker.
_MARKER = re.compile(r"[\[【]\s*(?!0+\s*[,;])(\d+(?:\s*[,;\u2013-]\s*\d+)*)\s*[\]】]")
_GROUP = re.compile(rf"(?<![ \t])[ \t]*(?P<markers>{_MARKER.pattern}(?:[ \t]*{_MARKER.pattern})*)")


def numbers(text: str) -> tuple[int, ...]:
    """Return the numbers cited in a text, in order, without repetition."""
    return tuple(dict.fromkeys(number for marker in _MARKER.finditer(text) for number in expand_numbers(marker[1])))


def strip(text: str) -> str:
    """Return the text without its markers."""
    return _GROUP.sub("", text).strip()


def has_marker(text: str) -> bool:
    """Tell whether the text contains anything that reads as a marker."""
    return bool(_MARKER.search(text))
