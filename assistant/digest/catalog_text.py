"""Phrase what the catalog records of papers: sentences with citations, and tables."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from assistant.citations import remove_markers
from assistant.question.catalog_question import FIELDS, CatalogKind
from assistant.schema import Cell, Paper, Row, Sentence, Table, Verdict
from assistant.text.printable import one_line
from assistant.text.titles import display_title

# Characters of a title, and people of a list of authors, that a sentence names.
_MAX_TITLE, _MAX_AUTHORS = 120, 12
_NOTHING = {
    CatalogKind.AUTHORS: "no authors",
    CatalogKind.DATE: "no year",
    CatalogKind.VENUE: "no journal or conference",
    CatalogKind.IDENTIFIER: "no DOI, arXiv id or address",
}
_HEADS = {
    CatalogKind.AUTHORS: "Authors",
    CatalogKind.DATE: "Year",
    CatalogKind.VENUE: "Venue",
    CatalogKind.IDENTIFIER: "Identifier",
}
NOT_RECORDED = "not recorded"


@dataclass(frozen=True, slots=True)
class CatalogReply:
    """What an answer from the catalog says; `papers` are those that its sentences cite, by number from 1."""

    opening: str
    sentences: tuple[Sentence, ...]
    papers: tuple[Paper, ...] = ()
    table: Table | None = None
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class UnknownReply:
    """Why the catalog cannot answer, and the papers that are nearest."""

    reason: str
    text: str
    nearest: tuple[Paper, ...] = ()


def stated(text: str, *numbers: int) -> Sentence:
    """Return a sentence that the catalog says, with its citations."""
    return Sentence(text, numbers, Verdict.SUPPORTED, 1.0)


def quoted_title(paper: Paper) -> str:
    """Return the title in quotation marks, shortened, without what would be read as a citation."""
    return f"“{shortened(remove_markers(one_line(display_title(paper))))}”"


def shortened(text: str, limit: int = _MAX_TITLE) -> str:
    """Return the text, cut at a word where it is too long."""
    return text if len(text) <= limit else f"{text[:limit].rsplit(' ', 1)[0]} ..."


def quoted(text: str) -> str:
    """Return words of the question or the catalog as one short line that cites nothing."""
    return shortened(remove_markers(one_line(text)).strip(' ?!.,;:"“”'))


def joined(parts: Sequence[str]) -> str:
    """Return the parts as a list in words."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def counted(count: int, noun: str = "paper") -> str:
    """Return the number with the noun in singular or plural."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def recorded(paper: Paper, field: CatalogKind) -> str | None:
    """Return what the catalog records in a field, as one line; None for nothing."""
    values = {
        CatalogKind.AUTHORS: ", ".join(paper.authors),
        CatalogKind.DATE: str(paper.year or ""),
        CatalogKind.VENUE: paper.venue or "",
        CatalogKind.IDENTIFIER: paper.doi or paper.arxiv_id or paper.url or "",
    }
    return one_line(remove_markers(values[field])) or None


def field_sentence(paper: Paper, field: CatalogKind, number: int) -> Sentence:
    """Return the sentence that says what is recorded in a field, or that nothing is."""
    title = quoted_title(paper)
    if recorded(paper, field) is None:
        return stated(f"The catalog records {_NOTHING[field]} for {title}: {NOT_RECORDED}.", number)
    return stated(f"{title} {_predicate(paper, field)}.", number)


def further_sentence(paper: Paper, fields: Collection[CatalogKind], number: int) -> Iterator[Sentence]:
    """Yield a sentence with what is recorded beside these fields, and what is not."""
    others = {field: recorded(paper, field) for field in FIELDS if field not in fields}
    known = "; ".join(f"{_HEADS[field].lower()}: {value}" for field, value in others.items() if value)
    unknown = ", ".join(_HEADS[field].lower() for field, value in others.items() if not value)
    parts = [f"Also recorded: {known}"] if known else []
    parts += [f"{'Not' if not known else 'not'} recorded: {unknown}"] if unknown else []
    if parts:
        yield stated(f"{'; '.join(parts)}.", number)


def entry(paper: Paper) -> str:
    """Return a paper with its authors and its year, as far as they are recorded."""
    first = one_line(remove_markers(paper.authors[0])) if paper.authors else ""
    authors = f"{first} et al." if len(paper.authors) > 1 else first
    about = ", ".join(filter(None, [authors, str(paper.year or "")]))
    return f"{quoted_title(paper)}{f' ({about})' if about else ''}"


def table(papers: Sequence[Paper], total: int) -> Table:
    """Return the papers with what the catalog records of each."""
    rows = tuple(Row(paper, tuple(Cell(recorded(paper, field)) for field in FIELDS)) for paper in papers)
    return Table(tuple(_HEADS[field] for field in FIELDS), rows, total)


def _predicate(paper: Paper, field: CatalogKind) -> str:
    """Return what a sentence says of a paper, of a field that it has."""
    if field is CatalogKind.AUTHORS:
        return f"was written by {_people(paper.authors)}"
    if field is CatalogKind.IDENTIFIER:
        return f"has {joined(list(_identifiers(paper)))}"
    value = recorded(paper, field)
    return f"is of the year {value}" if field is CatalogKind.DATE else f"appeared in {value}"


def _people(authors: Sequence[str]) -> str:
    names = [one_line(remove_markers(name)) for name in authors]
    if len(names) <= _MAX_AUTHORS:
        return joined(names)
    return joined([*names[:_MAX_AUTHORS], f"{len(names) - _MAX_AUTHORS} others"])


def _identifiers(paper: Paper) -> Iterator[str]:
    if paper.doi:
        yield f"the DOI {one_line(paper.doi)}"
    if paper.arxiv_id:
        yield f"the arXiv id {one_line(paper.arxiv_id)}"
    if paper.url:
        yield f"the address {one_line(paper.url)}"
