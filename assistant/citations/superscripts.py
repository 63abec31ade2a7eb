"""Tell superscripts that cite from those that belong to a formula or a name: `MATH²`, `(x + y)²`.

A superscript says nothing about itself, so the text as a whole decides: a model that cites by superscripts writes each
of them where a clause ends, and only numbers that it was shown. A superscript that an abstract or a title has behind
the same word belongs to that word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.schema import Paper
from assistant.text.superscripts import RAISED_DIGITS, flatten_superscripts

# Behind a word of four letters or more, or behind punctuation: shorter words are units and variables, `m²`, `x²`.
_CANDIDATE = re.compile(
    rf"(?<![{RAISED_DIGITS}⁺⁻])(?:(?<=[^\W\d_]{{4}})|(?<=[.?!;,)\"”’]))"
    rf"[{RAISED_DIGITS}]+(?:[,˒][{RAISED_DIGITS}]+)*"
)
_AFTER_CLAUSE = re.compile(r"[.?!;,][\"”’)]*\Z")
_CLAUSE_END = re.compile(r"[\"”’)*_]*(?:[.?!,;:]|\s*(?:\n|\Z))")
# The word or the end of a formula before a superscript.
_BASE = re.compile(r"[^\s\"“‘'\[]*[\w)]\Z")
# Characters before a superscript that are examined.
_LOOKBEHIND = 80


@dataclass(frozen=True, slots=True)
class Superscript:
    """A superscript at `span` of a text that cites papers by their shown numbers, from 1."""

    span: tuple[int, int]
    numbers: tuple[int, ...]


def find_superscripts(text: str, papers: Sequence[Paper]) -> list[Superscript]:
    """Return the superscripts that cite, in order; none unless all but those of formulas and names can be citations."""
    matches = list(_CANDIDATE.finditer(text)) if papers else []
    if not matches:
        return []
    sources = flatten_superscripts("\n".join(f"{paper.title or ''}\n{paper.abstract}" for paper in papers))
    free = [match for match in matches if not _is_written_in(sources, match)]
    cited = [Superscript(match.span(), _numbers(match[0], len(papers))) for match in free if _ends_clause(match)]
    return cited if len(cited) == len(free) and all(superscript.numbers for superscript in cited) else []


def _is_written_in(sources: str, match: re.Match[str]) -> bool:
    """Tell whether the sources have this superscript behind the same word."""
    before = match.string[max(0, match.start() - _LOOKBEHIND) : match.start()]
    base = _BASE.search(before)
    if base is None:
        return False
    first = re.split("[,˒]", match[0])[0]
    word = flatten_superscripts(base[0] + first)
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", sources, re.IGNORECASE) is not None


def _ends_clause(match: re.Match[str]) -> bool:
    text = match.string
    before = text[max(0, match.start() - _LOOKBEHIND) : match.start()]
    return bool(_AFTER_CLAUSE.search(before)) or bool(_CLAUSE_END.match(text, match.end()))


def _numbers(raised: str, count: int) -> tuple[int, ...]:
    """Return the shown numbers that the digits stand for, one by one where together they stand for no paper.

    Returns nothing where one of them was not shown.
    """
    numbers: list[int] = []
    for digits in map(flatten_superscripts, re.split("[,˒]", raised)):
        is_shown = len(digits) <= len(str(count)) and int(digits) <= count
        numbers += [int(digits)] if is_shown else map(int, digits)
    return tuple(dict.fromkeys(numbers)) if all(1 <= number <= count for number in numbers) else ()
