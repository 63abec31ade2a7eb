"""Filters typed into a question, `author:"Arora" year>=2023 -survey`, or said in it, "since 2022", "by Danqi Chen".

    author:  title:  venue:  source:      a value without a blank, or in quotes
    year:2021  year:2020-2023  year>=2023  year<2020
    "exact phrase"                        of two words or more: quotes around one word are only emphasis
    -word  -"exact phrase"                not in title or abstract

All filters of a question apply together. What is said rather than typed is a filter only where it can hardly mean
anything else: "papers since 2022" is one, "after 2000 steps", "by Adam" and "by gradient descent" are none. No form
depends on today's date, so "the last two years" is none either.
"""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import filterfalse
from typing import Any

from assistant.errors import InputError
from assistant.schema import Filters, Scope, Selection

FIELDS = ("author", "title", "venue", "source", "year")
# What other search engines call their fields: said to be unknown, not searched for as words.
_FOREIGN = frozenset("abstract conference date journal keyword published publisher since topic until".split())
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

_YEAR = r"(?:19|20)\d\d"
_PAPERS = r"(?:abstract|article|paper|preprint|publication|stud(?:y|ie)|survey|work)s?"
# Behind a year: the end, punctuation, or a word with which a clause goes on. A noun would make the year a number.
_ENDS = (
    r"(?=\s*(?:[?!;:,)]|\.(?!\d)|$)|\s+(?:about|and|are|at|but|by|can|compar\w+|concerning|dealing|did|do|does|for|"
    r"from|had|has|have|how|in|into|is|mentioning|of|on|or|proposing|report\w+|show\w+|studying|that|the|there|"
    r"this|to|using|was|were|what|when|where|which|who|why|with|without)\b)"
)
_SAID_YEARS = re.compile(
    rf"\b(?:(?P<between>between\s+{_YEAR}\s+and\s+{_YEAR}|from\s+{_YEAR}\s+(?:to|until)\s+{_YEAR})"
    rf"|(?P<since>since\s+{_YEAR}|(?:published\s+)?(?:from|in)\s+{_YEAR}\s+(?:on|onwards?|or\s+(?:later|newer))\b)"
    rf"|(?P<after>after\s+{_YEAR})|(?P<before>before\s+{_YEAR})|(?P<until>(?:until|up\s+to)\s+{_YEAR})"
    rf"|(?P<in>(?:published|written)\s+in\s+{_YEAR}|(?:(?<=papers )|(?<=paper )|(?<=studies )|(?<=work ))"
    rf"(?:from|in|of)\s+{_YEAR})){_ENDS}",
    re.IGNORECASE,
)
# What a way of saying it adds to the first and to the last year said; None leaves that end open.
_MEANING: dict[str, tuple[int | None, int | None]] = {
    "between": (0, 0),
    "since": (0, None),
    "after": (1, None),
    "before": (None, -1),
    "until": (None, 0),
    "in": (0, 0),
}
# A year said is the year of a paper if papers are spoken of, or else if nothing asks when or how something happened.
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

IsAuthor = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Parsed:
    """What is left of a question to be searched for, and the filters that stood in it."""

    text: str
    filters: Filters


def parse(question: str, is_author: IsAuthor = lambda _: False) -> Parsed:
    """The filters of a question, and the question without them; an exact phrase is a filter and stays.

    `is_author` says whether the library knows an author of the name. Raises InputError for a field that does not
    exist and for a value that a field cannot have.
    """
    reader = _Reader(is_author)
    text = _TYPED.sub(reader.typed, question.replace("\0", " "))
    text = reader.said_names(reader.said_years(text))
    return Parsed(reader.restored(text), reader.filters)


def selection(text: str, is_author: IsAuthor = lambda _: False) -> Selection:
    """What a list of papers is asked for: filters as in a question, and every other word. Raises InputError."""
    parsed = parse(text, is_author)
    return Selection(parsed.filters, tuple(dict.fromkeys(_words(parsed.text))))


def written(filters: Filters) -> str:
    """The filters as they would be typed; parsing this gives the same filters."""
    named = (("author", filters.authors), ("title", filters.titles), ("venue", filters.venues))
    parts = [f'{name}:"{value}"' for name, values in (*named, ("source", filters.sources)) for value in values]
    parts += _written_years(filters)
    parts += [f'"{phrase}"' for phrase in filters.phrases]
    parts += [f"-{value}" if _is_plain(value) else f'-"{value}"' for value in filters.without]
    return " ".join(parts)


def unmatched(filters: Filters, scope: Scope, papers: int, lacking: Mapping[str, int]) -> str:
    """Why nothing is found; `lacking` is how many of the library's papers do not say a field at all."""
    subject = "none of the papers asked about" if scope.pinned else "no paper in the library"
    gaps = "; ".join(f"{count} of its {papers} papers have no {name}" for name, count in lacking.items() if count)
    reason = f"matches {written(filters)}" if filters else "is left when the excluded ones are gone"
    return f"{subject} {reason}" + (f" ({gaps})" if gaps else "")


# What a filter asks of a paper. The catalog calls these.


def holds(text: str | None, phrase: str) -> bool:
    """Whether the words of the phrase stand in the text, in a row; case, accents and punctuation do not matter."""
    plain, asked = folded(text or ""), _asked(phrase)
    for word in asked:  # most papers lack one, and this is soon seen
        if word not in plain:
            return False
    return bool(_in_a_row(asked).search(plain))


def is_by(authors: Sequence[str], name: str) -> bool:
    """Whether one of the authors bears the name: a surname, both names in any order, or with initials."""
    return any(_bears(_words(author), _asked(name)) for author in authors)


def letters(name: str) -> list[str]:
    """Words of which whoever bears the name has one in theirs, unless it is written with other letters than these."""
    return [word for word in _asked(name) if len(word) > 1]


def names(authors: str, word: str) -> bool:
    """Whether the word, or words in a row, stand in one of the authors' names; `authors` is a JSON list."""
    # Most papers are by somebody else. Where no letter is escaped this is seen without reading the JSON.
    if "\\" not in authors and not all(each in authors.lower() for each in _asked(word)):
        return False
    return holds("\n".join(json.loads(authors)), word)


def is_from(sources: Sequence[str], part: str) -> bool:
    """Whether one of the sources has this in its name."""
    return any(part.casefold() in source.casefold() for source in sources)


def surname(authors: Sequence[str]) -> str | None:
    """The last word of the first author's name, lower case, without accents: what authors are sorted by."""
    words = _words(authors[0]) if authors else ()
    return words[-1] if words else None


def folded(text: str) -> str:
    """Lower case without accents."""
    if text.isascii():
        return text.lower()
    return "".join(filterfalse(unicodedata.combining, unicodedata.normalize("NFKD", text.casefold())))


class _Reader:
    """Takes the filters out of one question."""

    def __init__(self, is_author: IsAuthor) -> None:
        self.filters = Filters()
        self._is_author = is_author
        self._phrases: list[str] = []

    def typed(self, match: re.Match[str]) -> str:
        """What stays in the place of something typed that may be a filter."""
        found = match.groupdict()
        if found["year"]:
            self._add_years(found["operator"], found["year"], match[0])
        elif found["field"]:
            return self._field(match)
        elif found["phrase"] is not None:
            return self._phrase(match)
        else:
            return self._unwanted(match)
        return " "

    def said_years(self, text: str) -> str:
        """The text without its year, if it says one that can be nothing else and none was typed."""
        said = list(_SAID_YEARS.finditer(text))
        typed = self.filters.since or self.filters.until
        tells = _OF_EVENTS.search(text) or text.rstrip().endswith(".")  # of a question, or of a statement
        if len(said) != 1 or typed or (tells and not _OF_PAPERS.search(text)):
            return text
        (match,) = said
        years = sorted(int(year) for year in re.findall(_YEAR, match[0]))
        first, last = _MEANING[str(match.lastgroup)]
        since = None if first is None else years[0] + first
        self.filters = replace(self.filters, since=since, until=None if last is None else years[-1] + last)
        return text[: match.start()].rstrip() + text[match.end() :]

    def said_names(self, text: str) -> str:
        """The text without the authors that it names."""
        for pattern, sure in ((_SURELY_BY, True), (_PERHAPS_BY, False), (_PERHAPS_WROTE, False)):
            match = pattern.search(text)
            if match and (end := self._named(text, match, sure)):
                start = match.start("name") if pattern is _PERHAPS_WROTE else text.rindex("by", 0, match.start("name"))
                return text[:start].rstrip() + text[end:]
        return text

    def restored(self, text: str) -> str:
        """The text with its phrases again, and white space as it should be."""
        text = re.sub(r"\0(\d+)\0", lambda match: self._phrases[int(match[1])], text)
        return " ".join(text.split())

    def _add(self, name: str, value: str) -> None:
        changed: dict[str, Any] = {name: tuple(dict.fromkeys((*getattr(self.filters, name), value)))}
        self.filters = replace(self.filters, **changed)

    def _field(self, match: re.Match[str]) -> str:
        name, sign = match["field"].lstrip("-"), match["sign"]
        if name not in FIELDS:
            _refuse_misspelt(name, sign)
            return match[0]
        if match["field"] != name:
            raise InputError("question", f"{name}: cannot be taken out with a minus, only words and phrases can")
        if match["open"]:
            raise InputError("question", f'the quotes behind {name}: are not closed: write {name}:"..."')
        value = _tidy(match["quoted"] if match["plain"] is None else match["plain"].rstrip(_CLOSING))
        if name == "year":
            self._add_years(sign, value, match[0])
        elif sign not in ":=":
            raise InputError("question", f"{match[0]}: only years can be compared; write {name}:...")
        elif not _words(value):
            raise InputError("question", f'{name}: needs a value: {name}:word or {name}:"several words"')
        else:
            self._add(f"{name}s", value)
        return " "

    def _add_years(self, sign: str, value: str, typed: str) -> None:
        since, until = _years(sign.lstrip(":") or ":", value, typed.strip())
        held = self.filters
        since = max((year for year in (held.since, since) if year is not None), default=None)
        until = min((year for year in (held.until, until) if year is not None), default=None)
        if since is not None and until is not None and since > until:
            raise InputError("question", f"no year is {since} or later and {until} or earlier: change year")
        self.filters = replace(held, since=since, until=until)

    def _phrase(self, match: re.Match[str]) -> str:
        phrase = _tidy(match["phrase"])
        if len(_words(phrase)) < 2:
            self._phrases.append(match[0])
        else:
            self._add("phrases", phrase)
            self._phrases.append(phrase)
        return f"\0{len(self._phrases) - 1}\0"

    def _unwanted(self, match: re.Match[str]) -> str:
        quoted, word = match["unwanted"], match["word"]
        if not _words(quoted or word) or (quoted is None and not _is_plain(word)):
            return match[0]
        self._add("without", _tidy(quoted or word))
        return " "

    def _named(self, text: str, match: re.Match[str], sure: bool) -> int | None:
        """Takes the authors named from the match on; where they end, or None where nobody is named."""
        name = self._known_part(match["name"], bool(_ET_AL.match(text, match.end("name"))))
        if not name and not sure:
            return None
        name = name or match["name"]
        end = match.start("name") + len(name)
        self._add("authors", _bare(name))
        while (more := _AND_NAME.match(text, end)) and (other := self._known_part(more["name"], False)):
            self._add("authors", _bare(other))
            end = more.start("name") + len(other)
        others = _ET_AL.match(text, end)
        return others.end() if others else end

    def _known_part(self, name: str, with_others: bool) -> str | None:
        """As much of the capitalised words as names an author; one word alone is a surname only before "et al."."""
        ends = [match.end() for match in re.finditer(r"\S+", name)]
        fewest = 0 if with_others and len(ends) == 1 else 1
        return next((name[:end] for end in reversed(ends[fewest:]) if self._is_author(_bare(name[:end]))), None)


def _years(sign: str, value: str, typed: str) -> tuple[int | None, int | None]:
    """The first and the last year that a comparison allows; None is an open end."""
    if sign in ":=" and (match := _YEAR_RANGE.fullmatch(value)):
        first, last = (int(digits) if digits else None for digits in (match["first"], match["last"]))
        if (first or 0) <= (last or 9999):
            return first, last if match["dash"] else first
    elif re.fullmatch(r"\d{4}", value) and sign not in ":=":
        year = int(value)
        return {">=": (year, None), ">": (year + 1, None), "<=": (None, year), "<": (None, year - 1)}[sign]
    raise InputError("question", f"{typed} is no year: write year:2021, year:2020-2023, year>=2020 or year<2020")


def _refuse_misspelt(name: str, sign: str) -> None:
    """Raises InputError for what was surely meant to be a field; anything else is text, as in `note:this`."""
    near = difflib.get_close_matches(name, FIELDS, 1, _ALIKE) or [f for f in FIELDS if sorted(f) == sorted(name)]
    if sign != "=" and (near or name in _FOREIGN):
        meant = f", perhaps {near[0]}: was meant" if near else ""
        known = ", ".join(f"{each}:" for each in FIELDS)
        raise InputError("question", f"there is no filter {name}:{meant}; there are {known}")


def _written_years(filters: Filters) -> list[str]:
    since, until = filters.since, filters.until
    if since is not None and until is not None:
        return [f"year:{since:04}" if since == until else f"year:{since:04}-{until:04}"]
    return [f"year{sign}{year:04}" for sign, year in ((">=", since), ("<=", until)) if year is not None]


def _is_plain(word: str) -> bool:
    """Whether the word can be taken out without quotes."""
    match = _TYPED.fullmatch(f"-{word}")
    return bool(match and match["word"]) and word.casefold().split("-")[0] not in _NEVER_OUT


def _bare(name: str) -> str:
    return _tidy(re.sub(r"['’]s$", "", name))


def _tidy(value: str) -> str:
    return " ".join(value.split())


def _bears(own: Sequence[str], asked: Sequence[str]) -> bool:
    """Whether every word of the name asked for is one of the author's, some of them perhaps as initials."""
    whole = any(len(word) > 1 and word in own for word in asked)
    return whole and all(any(_is_short_for(word, each) for each in own) for word in asked)


def _is_short_for(one: str, other: str) -> bool:
    return one == other or (min(len(one), len(other)) == 1 and one[0] == other[0])


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\W_]+", folded(text)))


# A value is asked of every paper of the library in turn.
_asked = lru_cache(maxsize=256)(_words)


@lru_cache(maxsize=256)
def _in_a_row(words: tuple[str, ...]) -> re.Pattern[str]:
    # That no letter stands before the first word is asked behind it: a pattern that begins with a text is found faster.
    first, *rest = map(re.escape, words or ("",))
    return re.compile(r"[\W_]+".join([rf"{first}(?<![^\W_]{first})", *rest]) + r"(?![^\W_])")
