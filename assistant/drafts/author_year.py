"""Find citations by author and year in prose: (Lin et al., 2020; Wu, 2019) and `Lin and Wu (2020) show`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assistant.text.matching import words

_PARTICLE = r"(?:(?:van|von|de|der|den|del|di|da|dos|la|le|el|al|ten|ter|van\s+der|van\s+den|von\s+der|de\s+la)\s+)?"
_SURNAME = rf"{_PARTICLE}[^\W\d_a-z][^\W\d_]*(?:['’-][^\W\d_]+)*"
_INITIALS = r"(?:[A-Z]\.[\s-]?){0,3}"
_NAMES = (
    rf"{_INITIALS}{_SURNAME}(?:,\s+{_INITIALS}{_SURNAME}){{0,5}}(?:,?\s+(?:and|&|\\&)\s+{_INITIALS}{_SURNAME})?"
    r"(?:,?\s+(?:et\s+al\b\.?|and\s+(?:others|colleagues)))?"
)
_YEAR = r"(?:19|20)\d\d[a-z]?"
_YEARS = rf"{_YEAR}(?:\s*[,;&]\s*{_YEAR})*"
_LOCATOR = r"(?:,\s*(?i:pp?\.|ch\.|chap\.|sec\.|section|chapter|fig\.|table)\s*[\w–.-]+)?"
_LEAD = r"(?:(?i:see(?:\s+also)?|cf\.?|e\.g\.,?|i\.e\.,?|also|reviewed\s+in|as\s+in)\s+)?"
_ITEM = re.compile(rf"\s*{_LEAD}(?P<names>{_NAMES}),?\s+\(?(?P<years>{_YEARS})\)?{_LOCATOR}\s*")
_PARENTHESIS = re.compile(rf"[(\[](?P<items>[^()\[\]]{{0,600}}?{_YEAR}[^()\[\]]{{0,60}})[)\]]")
_NARRATIVE = re.compile(rf"(?<![\w(])(?P<names>{_NAMES})(?:['’]s)?\s*[(\[](?P<years>{_YEARS}){_LOCATOR}[)\]]")
# Capitalised words that open a sentence and precede a name, or stand before a year without being one.
_SINGLE_YEAR = re.compile(_YEAR)


@dataclass(frozen=True, slots=True)
class NamedCitation:
    """A citation by author and year: its keys, such as `Lin et al., 2020`, and its span in the text."""

    keys: tuple[str, ...]
    start: int
    end: int
    narrative: bool


def find(text: str) -> Iterator[NamedCitation]:
    """Yield the citations of a text, in order."""
    citations = [*_parenthetical(text), *_narrative(text)]
    yield from sorted(citations, key=lambda citation: citation.start)


def names_of(key: str) -> tuple[str, ...]:
    """Return the folded surnames of a key such as `Lin and Wu, 2020`."""
    named = re.sub(r"\b(?:et\s+al\b\.?|and|others|colleagues)|[&,.]", " ", key)
    return tuple(word for word in words(named) if len(word) > 1 and not word[:4].isdigit())


def year_of(key: str) -> int | None:
    """Return the year of a key."""
    match = _SINGLE_YEAR.search(key)
    return int(match[0][:4]) if match else None


def _parenthetical(text: str) -> Iterator[NamedCitation]:
    for match in _PARENTHESIS.finditer(text):
        items = [_ITEM.fullmatch(item) for item in match["items"].split(";")]
        if all(items) and all(item and item["names"][:1].isalpha() for item in items):
            keys = tuple(key for item in items if item for key in _keys(item["names"], item["years"]))
            yield NamedCitation(keys, match.start(), match.end(), narrative=False)


def _narrative(text: str) -> Iterator[NamedCitation]:
    for match in _NARRATIVE.finditer(text):
        yield NamedCitation(_keys(match["names"], match["years"]), match.start(), match.end(), narrative=True)


def _keys(names: str, years: str) -> tuple[str, ...]:
    called = " ".join(names.split())
    return tuple(f"{called}, {year}" for year in _SINGLE_YEAR.findall(years))
