"""Filters in the words of a question: "since 2022", "by Danqi Chen".

They are filters only where they can hardly mean anything else: "papers since 2022" is one, "after 2000 steps", "by
Adam" and "by gradient descent" are none. No form depends on today's date, so "the last two years" is none either.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from assistant.schema import Filters

_YEAR = r"(?:19|20)\d\d"
_PAPERS = r"(?:abstract|article|paper|preprint|publication|stud(?:y|ie)|survey|work)s?"
# Behind a year: the end, punctuation, or a word with which a clause goes on. A noun would make the year a number.
_ENDS = (
    r"(?=\s*(?:[?!;:,)]|\.(?!\d)|$)|\s+(?:about|and|are|at|but|by|can|compar\w+|concerning|dealing|did|do|does|for|"
    r"from|had|has|have|how|in|into|is|mentioning|of|on|or|proposing|report\w+|show\w+|studying|that|the|there|"
    r"this|to|using|was|were|what|when|where|which|who|why|with|without)\b)"
)
_STATED_YEARS = re.compile(
    rf"\b(?:(?P<between>between\s+{_YEAR}\s+and\s+{_YEAR}|from\s+{_YEAR}\s+(?:to|until)\s+{_YEAR})"
    rf"|(?P<since>since\s+{_YEAR}|(?:published\s+)?(?:from|in)\s+{_YEAR}\s+(?:on|onwards?|or\s+(?:later|newer))\b)"
    rf"|(?P<after>after\s+{_YEAR})|(?P<before>before\s+{_YEAR})|(?P<until>(?:until|up\s+to)\s+{_YEAR})"
    rf"|(?P<in>(?:published|written)\s+in\s+{_YEAR}|(?:(?<=papers )|(?<=paper )|(?<=studies )|(?<=work ))"
    rf"(?:from|in|of)\s+{_YEAR})){_ENDS}",
    re.IGNORECASE,
)
# What a wording adds to the first and to the last year stated; None leaves that end open.
_MEANING: dict[str, tuple[int | None, int | None]] = {
    "between": (0, 0),
    "since": (0, None),
    "after": (1, None),
    "before": (None, -1),
    "until": (None, 0),
    "in": (0, 0),
}
# A year stated is the year of a paper if papers are spoken of, or else if nothing asks when or how something happened.
_OF_PAPERS = re.compile(
    rf"\b(?:{_PAPERS}|literature|research|published|written|any(?:one|body|thing)|some(?:one|body)|authors?)\b", re.I
)
_OF_EVENTS = re.compile(r"\b(?:did|how|was|were|when|where|which|why)\b", re.I)

_UPPER = "".join(chr(code) for code in range(0x250) if chr(code).isupper())
_NAME_WORD = rf"(?:[{_UPPER}]\.|[{_UPPER}][\w’'-]*\w)"
_PARTICLES = r"(?:(?:al|bin|da|de|del|della|den|der|di|dos|du|el|la|le|ten|ter|van|von)\s+){0,3}"
_NAME = rf"(?P<name>{_PARTICLES}{_NAME_WORD}(?:\s+{_PARTICLES}{_NAME_WORD}){{0,3}})"
_ET_AL = re.compile(r"\s+(?:et\s+al\b\.?|and\s+(?:co-?authors|colleagues|others)\b)")
_AND_NAME = re.compile(rf"\s*(?:,\s*(?:and\s)?|&|\sand\s)\s*{_NAME}")
# Who is named behind "papers by" is an author in any case; elsewhere only whom the library knows.
_SURELY_BY = re.compile(rf"\b(?i:(?:{_PAPERS}|research)(?:\s+(?:co-?)?(?:authored|published|written))?\s+by)\s+{_NAME}")
_PERHAPS_BY = re.compile(rf"\b(?i:by)\s+{_NAME}")
_PERHAPS_WROTE = re.compile(
    rf"\b(?i:did|do|does|has|have)\s+{_NAME}(?={_ET_AL.pattern}|\s+(?:(?:also|ever)\s+)?(?:publish|writ|propos|work))"
)

# Returns whether the library has an author of the name.
IsAuthor = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class ParsedQuestion:
    """The filters of a question, and the text without them that is left to search for."""

    text: str
    filters: Filters


def take(text: str, typed: Filters, is_author: IsAuthor) -> ParsedQuestion:
    """Return the text without the filters that it words, and those with the typed ones."""
    return _take_names(_take_years(ParsedQuestion(text, typed)), is_author)


def _take_years(question: ParsedQuestion) -> ParsedQuestion:
    """Return the question without the years that it states, if they can only be a filter and none was typed."""
    text, filters = question.text, question.filters
    matches = list(_STATED_YEARS.finditer(text))
    is_narrative = _OF_EVENTS.search(text) or text.rstrip().endswith(".")
    if len(matches) != 1 or filters.since or filters.until or (is_narrative and not _OF_PAPERS.search(text)):
        return question
    (match,) = matches
    years = sorted(int(year) for year in re.findall(_YEAR, match[0]))
    first, last = _MEANING[str(match.lastgroup)]
    since = None if first is None else years[0] + first
    filters = replace(filters, since=since, until=None if last is None else years[-1] + last)
    return ParsedQuestion(text[: match.start()].rstrip() + text[match.end() :], filters)


def _take_names(question: ParsedQuestion, is_author: IsAuthor) -> ParsedQuestion:
    """Return the question without the authors that it names."""
    text = question.text
    for pattern, is_certain in ((_SURELY_BY, True), (_PERHAPS_BY, False), (_PERHAPS_WROTE, False)):
        match = pattern.search(text)
        if match and (named := _authors(text, match, is_certain, is_author)):
            names, end = named
            before = text[: match.start("name")].rstrip()
            before = before if pattern is _PERHAPS_WROTE else before[: -len("by")].rstrip()
            authors = tuple(dict.fromkeys((*question.filters.authors, *names)))
            return ParsedQuestion(before + text[end:], replace(question.filters, authors=authors))
    return question


def _authors(text: str, match: re.Match[str], is_certain: bool, is_author: IsAuthor) -> tuple[list[str], int] | None:
    """Return the authors named from the match on and where they end, or None where nobody is named."""
    name = _author_prefix(match["name"], is_author, bool(_ET_AL.match(text, match.end("name"))))
    if not name and not is_certain:
        return None
    name = name or match["name"]
    names, end = [_without_possessive(name)], match.start("name") + len(name)
    while (more := _AND_NAME.match(text, end)) and (coauthor := _author_prefix(more["name"], is_author)):
        names.append(_without_possessive(coauthor))
        end = more.start("name") + len(coauthor)
    others = _ET_AL.match(text, end)
    return names, others.end() if others else end


def _author_prefix(name: str, is_author: IsAuthor, with_others: bool = False) -> str | None:
    """Return the longest prefix of the capitalised words that names an author of the library.

    One word alone is a surname only before "et al.".
    """
    ends = [match.end() for match in re.finditer(r"\S+", name)]
    fewest = 0 if with_others and len(ends) == 1 else 1
    prefixes = (name[:end] for end in reversed(ends[fewest:]))
    return next((prefix for prefix in prefixes if is_author(_without_possessive(prefix))), None)


def _without_possessive(name: str) -> str:
    return " ".join(re.sub(r"['’]s$", "", name).split())
