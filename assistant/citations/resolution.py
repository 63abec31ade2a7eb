"""Citations in an answer's text: `[n]` stands for the n-th cited paper, counted by first appearance."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.citations import markers, references
from assistant.schema import Hit

# [1], [1, 2], [1; 2], [1-3], and the same in full-width brackets; an interval such as [0, 1] is none.
_MARKER = re.compile(r"[\[【]\s*(?!0+\s*[,;])(\d+(?:\s*[,;\u2013-]\s*\d+)*)\s*[\]】]")
_SPACED_MARKER = re.compile(rf"(?<![ \t])[ \t]*{_MARKER.pattern}")
# What may become a marker, or another one, once more of the text has come.
_UNFINISHED = re.compile(
    r"(?<!\s)\s*(?:\\?[\[【(][^\[\]【】()\n]{0,200}|\(\d{1,2}(?:\s*[,;\u2013-]\s*\d{1,2})*\)|\\"
    r"|[⁰¹²³⁴⁵⁶⁷⁸⁹][⁰¹²³⁴⁵⁶⁷⁸⁹,˒]*|(?:(?<=\bAbstract )|(?<=\bSource )|(?<=\bDocument )|(?<=\bDoc ))\d{0,2})\s*\Z"
)
# As much of a text as a marker may take up.
_LOOKED_BACK = 250
_BRACKETS = re.compile(r"[\[\]【】()⁰¹²³⁴⁵⁶⁷⁸⁹]")
# Dropping a marker may make another one; nobody who means citations nests them deeper.
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Resolved:
    """Text whose markers all hold: `[n]` stands for `hits[n - 1]`; `dropped` is how many citations stood for none."""

    text: str
    hits: tuple[Hit, ...]
    dropped: int = 0


def resolve(text: str, hits: Sequence[Hit]) -> Resolved:
    """Write every marker as `[n]`, numbered by first appearance; citations of what is no hit are dropped.

    A marker's number, as the model wrote it, is the 1-based place in `hits`, unless a list of references at the end,
    which is taken away, says that it means another one. See `assistant.citations.markers` for what
    is a marker. Resolving the result again changes nothing.
    """
    found = Resolved(text, tuple(hits))
    for depth in range(len(text) + _DEEPEST):
        again = _once(found.text if depth != _DEEPEST else _BRACKETS.sub("", found.text), found.hits)
        stable = (again.text, again.hits) == (found.text, found.hits)
        found = Resolved(again.text, again.hits, found.dropped + again.dropped)
        if stable:
            break
    return found


def settled(text: str) -> str:
    """The text without a last marker, or a list of references, that is still being written."""
    whole = references.before_list(text)
    return whole[:-_LOOKED_BACK] + _UNFINISHED.sub("", whole[-_LOOKED_BACK:])


def numbers(text: str) -> tuple[int, ...]:
    """The numbers cited in a text, in order, each once."""
    return tuple(dict.fromkeys(number for marker in _MARKER.finditer(text) for number in markers.listed(marker[1])))


def strip(text: str) -> str:
    """The text without its markers."""
    return _SPACED_MARKER.sub("", text).strip()


def has_marker(text: str) -> bool:
    """Whether the text has anything that reads as a marker."""
    return bool(_MARKER.search(text))


def _once(text: str, hits: Sequence[Hit]) -> Resolved:
    papers = [hit.paper for hit in hits]
    body, renamed = references.without_list(text, papers)
    order: dict[int, int] = {}
    parts, at, dropped = [], 0, 0
    for marker in markers.find(body, papers, renamed):
        before = body[at : marker.start]
        ours = "".join(f"[{order.setdefault(place, len(order) + 1)}]" for place in marker.places)
        parts.append(f"{before}{ours}" if ours else before.rstrip(" \t"))
        at, dropped = marker.end, dropped + marker.invented
    clean = "".join([*parts, body[at:]]).strip()
    return Resolved(clean, tuple(hits[place - 1] for place in order), dropped)
