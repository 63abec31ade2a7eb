"""Compare an entry of a bibliography with the paper of the library that it means: title, year, authors."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.drafts.values import BibliographyEntry, FieldDifference
from assistant.schema import Paper
from assistant.text.latex import to_text
from assistant.text.matching import fold, words


def differences(entry: BibliographyEntry, paper: Paper) -> dict[str, FieldDifference]:
    """Return the fields that both have and that differ: title, year, authors."""
    found = _of_text(entry, paper) if entry.is_text else _of_fields(entry, paper)
    return {name: difference for name, difference in found.items() if difference is not None}


def title_words(title: str | None) -> tuple[str, ...]:
    """Return the words of a title by which titles are compared: without case, accents, markup and punctuation."""
    return words(to_text(title or ""))


def surname(author: str) -> str:
    """Return the folded surname of `Ada Wu` or `Wu, Ada`."""
    name = author.split(",")[0] if "," in author else author
    parts = words(name)
    return parts[-1] if parts else ""


def _of_fields(entry: BibliographyEntry, paper: Paper) -> dict[str, FieldDifference | None]:
    record = entry.record
    return {
        "title": _title(record.title, paper),
        "year": _year(record.year, paper),
        "authors": None if _same_authors(record.authors, paper.authors) else _authors(record.authors, paper),
    }


def _of_text(entry: BibliographyEntry, paper: Paper) -> dict[str, FieldDifference | None]:
    """Return the differences of an entry that is a text: what of the paper the text does not have."""
    text = entry.record.title or ""
    stated = " ".join(words(text))
    title = " ".join(title_words(paper.title))
    has_author = not paper.authors or fold(surname(paper.authors[0])) in stated.split()
    has_year = paper.year is None or entry.record.year is None or str(paper.year) in stated.split()
    return {
        "title": None if title in stated else FieldDifference(text, paper.title or ""),
        "year": None if has_year else _year(entry.record.year, paper),
        "authors": None if has_author else _authors([text], paper),
    }


def _title(title: str | None, paper: Paper) -> FieldDifference | None:
    if not title or not paper.title or title_words(title) == title_words(paper.title):
        return None
    return FieldDifference(title, paper.title)


def _year(year: int | None, paper: Paper) -> FieldDifference | None:
    if year is None or paper.year is None or year == paper.year:
        return None
    return FieldDifference(str(year), str(paper.year))


def _same_authors(entry: Sequence[str], paper: Sequence[str]) -> bool:
    """Tell whether the entry names authors of the paper only, the first one first; it may leave out others."""
    named, known = [surname(name) for name in entry], [surname(name) for name in paper]
    if not named or not known:
        return True
    return named[0] == known[0] and set(named) <= set(known)


def _authors(names: Sequence[str], paper: Paper) -> FieldDifference:
    return FieldDifference(", ".join(names), ", ".join(paper.authors))
