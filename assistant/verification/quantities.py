"""The numbers of a text, with their units, in whatever way they are written.

41.5 % is 41.5 percent, 3x is threefold, 1,000 is a thousand and 1K, half is 50 %. A digit that is part of a name
(GPT-4, v0.2, T5) is no number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

PERCENT, TIMES, SECONDS = "%", "x", "s"
_SMALL = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty"
)
_TENS = "thirty forty fifty sixty seventy eighty ninety"
_WORDS = dict(zip(_SMALL.split(), range(2, 21), strict=True)) | dict(
    zip(_TENS.split(), range(30, 100, 10), strict=True)
)
_SCALES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9, "billion": 1e9, "trillion": 1e12}
_SCALES |= {"hundred": 1e2, "dozen": 12.0}
_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0, "week": 604800.0}
# Ways to say a number without one: value and unit.
_PHRASES = {
    r"orders? of magnitude": (10.0, TIMES),
    r"(?:twice|double[sd]?|doubling)": (2.0, TIMES),
    r"(?:thrice|triple[sd]?|tripling)": (3.0, TIMES),
    r"two[ -]thirds": (200 / 3, PERCENT),
    r"three[ -]quarters": (75.0, PERCENT),
    r"(?:a|one)[ -]third": (100 / 3, PERCENT),
    r"(?:a|one)[ -]quarter": (25.0, PERCENT),
    r"(?:a|one)[ -]fifth": (20.0, PERCENT),
    r"half an hour": (1800.0, SECONDS),
    r"hal(?:f|ve[sd]?)": (50.0, PERCENT),
}
_PHRASE = re.compile("|".join(rf"(\b{words}\b)" for words in _PHRASES), re.IGNORECASE)
_NUMBER = re.compile(
    r"(?<![\w@.])(?<![A-Za-z]-)"
    rf"(?P<value>\d+(?:,\d{{3}})+(?:\.\d+)?|\d*\.\d+|\d+|(?:{'|'.join(_WORDS)})(?!\w))"
    rf"(?:[\s~-]*(?P<scale>{'|'.join(_SCALES)})(?![A-Za-z]))?"
    r"(?:\s*\\?(?P<percent>%|percent\b|per\s+cent\b|(?:percentage\s+)?points?\b)"
    r"|\s*-?\$?\\?(?P<times>x\b|times\b|fold\b|×)"
    rf"|[\s-]*(?P<time>{'|'.join(_SECONDS)})s?\b)?",
    re.IGNORECASE,
)
_FACTOR = re.compile(r"factors?\s+of\s+(?:about\s+|up\s+to\s+)?$", re.IGNORECASE)
# What says before a number that it is rough, and beside it that it is worked out from others.
_ROUGH = re.compile(
    r"(?:\b(?:about|around|roughly|nearly|almost|approximately|over|under|more than|less than|fewer than|at least"
    r"|at most|up to|some|close to|just|above|below)|~)\s*(?:an?\s+|the\s+)?$",
    re.IGNORECASE,
)
_WORKED_OUT = re.compile(r"\b(?:points?|times|fold|gap|difference|ahead|behind|short|as many|as much)\b", re.IGNORECASE)
_BEFORE, _BEHIND = 40, 30
# What makes of a number a least or a greatest one.
_LEAST = re.compile(
    r"(?:\b(?:over|above|beyond|more than|greater than|higher than|longer than|at least|exceed(?:s|ed|ing)?"
    r"|no (?:less|fewer) than)|>)\s*(?:an?\s+|the\s+)?$",
    re.IGNORECASE,
)
_GREATEST = re.compile(
    r"(?:\b(?:under|below|(?<!no )(?:less|fewer) than|(?:lower|smaller|shorter) than|at most|within|no more than)|<)"
    r"\s*(?:an?\s+|the\s+)?$",
    re.IGNORECASE,
)
# How far apart two numbers may be and still be the same, as a share: in digits, where one is in words (a third), and
# where one is said to be rough.
_IN_DIGITS, _IN_WORDS, _ABOUT = 1e-9, 0.02, 0.07
# A number up to this, written as a word, mostly counts what the sentence itself names.
_COUNTING = 10.0


@dataclass(frozen=True, slots=True)
class Quantity:
    """The number at `start:end` of a text. `unit` is `%`, `x` (times), `s` (seconds) or empty."""

    value: float
    unit: str
    text: str
    start: int
    end: int

    @property
    def counts(self) -> bool:
        """Whether it may count what the sentence names: `the two models`."""
        return self.text.isalpha() and not self.unit and self.value <= _COUNTING

    @property
    def in_digits(self) -> bool:
        """Whether it is written in digits."""
        return any(character.isdigit() for character in self.text)


def quantities(text: str) -> tuple[Quantity, ...]:
    """The numbers of a text, in order."""
    phrases = [_phrase(match) for match in _PHRASE.finditer(text)]
    numbers = (_number(match, text) for match in _NUMBER.finditer(text))
    free = [each for each in numbers if not any(each.start < taken.end and taken.start < each.end for taken in phrases)]
    return tuple(sorted([*phrases, *free], key=lambda each: each.start))


def same(one: Quantity, other: Quantity) -> bool:
    """Whether two quantities are equal, as far as their units let them be compared."""
    tolerance = _IN_DIGITS if one.in_digits and other.in_digits else _IN_WORDS
    if (one.unit == other.unit or not one.unit or not other.unit) and _near(one.value, other.value, tolerance):
        return True
    percent, plain = (one, other) if one.unit == PERCENT else (other, one)
    return percent.unit == PERCENT and not plain.unit and _near(percent.value, 100 * plain.value, tolerance)


def bound(found: Quantity, text: str) -> int:
    """Whether a number of the text is said to be the least (1) or the greatest (-1) that it can be, or neither (0)."""
    before = text[max(0, found.start - _BEFORE) : found.start]
    if _GREATEST.search(before):
        return -1
    return 1 if _LEAST.search(before) else 0


def follows(claimed: Quantity, text: str, known: Sequence[Quantity]) -> bool:
    """Whether a number of `text` that is said to be rough or a difference is near a known one or worked out of two."""
    rough = _ROUGH.search(text[max(0, claimed.start - _BEFORE) : claimed.start])
    if not rough and not _WORKED_OUT.search(text, max(0, claimed.start - _BEFORE), claimed.end + _BEHIND):
        return False
    if any(claimed.unit == each.unit and _near(claimed.value, each.value, _ABOUT) for each in known):
        return True
    pairs = ((one, other) for one, other in permutations(known, 2) if one.unit == other.unit)
    return any(_near(claimed.value, made, _ABOUT) for pair in pairs for made in _made_of(*pair, claimed.unit))


def _made_of(one: Quantity, other: Quantity, unit: str) -> list[float]:
    """The difference of two numbers, and their ratio where such a one is asked for."""
    ratio = one.value / other.value if other.value else 0.0
    if unit == TIMES:
        return [ratio]
    return [one.value - other.value, *([100 * ratio] if unit == PERCENT else [])]


def _near(one: float, other: float, tolerance: float) -> bool:
    return abs(one - other) <= tolerance * max(abs(one), abs(other))


def _phrase(match: re.Match[str]) -> Quantity:
    value, unit = list(_PHRASES.values())[(match.lastindex or 1) - 1]
    return Quantity(value, unit, match.group(), match.start(), match.end())


def _number(match: re.Match[str], text: str) -> Quantity:
    written = match["value"].casefold()
    value = float(_WORDS[written] if written in _WORDS else written.replace(",", ""))
    value *= _SCALES.get((match["scale"] or "").casefold(), 1.0) * _SECONDS.get((match["time"] or "").casefold(), 1.0)
    return Quantity(value, _unit(match, text), match.group(), match.start(), match.end())


def _unit(match: re.Match[str], text: str) -> str:
    if match["time"]:
        return SECONDS
    if match["percent"]:
        return PERCENT
    return TIMES if match["times"] or _FACTOR.search(text, 0, match.start()) else ""
