"""Find the numbers of a text with their units, in any notation, and compare them.

41.5 % equals 41.5 percent, 3x equals threefold, 1,000 equals a thousand and 1K, half equals 50 %. A digit within a
name (GPT-4, v0.2, T5) does not count as a number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

from assistant.text.function_words import FUNCTION_WORDS, PREPOSITIONS

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
# Phrases that express a number: value and unit.
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
_ORDINAL = re.compile(r"a[ -](?:third|fifth)", re.IGNORECASE)
_FOLLOWER = re.compile(r"(?P<joint>-|\s+)(?P<word>[A-Za-z]+)(?P<than>\s+than\b)?")
_MEASURE = re.compile(rf"\b(?:{'|'.join(sorted(PREPOSITIONS))})\s+\Z", re.IGNORECASE)
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
# Wording before a number that makes it approximate, and near it that makes it a result of other numbers.
_ROUGH = re.compile(
    r"(?:\b(?:about|around|roughly|nearly|almost|approximately|over|under|more than|less than|fewer than|at least"
    r"|at most|up to|some|close to|just|above|below)|~)\s*(?:an?\s+|the\s+)?$",
    re.IGNORECASE,
)
_DERIVED = re.compile(r"\b(?:points?|times|fold|gap|difference|ahead|behind|short|as many|as much)\b", re.IGNORECASE)
# Characters before and after a number that are searched for such wording.
_BEFORE, _AFTER = 40, 30
# Wording before a number that makes it a lower bound, or an upper bound.
_LOWER_BOUND = re.compile(
    r"(?:\b(?:over|above|beyond|more than|greater than|higher than|longer than|at least|exceed(?:s|ed|ing)?"
    r"|no (?:less|fewer) than)|>)\s*(?:an?\s+|the\s+)?$",
    re.IGNORECASE,
)
_UPPER_BOUND = re.compile(
    r"(?:\b(?:under|below|(?<!no )(?:less|fewer) than|(?:lower|smaller|shorter) than|at most|within|no more than)|<)"
    r"\s*(?:an?\s+|the\s+)?$",
    re.IGNORECASE,
)
# Relative difference within which two numbers are equal: both in digits, one in words (a third), one approximate.
_DIGITS_TOLERANCE, _WORDS_TOLERANCE, _ROUGH_TOLERANCE = 1e-9, 0.02, 0.07
# Comparatives that follow a share (`a third lower`); by their ending alone, `a third paper` would be one.
_COMPARATIVES = frozenset(
    "better bigger cheaper deeper earlier easier faster fewer greater harder higher larger later less lesser longer "
    "lower more narrower quicker safer shallower shorter simpler slower smaller sooner stronger weaker wider "
    "worse".split()
)
# A number up to this, written as a word, usually counts things that the sentence itself names.
_MAX_COUNT = 10.0


@dataclass(frozen=True, slots=True)
class Quantity:
    """The number at `start:end` of a text. `unit` is `%`, `x` (times), `s` (seconds) or empty."""

    value: float
    unit: str
    text: str
    start: int
    end: int

    @property
    def is_count(self) -> bool:
        """Tell whether it may count things that the sentence names: `the two models`."""
        return self.text.isalpha() and not self.unit and self.value <= _MAX_COUNT

    @property
    def in_digits(self) -> bool:
        """Tell whether it is written in digits."""
        return any(character.isdigit() for character in self.text)


def quantities(text: str) -> tuple[Quantity, ...]:
    """Return the numbers of a text, in order."""
    phrases = [_phrase(match) for match in _PHRASE.finditer(text) if not _is_ordinal(match)]
    numbers = (_number(match, text) for match in _NUMBER.finditer(text))
    free = [number for number in numbers if not any(_overlap(number, phrase) for phrase in phrases)]
    return tuple(sorted([*phrases, *free], key=lambda quantity: quantity.start))


def ordinals(text: str) -> list[tuple[int, int]]:
    """Return the spans of ordinals that are written like a fraction: `a third paper`."""
    return [match.span() for match in _PHRASE.finditer(text) if _is_ordinal(match)]


def are_equal(first: Quantity, second: Quantity) -> bool:
    """Tell whether two quantities are equal; a quantity without a unit compares with any."""
    tolerance = _DIGITS_TOLERANCE if first.in_digits and second.in_digits else _WORDS_TOLERANCE
    comparable = first.unit == second.unit or not first.unit or not second.unit
    if comparable and _is_close(first.value, second.value, tolerance):
        return True
    percent, plain = (first, second) if first.unit == PERCENT else (second, first)
    return percent.unit == PERCENT and not plain.unit and _is_close(percent.value, 100 * plain.value, tolerance)


def bound_side(quantity: Quantity, text: str) -> int:
    """Return 1 where the text makes the number a lower bound, -1 where an upper bound, 0 where neither."""
    before = text[max(0, quantity.start - _BEFORE) : quantity.start]
    if _UPPER_BOUND.search(before):
        return -1
    return 1 if _LOWER_BOUND.search(before) else 0


def is_derivable(claimed: Quantity, text: str, reference: Sequence[Quantity]) -> bool:
    """Tell whether a number that the text calls approximate or a difference follows from the reference numbers.

    It does where it is close to one of them, or to the difference or ratio of two.
    """
    rough = _ROUGH.search(text[max(0, claimed.start - _BEFORE) : claimed.start])
    if not rough and not _DERIVED.search(text, max(0, claimed.start - _BEFORE), claimed.end + _AFTER):
        return False
    comparable = (number.value for number in reference if number.unit == claimed.unit)
    if any(_is_close(claimed.value, value, _ROUGH_TOLERANCE) for value in comparable):
        return True
    pairs = ((first, second) for first, second in permutations(reference, 2) if first.unit == second.unit)
    derived = (value for pair in pairs for value in _derive(*pair, claimed.unit))
    return any(_is_close(claimed.value, value, _ROUGH_TOLERANCE) for value in derived)


def _derive(first: Quantity, second: Quantity, unit: str) -> list[float]:
    """Return the difference of two numbers, and their ratio where the unit admits one."""
    ratio = first.value / second.value if second.value else 0.0
    if unit == TIMES:
        return [ratio]
    return [first.value - second.value, *([100 * ratio] if unit == PERCENT else [])]


def _is_close(first: float, second: float, tolerance: float) -> bool:
    return abs(first - second) <= tolerance * max(abs(first), abs(second))


def _overlap(first: Quantity, second: Quantity) -> bool:
    return first.start < second.end and second.start < first.end


def _phrase(match: re.Match[str]) -> Quantity:
    value, unit = list(_PHRASES.values())[(match.lastindex or 1) - 1]
    return Quantity(value, unit, match.group(), match.start(), match.end())


def _is_ordinal(match: re.Match[str]) -> bool:
    """Tell whether `a third` or `a fifth` counts a noun instead of measuring a share.

    It does before a noun or an adjective. A share stands before a function word (`a third of them`), before a
    comparative (`a third lower`), at the end of a clause, or, as a measure, before an adverb or a participle
    (`by a third compared with`).
    """
    follower = _FOLLOWER.match(match.string, match.end())
    if not _ORDINAL.fullmatch(match.group()) or not follower:
        return False
    if follower["joint"] == "-":
        return True
    word = follower["word"].casefold()
    is_measure = word.endswith(("ed", "ly")) and _MEASURE.search(match.string, 0, match.start())
    return not (is_measure or word in FUNCTION_WORDS or word in _COMPARATIVES or follower["than"])


def _number(match: re.Match[str], text: str) -> Quantity:
    digits = match["value"].casefold()
    value = float(_WORDS[digits] if digits in _WORDS else digits.replace(",", ""))
    value *= _SCALES.get((match["scale"] or "").casefold(), 1.0) * _SECONDS.get((match["time"] or "").casefold(), 1.0)
    return Quantity(value, _unit(match, text), match.group(), match.start(), match.end())


def _unit(match: re.Match[str], text: str) -> str:
    if match["time"]:
        return SECONDS
    if match["percent"]:
        return PERCENT
    return TIMES if match["times"] or _FACTOR.search(text, 0, match.start()) else ""
