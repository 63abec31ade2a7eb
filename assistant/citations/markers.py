"""Citation markers in a text, in all the ways in which language models write them.

`[1]`, `[1, 2]`, `[1-3]`, `【1†source】`, `[^1]`, `[Source 1]`, `(Abstract 2)`, `(1)` behind a statement, superscripts,
`[Lin et al.]`, `(Lin, 2021; Wu and Chen, 2020)`, `[The title of a paper]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from assistant.citations import references
from assistant.schema import Paper

_LABEL = r"(?:abstract|source|document|doc|paper|passage|ref|reference|citation|article)s?\.?"
_NUMBER = rf"(?:{_LABEL}\s*)?[#^]?\d+"
# With a nought it is an interval: [0, 1].
_NUMBERS = rf"(?!0+\s*[,;]){_NUMBER}(?:\s*(?:,\s*and\b|[,;&\u2013-]|and\b|to\b)\s*{_NUMBER})*"
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_PLAIN = str.maketrans(_RAISED, "0123456789")
# What may stand between a number in parentheses and the end of its statement: other markers, and a stop.
_END = r"(?=(?:\s*[\[【][^\[\]【】\n]{1,40}[\]】]){0,6}\s*(?:[.?!;]?\s*(?:\n|\Z)|[.?!]+\s))"
_ANY = re.compile(
    # What no marker begins with is soon passed over.
    rf"(?=[\\\[【(\d{_RAISED}])(?:(?P<numbers>\\?(?:\[\[\s*{_NUMBERS}\s*\]\]|[\[【]\s*{_NUMBERS}(?:†[^\[\]【】\n]{{0,40}})?\s*\\?[\]】])"
    rf"|[\[(]\s*(?:see\s+)?{_LABEL}\s*{_NUMBERS}(?:\s*:[^\[\]()\n]{{0,200}})?\s*[\])])"
    rf"|(?P<closing>\(\d{{1,2}}(?:\s*[,;\u2013-]\s*\d{{1,2}})*\)){_END}"
    rf"|(?P<raised>(?<![{_RAISED}⁺⁻])(?:(?<=[^\W\d_]{{4}})|(?<=[.?!;,)\"”’]))[{_RAISED}]+(?:[,˒][{_RAISED}]+)*)"
    r"|(?P<named>[\[(【][^\[\]()【】\n]{2,200}[\])】])"
    r"|(?P<bare>(?-i:(?<=\bAbstract )|(?<=\bSource )|(?<=\bDocument )|(?<=\bDoc ))\d{1,2}\b))",
    re.IGNORECASE,
)
_RANGE = re.compile(r"(\d+)\s*(?:[\u2013-]|to)\s*\D{0,12}?(\d+)", re.IGNORECASE)
# A statement, and words whose number in parentheses is their own: `equation (1)`, `five (5)`.
_STATEMENT = re.compile(r"\w\W+\w[^\n]*(?:[ \t]|[.?!\"”’%)])$")
_OWN_NUMBER = re.compile(
    r"\b(?:eqs?|equations?|figs?|figures?|tables?|sections?|steps?|cases?|types?|levels?|classes|class|stages?|phases?"
    r"|parts?|groups?|arms?|experiments?|stud(?:y|ies)|theorems?|lemmas?|chapters?|versions?|items?|n"
    r"|one|two|three|four|five|six|seven|eight|nine|ten)\.?\s*$",
    re.IGNORECASE,
)
# No answer has more sources; a longer number is none.
_MOST_DIGITS, _LONGEST_RANGE = 6, 50
# As much of a line as tells whether a statement ends here.
_LOOKED_BACK = 200


@dataclass(frozen=True, slots=True)
class Marker:
    """A citation at `start:end` of a text: places of papers, counted from 1, and how many others it invents."""

    start: int
    end: int
    places: tuple[int, ...]
    invented: int = 0


def find(text: str, papers: Sequence[Paper], renamed: Mapping[int, int]) -> Iterator[Marker]:
    """The markers of a text, in order. `renamed` has the places of numbers that mean other papers than those there."""
    reader, at = _Reader(text, papers, renamed), 0
    while match := _ANY.search(text, at):
        marker = reader.read(match)
        if marker:
            yield marker
        at = match.end() if marker else match.start() + 1


def listed(inside: str) -> list[int]:
    """The numbers between brackets; a range counts all its members, an absurd one none."""
    found: list[int] = []
    for part in re.split(r"[,;&]|\band\b", inside):
        ends = [int(digits) for digits in re.findall(r"\d+", part) if len(digits) <= _MOST_DIGITS]
        if _RANGE.search(part):
            first, last = ends if len(ends) == 2 else (1, 0)
            found += range(first, last + 1) if last - first < _LONGEST_RANGE else ()
        else:
            found += ends
    return found


class _Reader:
    """Reads what may be a marker of one text."""

    def __init__(self, text: str, papers: Sequence[Paper], renamed: Mapping[int, int]) -> None:
        self._text, self._papers, self._renamed = text, papers, renamed

    def read(self, match: re.Match[str]) -> Marker | None:
        """The marker, or None if it is none."""
        if match["numbers"]:
            return self._marker(match, listed(match[0]))
        if match["closing"]:
            return self._closing(match)
        if match["raised"]:
            return self._marker(match, self._raised(match[0]))
        return self._named(match) if match["named"] else self._known(match, listed(match[0]))

    def _marker(self, match: re.Match[str], numbers: Sequence[int]) -> Marker:
        places = [self._renamed.get(number, number) for number in numbers]
        known = dict.fromkeys(place for place in places if 1 <= place <= len(self._papers))
        invented = sum(place not in known for place in places)
        return Marker(*match.span(), tuple(known), invented if numbers else 1)

    def _known(self, match: re.Match[str], numbers: Sequence[int]) -> Marker | None:
        """The marker if all its numbers stand for papers."""
        marker = self._marker(match, numbers)
        return None if marker.invented else marker

    def _closing(self, match: re.Match[str]) -> Marker | None:
        """A number in parentheses, if it closes a statement and is not that of something in it."""
        before = self._text[max(0, match.start() - _LOOKED_BACK) : match.start()].rpartition("\n")[2]
        if not _STATEMENT.search(before) or _OWN_NUMBER.search(before):
            return None
        return self._known(match, listed(match[0]))

    def _raised(self, digits: str) -> list[int]:
        """Superscripts one by one where together they are no paper."""
        numbers = [part.translate(_PLAIN) for part in re.split("[,˒]", digits)]
        return [
            int(each)
            for number in numbers
            for each in ([number] if len(number) <= _MOST_DIGITS and int(number) <= len(self._papers) else number)
        ]

    def _named(self, match: re.Match[str]) -> Marker | None:
        inside, bracketed = match[0][1:-1], not match[0].startswith("(")
        if bracketed and (place := references.entitled(inside, self._papers)):
            return Marker(*match.span(), (place,))
        found = [references.named(part, self._papers, bracketed=bracketed) for part in inside.split(";")]
        meant = [each for each in found if each is not None]
        if len(meant) < len(found):
            return None
        # Of several papers that are meant alike none is cited: which one says it is found out afterwards.
        places = dict.fromkeys(each.places[0] for each in meant if len(each.places) == 1)
        return Marker(*match.span(), tuple(places), sum(not each.places for each in meant))
