"""Turn the raw field values of a paper into a record: find identifiers, reorder names, strip markup."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from assistant.schema import Record
from assistant.text.labels import MAX_LENGTH, label_key
from ingest.parsers.base import LONGEST_ABSTRACT, Problem, clean

_LONGEST_TITLE = 2_000
_LONGEST_NAME = 300
_MAX_KEYWORDS = 50
# What programs write in place of a missing abstract.
_MISSING = frozenset(
    "|n/a|na|nan|none|null|no abstract|no abstract available|abstract not available|not available".split("|")
)
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"<>{}]+", re.ASCII)
# Further digits make it another number: spreadsheets write 1805.01789 as 1805.0178899999999.
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
    """The field values of one paper as a file has them, before they are cleaned."""

    title: str = ""
    abstract: str = ""
    authors: Sequence[str] = ()
    year: str = ""
    venue: str = ""
    doi: str = ""
    arxiv_id: str = ""
    url: str = ""
    keywords: Sequence[str] = ()


def make_record(fields: Fields, source: str, line: int) -> Record | Problem:
    """Return the record of raw fields, or a problem if they have neither a title nor an abstract or are too long."""
    title, abstract = strip_markup(fields.title), _unless_missing(strip_markup(fields.abstract))
    if len(abstract) > LONGEST_ABSTRACT:
        reason = f"{len(abstract):,} characters are too long for an abstract (limit: {LONGEST_ABSTRACT:,})"
    elif len(title) > _LONGEST_TITLE:
        reason = f"{len(title):,} characters are too long for a title (limit: {_LONGEST_TITLE:,})"
    elif not any(map(str.isalnum, title + abstract)):
        reason = "skipped: the record has neither a title nor an abstract"
    else:
        authors, keywords = _clean_names(fields.authors), _clean_keywords(fields.keywords)
        record = Record(abstract, title or None, authors, source=source, line=line, keywords=keywords)
        return _identified(record, fields)
    return Problem(source, line, reason)


def strip_markup(text: str) -> str:
    """Return the text as one plain line: without tags, with character references decoded and single spaces."""
    if "<" in text:
        text = _TAG.sub("", _BLOCK_TAG.sub(r" \g<0>", _LABEL.sub(" ", text)))
    if "&" in text:
        text = _REFERENCE.sub(lambda match: html.unescape(match[0]), text)
    return " ".join(clean(text).split())


def scalar_text(value: Any) -> str:
    """Return a scalar, or the first scalar of a list, as text; empty for any other value."""
    if isinstance(value, list) and value:
        return scalar_text(value[0]) if not isinstance(value[0], list) else ""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def first_text(*values: Any) -> str:
    """Return the text of the first value that has any."""
    return next((text for value in values if (text := scalar_text(value))), "")


def first_name_first(name: str) -> str:
    """Return `First Last` for `Last, First`, with `Jr` or the like at the end; a name without comma as it is."""
    family, *others = (part.strip() for part in name.split(","))
    suffixes = [part for part in others if _SUFFIX.fullmatch(part)]
    first_names = [part for part in others if part not in suffixes]
    return " ".join(part for part in [*first_names, family, *suffixes] if part)


def initials_first(name: str) -> str:
    """Return `AB Alp` for `Alp AB` (PubMed), `A.B. Alp` for `Alp A.B.` (Scopus, Embase); any other name as it is."""
    return re.sub(r"^(.*[a-zà-ÿ].*) ([A-Z]{1,3}|(?:[A-Z]\.[ -]?){1,4})$", r"\2 \1", name)


def split_names(names: str) -> list[str]:
    """Return the names in one string.

    Accepts `Last, First; ...`, `Last, First and ...`, `First Last, ... and ...` and `Last FM, ...`.
    """
    if len(parts := _split(r"[;|\n]", names)) > 1:
        return [first_name_first(part) if "," in part else initials_first(part) for part in parts]
    parts = _split(r"\s(?:and|&)\s", names)
    if all(map(_ONE_COMMA.fullmatch, parts)) and (len(parts) > 1 or " " not in names.strip().partition(",")[0]):
        return [first_name_first(part) for part in parts]
    parts = _split(r",\s*(?:and\s|&\s)?|\s(?:and|&)\s", names)
    if len(parts) % 2 == 0 and any(" " not in part for part in parts):
        return [f"{first} {family}" for family, first in zip(parts[::2], parts[1::2], strict=True)]
    return [initials_first(part) for part in parts]


def split_keywords(text: str) -> list[str]:
    """Return the keywords in one string, separated by semicolons, or else by commas."""
    return _split(r"[;\n]", text) if ";" in text else _split(r"[,\n]", text)


def _split(separator: str, text: str) -> list[str]:
    return [part.strip() for part in re.split(separator, text) if part.strip()]


def _identified(record: Record, fields: Fields) -> Record:
    """Return the record with year, venue and identifiers."""
    identifiers = clean(" ".join([fields.doi, fields.arxiv_id, fields.url]))
    doi, arxiv = _DOI.search(identifiers), _ARXIV.search(identifiers)
    arxiv_id = arxiv[1] if arxiv else _bare_arxiv_id(fields.arxiv_id)
    year, url = _YEAR.search(fields.year), clean(fields.url)
    return replace(
        record,
        year=int(year[0]) if year else None,
        venue=_unless_missing(strip_markup(fields.venue)) or None,
        doi=_without_punctuation(doi[0]) if doi else None,
        arxiv_id=arxiv_id or None,
        url=url if re.fullmatch(r"https?://\S{1,2000}", url) else None,
    )


def _without_punctuation(doi: str) -> str:
    """Return a DOI without trailing punctuation; a closing parenthesis stays if it was opened in the DOI."""
    doi = doi.rstrip(".,;")
    return _without_punctuation(doi[:-1]) if doi.endswith(")") and doi.count(")") > doi.count("(") else doi


def _bare_arxiv_id(text: str) -> str:
    match = re.fullmatch(_ARXIV_ID, text.strip())
    return match[1] if match else ""


def _unless_missing(text: str) -> str:
    """Return the text, or nothing if it only states that the value is missing."""
    if not any(map(str.isalnum, text)) or text.casefold().strip(" .[]()-") in _MISSING:
        return ""
    return text


def _clean_keywords(keywords: Iterable[str]) -> tuple[str, ...]:
    """Return keywords that can be tags, each once; those that are too long for a tag, and too many, are left out."""
    stripped = (strip_markup(keyword) for keyword in keywords)
    unique = {label_key(keyword): keyword for keyword in stripped if len(keyword) <= MAX_LENGTH}
    return tuple(keyword for key, keyword in unique.items() if key)[:_MAX_KEYWORDS]


def _clean_names(names: Iterable[str]) -> tuple[str, ...]:
    stripped = map(strip_markup, names)
    return tuple(name for name in stripped if _unless_missing(name) and len(name) <= _LONGEST_NAME)
