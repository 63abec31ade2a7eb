"""Filters typed into a question, `author:"Arora" year>=2023 -survey`, or in its words (see `worded_filters`).

    author:  title:  venue:  source:      a value without a blank, or in quotes
    collection:  tag:                     a name that a person has given, in any case
    note:                                 a word or phrase of the note that a person has added
    topic:                                the id of a topic of the library's map, as in topic:t3
    year:2021  year:2020-2023  year>=2023  year<2020
    "exact phrase"                        of two words or more: quotes around one word are only emphasis
    -word  -"exact phrase"                not in title or abstract

All filters of a question apply together.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from assistant.errors import InputError
from assistant.question import worded_filters
from assistant.question.worded_filters import IsAuthor, ParsedQuestion
from assistant.schema import Filters, Scope, Selection
from assistant.text.labels import label_key, unquoted
from assistant.text.matching import words

FIELDS = ("author", "title", "venue", "source", "collection", "tag", "note", "topic", "year")
# Fields whose values are names, which need not be words.
_LABELS = ("collection", "tag")
# What other search engines call their fields: said to be unknown, not searched for as words.
_FOREIGN = frozenset("abstract conference date journal keyword published publisher since until".split())
# How like a field's name another word must be to be taken for it misspelt, 0..1.
_ALIKE = 0.8
# After a minus these are mathematics, or a dash that lacks its blank.
_NEVER_OUT = frozenset(
    "cos exp inf infinity lim ln log max min sin tan and are as at but can do does for how if in is it of on or so "
    "that the then these they this to was what when where which who why with".split()
)

_QUOTE = '["“”]'
_TYPED = re.compile(
    rf"(?<!\S)year\s*(?P<operator>:|=|[<>]=?)\s*(?P<year>\d{{4}}\s?[-–]\s?\d{{4}}|\d{{4}}(?!\w|[-–.]))[?!,;]*"
    rf"|(?<!\S)(?P<field>-?[a-z]+)(?P<sign>:?[<>]=?|[:=])"
    rf"(?:\s?{_QUOTE}(?P<quoted>[^\"“”]*){_QUOTE}|(?P<plain>[^\s\"“”]+)|(?P<open>{_QUOTE}))"
    rf"|(?<!\S)-{_QUOTE}(?P<unwanted>[^\"“”]*){_QUOTE}(?!\w)"
    rf"|(?<!\w){_QUOTE}(?P<phrase>[^\"“”]*){_QUOTE}(?!\w)"
    rf"|(?<!\S)-(?P<word>[^\W\d_][^\W_]+(?:-[^\W_]+)*)(?![\w(-])"
)
_YEAR_RANGE = re.compile(r"(?=.*\d)(?P<first>\d{4})?(?:(?P<dash>\s?[-–]\s?|\.\.)(?P<last>\d{4})?)?", re.ASCII)
_CLOSING = "?!.,;:)"


def parse(question: str, is_author: IsAuthor = lambda _: False, *, typed_only: bool = False) -> ParsedQuestion:
    """Return the filters of a question, and the question without them; an exact phrase is a filter and stays.

    `is_author` says whether the library has an author of the name; with `typed_only`, what is only said is no filter.
    Raises InputError for an unknown field and for a value that a field cannot have.
    """
    reader = _FilterReader()
    text = _TYPED.sub(reader.replace_typed, question.replace("\0", " "))
    if typed_only:
        return ParsedQuestion(reader.restore_phrases(text), reader.filters)
    worded = worded_filters.take(text, reader.filters, is_author)
    return ParsedQuestion(reader.restore_phrases(worded.text), worded.filters)


def parse_selection(text: str, is_author: IsAuthor = lambda _: False) -> Selection:
    """Return what selects a list of papers: filters as in a question, and every other word. Raises InputError."""
    parsed = parse(text, is_author)
    return Selection(parsed.filters, tuple(dict.fromkeys(words(parsed.text))))


def format_filters(filters: Filters) -> str:
    """Return the filters as they would be typed; parsing that gives the same filters."""
    values: Mapping[str, tuple[str, ...]] = {
        "author": filters.authors,
        "title": filters.titles,
        "venue": filters.venues,
        "source": filters.sources,
        "collection": filters.collections,
        "tag": filters.tags,
        "note": filters.notes,
        "topic": filters.topics,
    }
    parts = [f'{name}:"{unquoted(value)}"' for name, of_field in values.items() for value in of_field]
    parts += _format_years(filters)
    parts += [f'"{phrase}"' for phrase in filters.phrases]
    parts += [f"-{value}" if _needs_no_quotes(value) else f'-"{value}"' for value in filters.without]
    return " ".join(parts)


def explain_no_match(filters: Filters, scope: Scope, papers: int, missing: Mapping[str, int]) -> str:
    """Return why no paper matches; `missing` counts the papers of the library that lack a field, by its name."""
    named = " and ".join(map(repr, scope.collections))
    place = f"the {'collections' if len(scope.collections) > 1 else 'collection'} {named}" if named else "the library"
    subject = "none of the papers asked about" if scope.pinned else f"no paper in {place}"
    whose = "the library's" if named else "its"
    gaps = "; ".join(f"{count} of {whose} {papers} papers have no {name}" for name, count in missing.items() if count)
    limits = filters.within(replace(scope, collections=()))
    reason = f"matches {format_filters(limits)}" if limits else _reason_without_filters(scope)
    return f"{subject} {reason}" + (f" ({gaps})" if gaps else "")


def _reason_without_filters(scope: Scope) -> str:
    if scope.excluded:
        return "is left after the exclusions"
    return "is in the collection" if scope.pinned else "can be searched"


class _FilterReader:
    """Takes the typed filters out of one question."""

    def __init__(self) -> None:
        self.filters = Filters()
        self._phrases: list[str] = []

    def replace_typed(self, match: re.Match[str]) -> str:
        """Return the text that stays in the place of something typed that may be a filter."""
        groups = match.groupdict()
        if groups["year"]:
            self._add_years(groups["operator"], groups["year"], match[0])
        elif groups["field"]:
            return self._replace_field(match)
        elif groups["phrase"] is not None:
            return self._replace_phrase(match)
        else:
            return self._replace_excluded(match)
        return " "

    def restore_phrases(self, text: str) -> str:
        """Return the text with its phrases again, and single blanks."""
        text = re.sub(r"\0(\d+)\0", lambda match: self._phrases[int(match[1])], text)
        return _single_spaced(text)

    def _add(self, name: str, value: str) -> None:
        changed: dict[str, Any] = {name: tuple(dict.fromkeys((*getattr(self.filters, name), value)))}
        self.filters = replace(self.filters, **changed)

    def _replace_field(self, match: re.Match[str]) -> str:
        name, operator = match["field"].lstrip("-"), match["sign"]
        if name not in FIELDS:
            _refuse_misspelt(name, operator)
            return match[0]
        if match["field"] != name:
            raise InputError("question", f"{name}: cannot be excluded with a minus, only words and phrases can")
        if match["open"]:
            raise InputError("question", f'the quotes behind {name}: are not closed: write {name}:"..."')
        value = _single_spaced(match["quoted"] if match["plain"] is None else match["plain"].rstrip(_CLOSING))
        if name == "year":
            self._add_years(operator, value, match[0])
        elif operator not in ":=":
            raise InputError("question", f"{match[0]}: only years can be compared; write {name}:...")
        elif not (label_key(value) if name in _LABELS else words(value)):
            raise InputError("question", f'{name}: needs a value: {name}:word or {name}:"several words"')
        else:
            self._add(f"{name}s", value)
        return " "

    def _add_years(self, operator: str, value: str, typed: str) -> None:
        first, last = _years(operator.lstrip(":") or ":", value, typed.strip())
        since = max((year for year in (self.filters.since, first) if year is not None), default=None)
        until = min((year for year in (self.filters.until, last) if year is not None), default=None)
        if since is not None and until is not None and since > until:
            raise InputError("question", f"no year is {since} or later and {until} or earlier: change year")
        self.filters = replace(self.filters, since=since, until=until)

    def _replace_phrase(self, match: re.Match[str]) -> str:
        phrase = _single_spaced(match["phrase"])
        if len(words(phrase)) < 2:
            self._phrases.append(match[0])
        else:
            self._add("phrases", phrase)
            self._phrases.append(phrase)
        return f"\0{len(self._phrases) - 1}\0"

    def _replace_excluded(self, match: re.Match[str]) -> str:
        quoted, word = match["unwanted"], match["word"]
        if not words(quoted or word or "") or (quoted is None and not _needs_no_quotes(word)):
            return match[0]
        self._add("without", _single_spaced(quoted or word))
        return " "


def _years(operator: str, value: str, typed: str) -> tuple[int | None, int | None]:
    """Return the first and the last year that a comparison allows; None is an open end."""
    if operator in ":=" and (match := _YEAR_RANGE.fullmatch(value)):
        first, last = (int(digits) if digits else None for digits in (match["first"], match["last"]))
        if (first or 0) <= (last or 9999):
            return first, last if match["dash"] else first
    elif re.fullmatch(r"\d{4}", value) and operator not in ":=":
        year = int(value)
        return {">=": (year, None), ">": (year + 1, None), "<=": (None, year), "<": (None, year - 1)}[operator]
    raise InputError("question", f"{typed} is not a year: write year:2021, year:2020-2023, year>=2020 or year<2020")


def _refuse_misspelt(name: str, operator: str) -> None:
    """Raise InputError for what was surely meant to be a field; the rest is text, as in `see:this`."""
    near = difflib.get_close_matches(name, FIELDS, 1, _ALIKE) or [
        field for field in FIELDS if field[0] == name[:1] and sorted(field) == sorted(name)
    ]
    if operator != "=" and (near or name in _FOREIGN):
        meant = f", perhaps {near[0]}: was meant" if near else ""
        fields = ", ".join(f"{field}:" for field in FIELDS)
        raise InputError("question", f"there is no filter {name}:{meant}; there are {fields}")


def _format_years(filters: Filters) -> list[str]:
    since, until = filters.since, filters.until
    if since is not None and until is not None:
        return [f"year:{since:04}" if since == until else f"year:{since:04}-{until:04}"]
    return [f"year{operator}{year:04}" for operator, year in ((">=", since), ("<=", until)) if year is not None]


def _needs_no_quotes(word: str) -> bool:
    """Return whether the word can be excluded without quotes."""
    match = _TYPED.fullmatch(f"-{word}")
    return bool(match and match["word"]) and word.casefold().split("-")[0] not in _NEVER_OUT


def _single_spaced(value: str) -> str:
    return " ".join(value.split())
