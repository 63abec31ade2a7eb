"""The tool that adds papers: what a client hands over is ingested as a file of that content would be."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from assistant.errors import InputError
from assistant.schema import Record
from assistant.serialization import Json
from assistant.text.printable import one_line
from ui.api.library_models import AddedJson
from ui.mcp.arguments import AddArguments
from ui.mcp.calls import ToolCall

if TYPE_CHECKING:
    from assistant.storage.catalog import Catalog
    from ingest.report import IngestReport, Progress

# The source of papers that come without a file.
_SOURCE = "mcp"
_COUNTS = tuple(name for name in AddedJson.model_fields if name != "problems")
# What a result lists.
_MAX_IDS, _MAX_PROBLEMS = 100, 20


def add(arguments: AddArguments, call: ToolCall) -> Json:
    """Ingest the papers, or the file, and return the counts, the ids of the papers and the problems.

    Once the library is being written, that is finished, even if the call is cancelled.
    Raises InputError where nothing can be read, LibraryBusy where another process is writing, and LibraryError.
    """
    if bool(arguments.papers) == bool(arguments.file_text):
        raise InputError("add", "takes either papers or the text of a file")
    from ingest import pipeline
    from ingest.parsers.detect import parse

    def report_progress(progress: Progress) -> None:
        call.report_writing(f"{progress.activity}: {progress.done}")

    items = list(parse(*_content(arguments)))  # completely, before the library is locked
    library = call.assistant().library
    with call.access.writing():
        report = pipeline.ingest_records(items, library, report_progress)
    records = [item for item in items if isinstance(item, Record)]
    return _result(report, islice(_paper_ids(records, library.catalog), _MAX_IDS))


def _content(arguments: AddArguments) -> tuple[bytes, str]:
    """Return the bytes of a file and the name of its source."""
    if arguments.papers:
        return json.dumps([paper.model_dump(exclude_defaults=True) for paper in arguments.papers]).encode(), _SOURCE
    return arguments.file_text.encode("utf-8", "replace"), one_line(arguments.file_name) or _SOURCE


def _paper_ids(records: Iterable[Record], catalog: Catalog) -> Iterator[str]:
    """Yield the present ids of the papers of these records."""
    from ingest.identity import match_keys

    seen: set[str] = set()
    for record in records:
        matches = catalog.records.matching(match_keys(record))
        stored = {match.paper_id for matched in matches.values() for match in matched if match.record == record}
        yield from sorted(stored - seen)
        seen |= stored


def _result(report: IngestReport, paper_ids: Iterable[str]) -> Json:
    counts = {name: getattr(report, name) for name in _COUNTS}
    problems = [one_line(str(problem)) for problem in report.problems[:_MAX_PROBLEMS]]
    return counts | {"ids": list(paper_ids), "problems": problems}
