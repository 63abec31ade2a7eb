"""What a format says of a paper, made into a record: identifiers found, names turned round, markup taken off."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from assistant.schema import Record
from ingest.parsers.base import LONGEST_ABSTRACT, Problem, clean

_LONGEST_TITLE = 2_000
_LONGEST_NAME = 300
# What programs write where there is no abstract.
_NOTHING = frozenset(
    "|n/a|na|nan|none|null|no abstract|no abstract available|abstract not available|not available".split("|")
)
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"<>{}]+", re.ASCII)
# Digits behind it make it another number: spreadsheets write 1805.01789 as 1805.0178899999999.
_ARXIV_ID = r"(\d{4}\.\d{4,5}(?!\d)|[a-z][a-z-]+(?:\.[A-Z]{2})?/\d{7}(?!\d))(?:v\d+)?"
_ARXIV = re.compile(rf"(?:arxiv\s*:|arxiv\.org/\w+/|10\.48550/arxiv\.)\s*{_ARXIV_ID}", re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20|21)\d\d(?!\d)")
# The tags of HTML, JATS and MathML that bibliographic services leave in titles and abstracts.
_TAG = re.compile(
    r"</?(?:(?:jats|mml):[\w-]+|i|b|u|em|strong|su[bp]|p|br|hr|tt|scp?|span|div|italic|bold|sec|title|h\d|a|li|ul|ol|"
    r"inf|math|m\w{1,5})(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_LABEL = re.compile(r"<(?:jats:)?title>\s*abstract\s*</(?:jats:)?title>", re.IGNORECASE)
_BLOCK_TAG = re.compile(r"</?(?:jats:)?(?:p|br|sec|title|div|li|h\d)\b", re.IGNORECASE)
_ONE_COMMA = re.compile(r"[^,]+,[^,]+")
_SUFFIX = re.compile(r"(?:jr|sr|2nd|3rd|ii|iii|iv)\.?", re.IGNORECASE)
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]\w{1,30});", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fields:
    """What stands in a file about one paper, as it stands there."""

    title: str = ""
    abstract: str = ""
    authors: Sequence[str] = ()
    year: str = ""
    venue: str = ""
    doi: str = ""
    arxiv_id: str = ""
    url: str = ""


def record(fields: Fields, source: str, line: int) -> Record | Problem:
    """The record of what was found on a line, or why it is none.

    Without an abstract it is kept for its title; with neither it is nothing.
    """
    title, abstract = tidy(fields.title), _said(tidy(fields.abstract))
    if len(abstract) > LONGEST_ABSTRACT:
        return Problem(source, line, f"{len(abstract):,} characters are no abstract (most: {LONGEST_ABSTRACT:,})")
    if len(title) > _LONGEST_TITLE:
        return Problem(source, line, f"{len(title):,} characters are no title (most: {_LONGEST_TITLE:,})")
    if not any(map(str.isalnum, title + abstract)):
        return Problem(source, line, "skipped: the record has neither a title nor an abstract")
    found = Record(abstract, title=title or None, authors=_names(fields.authors), source=source, line=line)
    return _identified(found, fields)


def tidy(text: str) -> str:
    """One line of plain text: no tags, character references read, white space single."""
    if "<" in text:
        text = _TAG.sub("", _BLOCK_TAG.sub(r" \g<0>", _LABEL.sub(" ", text)))
    if "&" in text:
        text = _REFERENCE.sub(lambda match: html.unescape(match[0]), text)
    return " ".join(clean(text).split())


def string(value: Any) -> str:
    """A scalar as text, a list's first; anything else is empty."""
    if isinstance(value, list) and value:
        return string(value[0]) if not isinstance(value[0], list) else ""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def first(*values: Any) -> str:
    """The first that says something."""
    return next((text for value in values if (text := string(value))), "")


def turned(name: str) -> str:
    """`First Last` from `Last, First`, with or without a `Jr` in some place; a name without comma as it is."""
    last, *others = (part.strip() for part in name.split(","))
    given = [part for part in others if not _SUFFIX.fullmatch(part)]
    return " ".join(part for part in [*given, last, *(part for part in others if part not in given)] if part)


def listed(names: str) -> list[str]:
    """Names from one string: `Last, First; ...`, `Last, First and ...`, `First Last, ... and ...`, `Last FM, ...`."""
    if len(parts := _parted(r"[;|\n]", names)) > 1:
        return [turned(part) for part in parts]
    parts = _parted(r"\s(?:and|&)\s", names)
    if all(map(_ONE_COMMA.fullmatch, parts)) and (len(parts) > 1 or " " not in names.strip().partition(",")[0]):
        return [turned(part) for part in parts]
    parts = _parted(r",\s*(?:and\s|&\s)?|\s(?:and|&)\s", names)
    if len(parts) % 2 == 0 and any(" " not in part for part in parts):
        return [f"{given} {family}" for family, given in zip(parts[::2], parts[1::2], strict=True)]
    return [initials_first(part) for part in parts]


def initials_first(name: str) -> str:
    """`AB Alp` from `Alp AB`, as PubMed writes names; any other as it is."""
    return re.sub(r"^(.*[a-zà-ÿ].*) ([A-Z]{1,3})$", r"\2 \1", name)


def _parted(separator: str, text: str) -> list[str]:
    return [part.strip() for part in re.split(separator, text) if part.strip()]


def _identified(found: Record, fields: Fields) -> Record:
    """The record with year, venue and what else identifies it."""
    everywhere = " ".join([fields.doi, fields.arxiv_id, fields.url])
    doi, arxiv = _DOI.search(everywhere), _ARXIV.search(everywhere)
    arxiv_id = arxiv[1] if arxiv else _bare_arxiv_id(fields.arxiv_id)
    year, url = _YEAR.search(fields.year), clean(fields.url)
    return replace(
        found,
        year=int(year[0]) if year else None,
        venue=_said(tidy(fields.venue)) or None,
        doi=_ended(doi[0]) if doi else None,
        arxiv_id=arxiv_id or None,
        url=url if re.fullmatch(r"https?://\S{1,2000}", url) else None,
    )


def _ended(doi: str) -> str:
    """A DOI without the punctuation behind it; a parenthesis that was opened in it is part of it."""
    doi = doi.rstrip(".,;")
    return _ended(doi[:-1]) if doi.endswith(")") and doi.count(")") > doi.count("(") else doi


def _bare_arxiv_id(text: str) -> str:
    bare = re.fullmatch(_ARXIV_ID, text.strip())
    return bare[1] if bare else ""


def _said(text: str) -> str:
    """The text, unless it only says that there is none."""
    if not any(map(str.isalnum, text)) or text.casefold().strip(" .[]()-") in _NOTHING:
        return ""
    return text


def _names(names: Iterable[str]) -> tuple[str, ...]:
    tidied = (tidy(name) for name in names)
    return tuple(name for name in tidied if _said(name) and len(name) <= _LONGEST_NAME)
