"""Resolve references by name: `Lin et al., 2021`, a title, the entries of a list of references at the end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assistant.schema import Paper
from assistant.text.matching import contains_phrase, has_author

_NAME = (
    r"(?:(?:van|von|de|der|den|del|di|da|dos|la|le|el|al|ten|ter)\s+){0,2}"
    r"(?:[A-Z]\.[\s-]?){0,3}[^\W\d_a-z][^\W\d_]*(?:['’-][^\W\d_]+){0,2}"
)
# Authors, with a year or without.
_AUTHORS = re.compile(
    rf"(?:(?:see(?:\s+also)?|cf\.?|e\.g\.,?|by)\s+)?(?P<first>{_NAME})"
    rf"(?:(?:,?\s+(?:and|&)\s+|,\s+){_NAME}){{0,4}}(?P<more>,?\s+(?:et\s+al\.?|and\s+(?:others|colleagues)))?"
    r"(?:(?P<comma>,)?\s*\(?(?P<year>(?:19|20)\d\d)[a-z]?\)?)?"
)
_MONTHS = frozenset("january february march april may june july august september october november december".split())
_HEADINGS = ("references", "sources", "citations", "cited papers", "cited works", "works cited", "bibliography")
_HEADING = re.compile(
    rf"^[ \t#*_>]*(?:{'|'.join(_HEADINGS)}|reference|source)[ \t*_]*(?::[ \t*_]*(?P<rest>.*))?$", re.IGNORECASE
)
_ENTRY = re.compile(
    r"^[\s>]*(?:[-*\u2022]\s+)?(?:[\[【]\^?(?P<number>\d{1,3})[\]】]|\(?(?P<bare>\d{1,3})[.):])[:.]?\s*(?P<description>.*)$"
)
_FOOTNOTE = re.compile(r"^\s*\[\^(?P<number>\d{1,3})\]:\s*(?P<description>.*)$")
_NEXT_ENTRY = re.compile(r"(?<=\S)\s+(?=[\[【]\^?\d{1,3}[\]】])")
_LIST_LINE = re.compile(r"^\s*(?:$|[-*\u2022\[【>(]|\d{1,3}[.):])")
# Lines of a list of references, and words from which a title is distinctive.
_MAX_LIST_LINES, _MIN_TITLE_WORDS = 60, 3


@dataclass(frozen=True, slots=True)
class Reference:
    """The numbers, from 1, of the papers that a reference may mean; empty where it means a paper that is not there."""

    numbers: tuple[int, ...]


def match_authors(text: str, papers: Sequence[Paper], *, bracketed: bool) -> Reference | None:
    """Return the reference where the text names authors, with a year or without; None where it may be anything else."""
    match = _AUTHORS.fullmatch(text.strip())
    if match is None:
        return None
    numbers = _find_by_author(match["first"], match["year"], papers)
    is_dated = bool(match["year"]) and (bracketed or bool(match["comma"])) and _is_surname(match["first"])
    is_shown = bool(numbers) and (bracketed or bool(match["year"]))
    return Reference(numbers) if match["more"] or is_dated or is_shown else None


def match_title(text: str, papers: Sequence[Paper]) -> int:
    """Return the number of the paper whose title the text is, or 0."""
    number = find_title(text, papers)
    return number if number and contains_phrase(papers[number - 1].title, text) else 0


def find_title(text: str, papers: Sequence[Paper]) -> int:
    """Return the number of the paper whose title the text contains, the longest title of several, or 0."""
    titles = [
        (len(paper.title), number)
        for number, paper in enumerate(papers, start=1)
        if paper.title and len(paper.title.split()) >= _MIN_TITLE_WORDS and contains_phrase(text, paper.title)
    ]
    return max(titles, default=(0, 0))[1]


def remove_list(text: str, papers: Sequence[Paper]) -> tuple[str, dict[int, int]]:
    """Return the text without its list of references and footnotes, and the number of the paper that each entry means.

    An entry that means none of the papers is left out.
    """
    lines = text.split("\n")
    start = _find_list(lines, papers)
    footnotes = [_FOOTNOTE.match(line) for line in lines[:start]]
    body = [line for line, footnote in zip(lines[:start], footnotes, strict=True) if footnote is None]
    if len(body) == len(lines):
        return text, {}
    notes = [(int(note["number"]), note["description"]) for note in footnotes if note]
    meant = {number: _find_paper(line, papers) for number, line in [*_entries(lines[start:]), *notes]}
    return "\n".join(body), {number: paper for number, paper in meant.items() if paper}


def remove_unfinished_list(text: str) -> str:
    """Return the text without a list of references, or its heading, that is still being written at its end."""
    lines = text.split("\n")
    last = lines[-1].strip(" \t#*_>").casefold()
    if last and any(heading.startswith(last) for heading in _HEADINGS):
        return "\n".join(lines[:-1])
    for start in range(max(0, len(lines) - _MAX_LIST_LINES), len(lines)):
        if _HEADING.match(lines[start]) and all(map(_LIST_LINE.match, lines[start + 1 : -1])):
            return "\n".join(lines[:start])
    return text


def surname(author: str) -> str:
    """Return the surname of `Ada Wu` or `Wu, Ada`."""
    return author.split(",")[0] if "," in author else (author.split() or [""])[-1]


def _find_by_author(name: str, year: str | None, papers: Sequence[Paper]) -> tuple[int, ...]:
    """Return the papers of that first author and year, or else those of which the author is another author."""
    candidates = [
        (number, paper.authors)
        for number, paper in enumerate(papers, start=1)
        if year is None or paper.year is None or paper.year == int(year)
    ]
    first = tuple(number for number, authors in candidates if has_author(authors[:1], name))
    return first or tuple(number for number, authors in candidates if has_author(authors[1:], name))


def _is_surname(name: str) -> bool:
    """Tell whether the name is written as surnames are, unlike a conference or a month."""
    last = re.split(r"[\s.'’-]", name)[-1]
    return last[1:].islower() and last.casefold() not in _MONTHS


def _find_list(lines: Sequence[str], papers: Sequence[Paper]) -> int:
    """Return the index of the line where a list of references begins that reaches to the end, or the line count."""
    for start in range(max(0, len(lines) - _MAX_LIST_LINES), len(lines)):
        heading = _HEADING.match(lines[start])
        if heading and all(_is_entry(line, papers) for line in (heading["rest"] or "", *lines[start + 1 :])):
            return start
    return _find_list_without_heading(lines, papers)


def _find_list_without_heading(lines: Sequence[str], papers: Sequence[Paper]) -> int:
    """Return the same for a list without a heading, each entry of which is the title of a paper."""
    start = len(lines)
    while start and (not lines[start - 1].strip() or _is_titled_entry(lines[start - 1], papers)):
        start -= 1
    return start if any(line.strip() for line in lines[start:]) else len(lines)


def _is_titled_entry(line: str, papers: Sequence[Paper]) -> bool:
    entry = _ENTRY.match(line)
    if entry is None or entry["bare"]:
        return False
    return bool(match_title(entry["description"].strip(' *_"“”.'), papers))


def _is_entry(line: str, papers: Sequence[Paper]) -> bool:
    has_form = not line.strip() or _ENTRY.match(line) or _HEADING.match(line)
    return bool(has_form) or bool(_find_paper(line, papers))


def _entries(lines: Iterable[str]) -> list[tuple[int, str]]:
    """Return the numbers of the entries with their descriptions; a line may contain several."""
    plain = ((heading["rest"] or "") if (heading := _HEADING.match(line)) else line for line in lines)
    entries = (_ENTRY.match(part) for line in plain for part in _NEXT_ENTRY.split(line))
    return [(int(entry["number"] or entry["bare"]), entry["description"]) for entry in entries if entry]


def _find_paper(description: str, papers: Sequence[Paper]) -> int:
    """Return the number of the only paper that an entry can mean, or 0."""
    if number := find_title(description, papers):
        return number
    years = re.findall(r"\b(?:19|20)\d\d\b", description)
    numbers = [
        number
        for number, paper in enumerate(papers, start=1)
        if paper.authors and str(paper.year) in years and contains_phrase(description, surname(paper.authors[0]))
    ]
    return numbers[0] if len(numbers) == 1 else 0
