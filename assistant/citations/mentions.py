"""Find what refers to a paper in running text: its authors, its year beside them, its venue, its title."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from assistant.citations.references import surname
from assistant.schema import Paper

_WORD = re.compile(r"[^\W_]+")
# Titles of fewer words may stand in a text without being meant as titles.
_MIN_TITLE_WORDS = 3
# Authors of a paper that a text may name, and names or initials before a surname.
_MAX_AUTHORS, _MAX_GIVEN = 100, 4
_MORE_AUTHORS = r"(?:,?\s+et\s+al\b\.?|,?\s+and\s+(?:others|colleagues|co-?authors|co-?workers))?"
_POSSESSIVE = r"(?:['’]s)?"
# Matches nothing: stands for a list without members.
_NOTHING = r"(?!)"


def mask_references(text: str, papers: Sequence[Paper]) -> str:
    """Return the text with blanks in place of whatever refers to one of the papers; its length stays.

    What is left is what the text says, as opposed to who said it, when and where.
    """
    pattern = _pattern(papers)
    spans = (match.span() for match in re.finditer(pattern, _fold(text))) if pattern else ()
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _pattern(papers: Sequence[Paper]) -> str:
    """Return a regular expression for the references to the papers, over folded text; empty where there are none."""
    names = _any(_name(author) for paper in papers for author in paper.authors[:_MAX_AUTHORS])
    years = _any(str(paper.year) for paper in papers if paper.year)
    venues = _any(_phrase(paper.venue) for paper in papers if paper.venue)
    titles = _any(_phrase(paper.title) for paper in papers if paper.title and _is_distinctive(paper.title))
    year = rf"(?:\((?:{years})[a-z]?\)|(?:{years})[a-z]?\b)"
    authors = (
        rf"(?:\b[Ii]n\s+(?:{years}),?\s+)?(?<!\w)(?:{names})(?!\w)(?:(?:,?\s+(?:and|&)\s+|,\s+)(?:{names})(?!\w))*"
        rf"{_MORE_AUTHORS}{_POSSESSIVE}(?:,?\s*{year})?"
    )
    bare_year = rf"\((?:{years})[a-z]?\)|(?<=\btheir\s)(?:{years})\b|(?<=\bits\s)(?:{years})\b"
    works = rf"(?<!\w)(?:{venues}|(?i:{titles}))(?!\w)(?:,?\s*{year})?"
    return f"{authors}|{works}|{bare_year}" if papers else ""


def _any(patterns: Iterable[str]) -> str:
    """Return alternatives, the longest first, so that a full name goes before its surname."""
    return "|".join(sorted({pattern for pattern in patterns if pattern}, key=len, reverse=True)) or _NOTHING


def _name(author: str) -> str:
    """Return a pattern for a surname, with given names or initials before it or without."""
    family = _WORD.findall(_fold(surname(author)))
    given_names = [word for word in _WORD.findall(_fold(author)) if len(word) > 1 and word not in family]
    if not family or not family[-1][0].isupper():
        return ""
    before = "|".join([*map(re.escape, given_names), r"[A-Z](?=[.\s])"])
    return rf"(?:(?:{before})\.?[\s-]*){{0,{_MAX_GIVEN}}}{_join(family)}"


def _phrase(text: str) -> str:
    return _join(_WORD.findall(_fold(text)))


def _join(words: Sequence[str]) -> str:
    return r"[\W_]+".join(map(re.escape, words))


def _is_distinctive(title: str) -> bool:
    return len(title.split()) >= _MIN_TITLE_WORDS


def _fold(text: str) -> str:
    """Return the text without accents, character by character, so that its length stays."""
    if text.isascii():
        return text
    return "".join(unicodedata.normalize("NFKD", character)[0] for character in text)
