"""Read and remove the markers of a resolved text, in which `[n]` stands for the n-th citation.

Most markers stand behind what they support and can go. Some stand in place of a noun (`as shown in [1]`, `[2] argues
that`), and without them the sentence would have a gap.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from assistant.citations.markers import expand_numbers
from assistant.text.function_words import CONJUNCTIONS, PREPOSITIONS

# [1], [1, 2], [1; 2], [1-3], and the same in full-width brackets; an interval such as [0, 1] is no marker.
_MARKER = re.compile(r"[\[【]\s*(?!0+\s*[,;])(\d+(?:\s*[,;\u2013-]\s*\d+)*)\s*[\]】]")
# The last marker of a list: `[1] and [2].`, but not `[1], and [2] argues that`, where a clause begins.
_LAST = (
    rf",?[ \t]+(?:and|or|&)[ \t]+{_MARKER.pattern}(?=[ \t]*(?:[.;:?!)]|\Z))"
    rf"|[ \t]+(?:and|or|&)[ \t]+{_MARKER.pattern}(?=[ \t]*,)"
)
# Markers side by side and lists of them count as one.
_GROUP = re.compile(
    rf"(?<![ \t])(?P<gap>[ \t]*)(?P<markers>{_MARKER.pattern}(?:[ \t]*,?[ \t]*{_MARKER.pattern})*(?:{_LAST})?)"
)
# A preposition or a conjunction, which a noun has to follow; `see` is the verb that takes a bare reference.
_GOVERNOR = re.compile(rf"(?<!\w)(?:{'|'.join(sorted(PREPOSITIONS | CONJUNCTIONS | {'see'}))})[ \t]*\Z", re.IGNORECASE)
_LABEL = re.compile(r"\b(?:Abstract|Source|Document|Doc)[ \t]+\Z")
# Behind `et al.` neither a sentence nor a clause begins.
_SENTENCE_START = re.compile(r"(?:\A|(?<!\bet al)[.?!:]\s+|\n)\s*\Z")
_AFTER_COMMA = re.compile(r"(?<!\bet al\.),[ \t]+\Z")
# How a sentence goes on behind its subject.
_PREDICATE = re.compile(r"[ \t]+[a-z]|[ \t]*,")
# Characters before a marker that are examined.
_LOOKBEHIND = 40


def numbers(text: str) -> tuple[int, ...]:
    """Return the numbers cited in a text, in order, without repetition."""
    return tuple(dict.fromkeys(number for marker in _MARKER.finditer(text) for number in expand_numbers(marker[1])))


def remove_markers(text: str) -> str:
    """Return the text without its markers, whatever they stand for."""
    return _GROUP.sub("", text).strip()


def strip(text: str) -> str:
    """Return the text without its markers; a pronoun replaces those that stand in place of a noun."""
    return _GROUP.sub(lambda group: group["gap"] + _pronoun(group) if _is_noun(group) else "", text).strip()


def strip_trailing(text: str) -> str:
    """Return the text without its markers, apart from those that stand in place of a noun or behind a label."""
    return _GROUP.sub(lambda group: group[0] if _is_noun(group) or _is_labelled(group) else "", text).strip()


def renumber(text: str, new_numbers: Mapping[int, int]) -> str:
    """Return the text with each marker `[n]` as `[new_numbers[n]]`; other markers stay."""
    return re.sub(r"\[(\d+)\]", lambda marker: f"[{new_numbers.get(int(marker[1]), marker[1])}]", text)


def has_marker(text: str) -> bool:
    """Tell whether the text contains anything that reads as a marker."""
    return bool(_MARKER.search(text))


def _is_noun(group: re.Match[str]) -> bool:
    """Tell whether the markers are governed by a preposition or conjunction, or are the subject of a clause."""
    before = _before(group)
    if _GOVERNOR.search(before):
        return True
    opens_clause = _SENTENCE_START.search(before) or _AFTER_COMMA.search(before)
    return bool(opens_clause) and bool(_PREDICATE.match(group.string, group.end()))


def _is_labelled(group: re.Match[str]) -> bool:
    """Tell whether the markers complete a name: `Abstract [1]`."""
    return bool(_LABEL.search(_before(group)))


def _pronoun(group: re.Match[str]) -> str:
    pronoun = "it" if len(numbers(group["markers"])) == 1 else "these"
    return pronoun.capitalize() if _SENTENCE_START.search(_before(group)) else pronoun


def _before(group: re.Match[str]) -> str:
    start = group.start("markers")
    return group.string[max(0, start - _LOOKBEHIND) : start]
