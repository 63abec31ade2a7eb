"""Find citation markers in a text, in all the notations that language models use.

`[1]`, `[1, 2]`, `[1-3]`, `【1†source】`, `[^1]`, `[Source 1]`, `(Abstract 2)`, `(1)` at the end of a statement,
superscripts, `[Lin et al.]`, `(Lin, 2021; Wu and Chen, 2020)`, `[The title of a paper]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from assistant.citations import references, superscripts
from assistant.schema import Paper

_LABEL = r"(?:abstract|source|document|doc|paper|passage|ref|reference|citation|article)s?\.?"
_NUMBER = rf"(?:{_LABEL}\s*)?[#^]?\d+"
# A list that begins with zero is an interval: [0, 1].
_NUMBERS = rf"(?!0+\s*[,;]){_NUMBER}(?:\s*(?:,\s*and\b|[,;&\u2013-]|and\b|to\b)\s*{_NUMBER})*"
# What may stand between a number in parentheses and the end of its statement: other markers, and a stop.
_STATEMENT_END = r"(?=(?:\s*[\[【][^\[\]【】\n]{1,40}[\]】]){0,6}\s*(?:[.?!;]?\s*(?:\n|\Z)|[.?!]+\s))"
_CANDIDATE = re.compile(
    # The first characters rule out most positions quickly.
    rf"(?=[\\\[【(\d])(?:(?P<numbers>\\?(?:\[\[\s*{_NUMBERS}\s*\]\]|[\[【]\s*{_NUMBERS}(?:†[^\[\]【】\n]{{0,40}})?\s*\\?[\]】])"
    rf"|[\[(]\s*(?:see\s+)?{_LABEL}\s*{_NUMBERS}(?:\s*:[^\[\]()\n]{{0,200}})?\s*[\])])"
    rf"|(?P<closing>\(\d{{1,2}}(?:\s*[,;\u2013-]\s*\d{{1,2}})*\)){_STATEMENT_END}"
    r"|(?P<named>[\[(【][^\[\]()【】\n]{2,200}[\])】])"
    r"|(?P<bare>(?-i:(?<=\bAbstract )|(?<=\bSource )|(?<=\bDocument )|(?<=\bDoc ))\d{1,2}\b))",
    re.IGNORECASE,
)
_RANGE = re.compile(r"(\d+)\s*(?:[\u2013-]|to)\s*\D{0,12}?(\d+)", re.IGNORECASE)
# A statement, and words that a number in parentheses belongs to: `equation (1)`, `five (5)`.
_STATEMENT = re.compile(r"\w\W+\w[^\n]*(?:[ \t]|[.?!\"”’%)])$")
_NUMBERED_WORD = re.compile(
    r"\b(?:eqs?|equations?|figs?|figures?|tables?|sections?|steps?|cases?|types?|levels?|classes|class|stages?|phases?"
    r"|parts?|groups?|arms?|experiments?|stud(?:y|ies)|theorems?|lemmas?|chapters?|versions?|items?|n"
    r"|one|two|three|four|five|six|seven|eight|nine|ten)\.?\s*$",
    re.IGNORECASE,
)
# A number with more digits, or a longer range, cites nothing.
_MAX_DIGITS, _MAX_RANGE = 6, 50
# Characters of a line that are searched for the end of a statement.
_LOOKBEHIND = 200


@dataclass(frozen=True, slots=True)
class Marker:
    """A citation at `start:end` of a text: the numbers of shown papers, from 1, and how many others it invents."""

    start: int
    end: int
    numbers: tuple[int, ...]
    invented: int = 0


def find_markers(text: str, papers: Sequence[Paper], renumbered: Mapping[int, int]) -> list[Marker]:
    """Find the markers of a text, in order; superscripts count only in a text without any other marker.

    `papers` are those that were shown, by their numbers from 1. `renumbered` maps numbers that mean other papers than
    the shown ones to the numbers of those.
    """
    marked = list(_scan(text, _MarkerReader(text, papers, renumbered)))
    if marked:
        return marked
    cited = superscripts.find_superscripts(text, papers)
    return [Marker(*superscript.span, superscript.numbers) for superscript in cited]


def expand_numbers(inside: str) -> list[int]:
    """List the numbers between brackets; a range yields all its members, an absurd one none."""
    numbers: list[int] = []
    for part in re.split(r"[,;&]|\band\b", inside):
        ends = [int(digits) for digits in re.findall(r"\d+", part) if len(digits) <= _MAX_DIGITS]
        if _RANGE.search(part):
            first, last = ends if len(ends) == 2 else (1, 0)
            numbers += range(first, last + 1) if last - first < _MAX_RANGE else ()
        else:
            numbers += ends
    return numbers


def _scan(text: str, reader: _MarkerReader) -> Iterator[Marker]:
    position = 0
    while match := _CANDIDATE.search(text, position):
        marker = reader.read(match)
        if marker:
            yield marker
        position = match.end() if marker else match.start() + 1


class _MarkerReader:
    """Decides which candidates in a text are markers."""

    def __init__(self, text: str, papers: Sequence[Paper], renumbered: Mapping[int, int]) -> None:
        self._text, self._papers, self._renumbered = text, papers, renumbered

    def read(self, match: re.Match[str]) -> Marker | None:
        """Return the marker, or None where the candidate cites nothing."""
        if match["numbers"]:
            return self._marker(match)
        if match["closing"]:
            return self._closing(match)
        return self._named(match) if match["named"] else self._shown_only(match)

    def _marker(self, match: re.Match[str]) -> Marker:
        written = expand_numbers(match[0])
        numbers = [self._renumbered.get(number, number) for number in written]
        shown = dict.fromkeys(number for number in numbers if 1 <= number <= len(self._papers))
        invented = sum(number not in shown for number in numbers)
        return Marker(*match.span(), tuple(shown), invented if written else 1)

    def _shown_only(self, match: re.Match[str]) -> Marker | None:
        """Return the marker where all its numbers stand for papers."""
        marker = self._marker(match)
        return None if marker.invented else marker

    def _closing(self, match: re.Match[str]) -> Marker | None:
        """Return the marker where a number in parentheses ends a statement and does not belong to a word in it."""
        before = self._text[max(0, match.start() - _LOOKBEHIND) : match.start()].rpartition("\n")[2]
        if not _STATEMENT.search(before) or _NUMBERED_WORD.search(before):
            return None
        return self._shown_only(match)

    def _named(self, match: re.Match[str]) -> Marker | None:
        """Return the marker where the brackets contain a title, or authors with or without a year."""
        inside, is_bracketed = match[0][1:-1], not match[0].startswith("(")
        if is_bracketed and (number := references.match_title(inside, self._papers)):
            return Marker(*match.span(), (number,))
        parts = [references.match_authors(part, self._papers, bracketed=is_bracketed) for part in inside.split(";")]
        cited = [part for part in parts if part is not None]
        if len(cited) < len(parts):
            return None
        # A reference that fits several papers cites none of them; verification finds the one that says it.
        numbers = dict.fromkeys(reference.numbers[0] for reference in cited if len(reference.numbers) == 1)
        return Marker(*match.span(), tuple(numbers), sum(not reference.numbers for reference in cited))
