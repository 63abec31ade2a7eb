"""Choose the papers to put into a collection: those that match filters, of an answer, or of a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import InputError
from assistant.question.filters import parse_selection
from assistant.text.printable import one_line

if TYPE_CHECKING:
    from assistant.schema import Answer
    from assistant.storage.catalog import Catalog

# Titles of unknown records that a message names.
_MAX_NAMED = 3


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
    """Return the papers of the library that a file describes. Raises InputError for a file without records."""
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
