"""Resolve the citations of an answer: `[n]` stands for the n-th cited paper, numbered by first appearance."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.citations import markers, references
from assistant.schema import Hit
from assistant.text.superscripts import RAISED_DIGITS

# What may become a marker, or a different one, when more of the text arrives.
_UNFINISHED = re.compile(
    r"(?<!\s)\s*(?:\\?[\[【(][^\[\]【】()\n]{0,200}|\(\d{1,2}(?:\s*[,;\u2013-]\s*\d{1,2})*\)|\\"
    rf"|[{RAISED_DIGITS}][{RAISED_DIGITS},˒]*"
    r"|(?:(?<=\bAbstract )|(?<=\bSource )|(?<=\bDocument )|(?<=\bDoc ))\d{0,2})\s*\Z"
)
# Characters at the end of a text that a marker may take up.
_LOOKBEHIND = 250
_BRACKETS = re.compile(rf"[\[\]【】(){RAISED_DIGITS}]")
# Dropping a marker may form another one. Real citations are not nested deeper than this.
_MAX_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Resolved:
    """Text in which every `[n]` stands for `hits[n - 1]`; `dropped` counts the citations that stood for no hit."""

    text: str
    hits: tuple[Hit, ...]
    dropped: int = 0


def resolve(text: str, hits: Sequence[Hit]) -> Resolved:
    """Rewrite every marker as `[n]`, numbered by first appearance, and drop citations of anything but a hit.

    A number, as the model wrote it, is the 1-based position in `hits`, unless a list of references at the end says
    that it means another hit; that list is removed. See `assistant.citations.markers` for the notations. Resolving
    the result again changes nothing.
    """
    resolved = Resolved(text, tuple(hits))
    for depth in range(len(text) + _MAX_DEPTH):
        body = resolved.text if depth != _MAX_DEPTH else _BRACKETS.sub("", resolved.text)
        again = _resolve_once(body, resolved.hits)
        is_stable = (again.text, again.hits) == (resolved.text, resolved.hits)
        resolved = Resolved(again.text, again.hits, resolved.dropped + again.dropped)
        if is_stable:
            break
    return resolved


def settled(text: str) -> str:
    """Return the text without a last marker, or a list of references, that is still being written."""
    body = references.remove_unfinished_list(text)
    return body[:-_LOOKBEHIND] + _UNFINISHED.sub("", body[-_LOOKBEHIND:])


def _resolve_once(text: str, hits: Sequence[Hit]) -> Resolved:
    papers = [hit.paper for hit in hits]
    body, renumbered = references.remove_list(text, papers)
    order: dict[int, int] = {}
    parts, position, dropped = [], 0, 0
    for marker in markers.find_markers(body, papers, renumbered):
        before = body[position : marker.start]
        rewritten = "".join(f"[{order.setdefault(number, len(order) + 1)}]" for number in marker.numbers)
        parts.append(f"{before}{rewritten}" if rewritten else before.rstrip(" \t"))
        position, dropped = marker.end, dropped + marker.invented
    clean = "".join([*parts, body[position:]]).strip()
    return Resolved(clean, tuple(hits[number - 1] for number in order), dropped)
