"""Citation markers in an answer's text: `[n]` stands for the n-th cited paper, counted by first appearance."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.schema import Hit

# [1], [1, 2], [1; 2], [1-3], and the same in full-width brackets, which some models write.
_MARKER = re.compile(r"[\[【]\s*(\d+(?:\s*[,;\u2013-]\s*\d+)*)\s*[\]】]")
_SPACED_MARKER = re.compile(rf"(?<![ \t])[ \t]*{_MARKER.pattern}")
_RANGE = re.compile(r"(\d+)\s*[\u2013-]\s*(\d+)")
# What may become a marker once more of the text has come.
_UNFINISHED = re.compile(r"(?<!\s)\s*[\[【][\d\s,;\u2013-]*$")
# No answer has more sources; a longer number is none.
_MOST_DIGITS = 6
_LONGEST_RANGE = 50


@dataclass(frozen=True, slots=True)
class Resolved:
    """Text whose markers all hold: `[n]` stands for `hits[n - 1]`."""

    text: str
    hits: tuple[Hit, ...]


def resolve(text: str, hits: Sequence[Hit]) -> Resolved:
    """Renumber the markers 1..n by first appearance; markers that name no hit are dropped.

    A marker's number, as the model wrote it, is the 1-based place in `hits`. Several numbers in one pair of
    brackets become a pair each. A marker that comes about only by dropping another one was not meant, and goes too.
    """
    order: dict[int, int] = {}

    def renumbered(marker: re.Match[str]) -> str:
        known = [number for number in _listed(marker[1]) if 1 <= number <= len(hits)]
        space = marker[0][: len(marker[0]) - len(marker[0].lstrip(" \t"))]
        # Numbers are put behind a control character first, so that what is dropped later is never one of ours.
        ours = "".join(f"\0{order.setdefault(number, len(order) + 1)}\0" for number in dict.fromkeys(known))
        return f"{space}{ours}" if ours else ""

    clean = _SPACED_MARKER.sub(renumbered, text.replace("\0", ""))
    while _MARKER.search(clean):
        clean = _SPACED_MARKER.sub("", clean)
    return Resolved(re.sub(r"\0(\d+)\0", r"[\1]", clean).strip(), tuple(hits[number - 1] for number in order))


def settled(text: str) -> str:
    """The text without a last marker that is still being written."""
    return _UNFINISHED.sub("", text)


def numbers(text: str) -> tuple[int, ...]:
    """The numbers cited in a text, in order, each once."""
    return tuple(dict.fromkeys(number for marker in _MARKER.finditer(text) for number in _listed(marker[1])))


def strip(text: str) -> str:
    """The text without its markers."""
    return _SPACED_MARKER.sub("", text).strip()


def has_marker(text: str) -> bool:
    """Whether the text has anything that reads as a marker."""
    return bool(_MARKER.search(text))


def _listed(inside: str) -> list[int]:
    """The numbers between brackets; a range counts all its members, an absurd one none."""
    found: list[int] = []
    for part in re.split(r"[,;]", inside):
        ends = [int(digits) for digits in re.findall(r"\d+", part) if len(digits) <= _MOST_DIGITS]
        if _RANGE.fullmatch(part.strip()):
            first, last = ends if len(ends) == 2 else (1, 0)
            found += range(first, last + 1) if last - first < _LONGEST_RANGE else ()
        else:
            found += ends
    return found
