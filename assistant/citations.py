"""Citation markers in an answer's text: `[n]` stands for the n-th cited paper, counted by first appearance."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.schema import Hit

# [1], [1, 2], [1; 2], [1-3], and the same in full-width brackets, which some models write.
_MARKER = re.compile(r"[\[【]\s*(\d{1,4}(?:\s*[,;\u2013-]\s*\d{1,4})*)\s*[\]】]")
_RANGE = re.compile(r"(\d+)\s*[\u2013-]\s*(\d+)")


@dataclass(frozen=True, slots=True)
class Resolved:
    """Text whose markers all hold: `[n]` stands for `hits[n - 1]`."""

    text: str
    hits: tuple[Hit, ...]


def resolve(text: str, hits: Sequence[Hit]) -> Resolved:
    """Renumber the markers 1..n by first appearance; markers that name no hit are dropped.

    A marker's number, as the model wrote it, is the 1-based place in `hits`. Several numbers in one pair of
    brackets become a pair each.
    """
    order: dict[int, int] = {}

    def renumbered(marker: re.Match[str]) -> str:
        known = [number for number in _listed(marker.group(1)) if 1 <= number <= len(hits)]
        return "".join(f"[{order.setdefault(number, len(order) + 1)}]" for number in dict.fromkeys(known))

    clean = _MARKER.sub(renumbered, text)
    if clean != text:
        clean = re.sub(r"[ \t]+(?=[.,;:!?](?:\s|$))", "", clean)
    return Resolved(clean.strip(), tuple(hits[number - 1] for number in order))


def numbers(text: str) -> tuple[int, ...]:
    """The numbers cited in a text, in order, each once."""
    return tuple(dict.fromkeys(number for marker in _MARKER.finditer(text) for number in _listed(marker.group(1))))


def strip(text: str) -> str:
    """The text without its markers."""
    return re.sub(r"[ \t]+([.,;:!?])", r"\1", _MARKER.sub("", text)).strip()


def has_marker(text: str) -> bool:
    """Whether the text has anything that reads as a marker."""
    return bool(_MARKER.search(text))


def _listed(inside: str) -> list[int]:
    """The numbers between brackets; a range counts all its members, an absurd one none."""
    found: list[int] = []
    for part in re.split(r"[,;]", inside):
        if span := _RANGE.fullmatch(part.strip()):
            first, last = int(span[1]), int(span[2])
            found += range(first, last + 1) if 0 <= last - first < 50 else ()
        else:
            found += [int(number) for number in re.findall(r"\d+", part)]
    return found
