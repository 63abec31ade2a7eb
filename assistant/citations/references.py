"""Papers as a text refers to them by name: `Lin et al., 2021`, a title, a list of references at the end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assistant.question.filters import holds, is_by
from assistant.schema import Paper

_NAME = (
    r"(?:(?:van|von|de|der|den|del|di|da|dos|la|le|el|al|ten|ter)\s+){0,2}"
    r"(?:[A-Z]\.[\s-]?){0,3}[^\W\d_a-z][^\W\d_]*(?:['’-][^\W\d_]+){0,2}"
)
# Who wrote a paper, and when.
_BY = re.compile(
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
    r"^[\s>]*(?:[-*\u2022]\s+)?(?:[\[【]\^?(?P<number>\d{1,3})[\]】]|\(?(?P<bare>\d{1,3})[.):])[:.]?\s*(?P<about>.*)$"
)
_FOOTNOTE = re.compile(r"^\s*\[\^(?P<number>\d{1,3})\]:\s*(?P<about>.*)$")
_NEXT_ENTRY = re.compile(r"(?<=\S)\s+(?=[\[【]\^?\d{1,3}[\]】])")
_LISTED = re.compile(r"^\s*(?:$|[-*\u2022\[【>(]|\d{1,3}[.):])")
# The lines that a list of references may have, and the fewest words of a title that can be told from other words.
_LONGEST_LIST, _FEWEST_WORDS = 60, 3


@dataclass(frozen=True, slots=True)
class Reference:
    """The places, counted from 1, of the papers that may be meant; without any, those of a paper that is not there."""

    places: tuple[int, ...]


def named(text: str, papers: Sequence[Paper], *, bracketed: bool) -> Reference | None:
    """The reference that the text is by authors, with a year or without; None if it may be something else."""
    found = _BY.fullmatch(text.strip())
    if found is None:
        return None
    places = _by(found["first"], found["year"], papers)
    dated = bool(found["year"]) and (bracketed or bool(found["comma"])) and _is_surname(found["first"])
    known = bool(places) and (bracketed or bool(found["year"]))
    return Reference(places) if found["more"] or dated or known else None


def entitled(text: str, papers: Sequence[Paper]) -> int:
    """The place of the paper whose title the text is; 0 if it is none."""
    place = titled(text, papers)
    return place if place and holds(papers[place - 1].title, text) else 0


def titled(text: str, papers: Sequence[Paper]) -> int:
    """The place of the paper whose title stands in the text, the longest of several; 0 if there is none."""
    found = [
        (len(paper.title), place)
        for place, paper in enumerate(papers, start=1)
        if paper.title and len(paper.title.split()) >= _FEWEST_WORDS and holds(text, paper.title)
    ]
    return max(found, default=(0, 0))[1]


def without_list(text: str, papers: Sequence[Paper]) -> tuple[str, dict[int, int]]:
    """The text without its list of references and its footnotes, and the place of the paper that each number names.

    A number whose entry names none of the papers is not among them.
    """
    lines = text.split("\n")
    start = _start(lines, papers)
    footnotes = [_FOOTNOTE.match(line) for line in lines[:start]]
    kept = [line for line, footnote in zip(lines[:start], footnotes, strict=True) if footnote is None]
    if len(kept) == len(lines):
        return text, {}
    entries = [*_entries(lines[start:]), *((int(each["number"]), each["about"]) for each in footnotes if each)]
    meant = {number: _meant(about, papers) for number, about in entries}
    return "\n".join(kept), {number: place for number, place in meant.items() if place}


def before_list(text: str) -> str:
    """The text without a last list of references, or the heading of one, that is still being written."""
    lines = text.split("\n")
    last = lines[-1].strip(" \t#*_>").casefold()
    if last and any(heading.startswith(last) for heading in _HEADINGS):
        return "\n".join(lines[:-1])
    for start in range(max(0, len(lines) - _LONGEST_LIST), len(lines)):
        if _HEADING.match(lines[start]) and all(map(_LISTED.match, lines[start + 1 : -1])):
            return "\n".join(lines[:start])
    return text


def _by(name: str, year: str | None, papers: Sequence[Paper]) -> tuple[int, ...]:
    """The papers of that first author and year; if there are none, those that the author had a part in."""
    dated = [
        (place, paper.authors)
        for place, paper in enumerate(papers, start=1)
        if year is None or paper.year is None or paper.year == int(year)
    ]
    first = tuple(place for place, authors in dated if is_by(authors[:1], name))
    return first or tuple(place for place, authors in dated if is_by(authors[1:], name))


def _is_surname(name: str) -> bool:
    """Whether it is written as surnames are, not as a conference or a month."""
    last = re.split(r"[\s.'’-]", name)[-1]
    return last[1:].islower() and last.casefold() not in _MONTHS


def _start(lines: Sequence[str], papers: Sequence[Paper]) -> int:
    """The line on which a list of references begins that reaches to the end; their number if there is none."""
    for start in range(max(0, len(lines) - _LONGEST_LIST), len(lines)):
        heading = _HEADING.match(lines[start])
        if heading and all(_is_entry(line, papers) for line in (heading["rest"] or "", *lines[start + 1 :])):
            return start
    return _start_without_heading(lines, papers)


def _start_without_heading(lines: Sequence[str], papers: Sequence[Paper]) -> int:
    """The same for a list without a heading: each of its entries has the title of a paper."""
    start = len(lines)
    while start and (not lines[start - 1].strip() or _is_titled(lines[start - 1], papers)):
        start -= 1
    return start if any(line.strip() for line in lines[start:]) else len(lines)


def _is_titled(line: str, papers: Sequence[Paper]) -> bool:
    entry = _ENTRY.match(line)
    return entry is not None and not entry["bare"] and bool(entitled(entry["about"].strip(' *_"“”.'), papers))


def _is_entry(line: str, papers: Sequence[Paper]) -> bool:
    known = (not line.strip(), _ENTRY.match(line), _HEADING.match(line))
    return any(known) or bool(_meant(line, papers))


def _entries(lines: Iterable[str]) -> list[tuple[int, str]]:
    """Numbers with what is said of them; a line may hold several."""
    plain = ((heading["rest"] or "") if (heading := _HEADING.match(line)) else line for line in lines)
    parts = (_ENTRY.match(part) for line in plain for part in _NEXT_ENTRY.split(line))
    return [(int(part["number"] or part["bare"]), part["about"]) for part in parts if part]


def _meant(about: str, papers: Sequence[Paper]) -> int:
    """The place of the one paper that an entry means; 0 if it means none, or it is not clear which."""
    if place := titled(about, papers):
        return place
    years = re.findall(r"\b(?:19|20)\d\d\b", about)
    found = [
        place
        for place, paper in enumerate(papers, start=1)
        if paper.authors and str(paper.year) in years and holds(about, _surname(paper.authors[0]))
    ]
    return found[0] if len(found) == 1 else 0


def _surname(author: str) -> str:
    return author.split(",")[0] if "," in author else (author.split() or [""])[-1]
