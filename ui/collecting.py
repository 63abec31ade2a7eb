"""Choose the papers to put into a collection: those that match filters, of an answer, or of a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import InputError, NotFoundError
from assistant.question.filters import parse_selection
from assistant.text.labels import label_key
from assistant.text.links import bare_arxiv_id, bare_doi
from assistant.text.printable import one_line

if TYPE_CHECKING:
    from assistant.schema import Answer, PaperCollection, Row
    from assistant.storage.catalog import Catalog

# Titles of unknown records that a message names.
_MAX_NAMED = 3
# A DOI, an arXiv id or an id of a paper or the beginning of one, as `paperchat list` shows it.
_IDENTIFIER = re.compile(
    r"(?:doi:\s*|https?://(?:dx\.)?doi\.org/)?10\.\d{4,9}/\S+"
    r"|(?:arxiv:\s*|https?://arxiv\.org/abs/)?(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?|[0-9a-f]{4,32}",
    re.IGNORECASE,
)
_VERSION = re.compile(r"(?<=\d)v\d+$")
# Bytes of a list of identifiers.
_MAX_LISTED_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class FilePapers:
    """The papers of the library that a file describes, by id, and the titles of its records that no paper has."""

    paper_ids: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def note(self) -> str:
        """Return a note that says which records are not in the library; empty where all are."""
        if not self.unknown:
            return ""
        named = ", ".join(repr(title) for title in self.unknown[:_MAX_NAMED])
        more = f" and {len(self.unknown) - _MAX_NAMED} more" if len(self.unknown) > _MAX_NAMED else ""
        return f"not in the library, so left out: {named}{more}; paperchat ingest adds them"


def matching_ids(catalog: Catalog, filters: str) -> list[str]:
    """Return the ids of the papers that match. Raises InputError for filters that select nothing or are not known."""
    selection = parse_selection(filters, catalog.papers.has_author)
    if not selection:
        raise InputError("--filter", "selects nothing; give a filter or a word")
    return [paper.id for paper in catalog.papers.all(selection)]


def answer_ids(catalog: Catalog, answer: Answer) -> list[str]:
    """Return the ids of the papers that an answer cites or lists in a table, without those that are gone."""
    cited = [citation.paper.id for citation in answer.citations]
    listed = [row.paper.id for row in answer.table.rows] if answer.table else []
    return catalog.papers.present_ids(list(dict.fromkeys([*cited, *listed])))


def file_papers(catalog: Catalog, file: Path) -> FilePapers:
    """Return the papers of the library that a file describes, or whose identifiers it lists, one a line.

    Raises InputError for a file without either.
    """
    if identifiers := _listed_identifiers(file):
        return _identified(catalog, identifiers)
    return _described(catalog, file)


def table_ids(catalog: Catalog, rows: Iterable[Row]) -> list[str]:
    """Return the ids of the papers of a table, without those that are gone."""
    return catalog.papers.present_ids(list(dict.fromkeys(row.paper.id for row in rows)))


def collect_under(catalog: Catalog, name: str, paper_ids: Sequence[str]) -> tuple[PaperCollection, int]:
    """Put papers into the collection of a name, which is begun if there is none, and return how many were not in it.

    Raises InputError for a name that is empty or too long, LibraryWriteError.
    """
    if label_key(name) in map(label_key, catalog.collections.names()):
        collection = catalog.collections.find(name)
        return collection, catalog.collections.add(collection.id, paper_ids)
    return catalog.collections.create(name, paper_ids), len(paper_ids)


def _listed_identifiers(file: Path) -> list[str]:
    """Return the identifiers of a file that has one in every line and nothing else; empty for any other file."""
    try:
        with file.open(encoding="utf-8-sig") as opened:
            lines = [line.strip() for line in opened.readlines(_MAX_LISTED_BYTES)]
    except (OSError, UnicodeDecodeError):
        return []
    identifiers = [line for line in lines if line]
    return identifiers if all(map(_IDENTIFIER.fullmatch, identifiers)) else []


def _identified(catalog: Catalog, identifiers: Sequence[str]) -> FilePapers:
    found: dict[str, None] = {}
    unknown = []
    for identifier in identifiers:
        bare = _VERSION.sub("", bare_arxiv_id(bare_doi(identifier)))
        try:
            papers = catalog.papers.with_identifier(bare, 1) or [catalog.papers.find(identifier)]
            found[papers[0].id] = None
        except NotFoundError:
            unknown.append(identifier)
    return FilePapers(tuple(found), tuple(unknown))


def _described(catalog: Catalog, file: Path) -> FilePapers:
    from ingest.known_papers import known_papers
    from ingest.reading import files_of, records_of
    from ingest.report import IngestReport

    report = IngestReport()
    records = [record for path in files_of([file], report) for record in records_of(path, report)]
    if not records:
        reason = report.problems[0].reason if report.problems else "has no records of papers"
        raise InputError(str(file), reason)
    known = known_papers(records, catalog)
    titles = [record.title or record.abstract[:80] for record, ids in zip(records, known, strict=True) if not ids]
    paper_ids = dict.fromkeys(paper_id for ids in known for paper_id in ids)
    return FilePapers(tuple(paper_ids), tuple(map(one_line, titles)))
