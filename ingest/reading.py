"""Read the records of files and folders, and collect their problems in a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from assistant.errors import InputError
from assistant.schema import Record
from ingest.parsers.base import Problem
from ingest.parsers.detect import find_files, read_records
from ingest.report import IngestReport

# The problems of one file beyond this number are only counted, to save memory and the reader's time.
_MAX_PROBLEMS_PER_FILE = 1_000


def files_of(paths: Iterable[Path], report: IngestReport) -> Iterator[Path]:
    """Yield the files to read at the paths, with folders expanded; report the paths that cannot be read."""
    for path in paths:
        try:
            for file in find_files(path):
                if isinstance(file, Path):
                    yield file
                else:
                    report.problems.append(file)
        except InputError as error:
            report.problems.append(_problem(error))


def records_of(file: Path, report: IngestReport) -> Iterator[Record]:
    """Yield the records of a file, and report its problems: the first ones individually, the others as a number."""
    unlisted: list[bool] = []
    limit = len(report.problems) + _MAX_PROBLEMS_PER_FILE
    try:
        for item in read_records(file):
            if isinstance(item, Record):
                yield item
            elif len(report.problems) < limit:
                report.add_problem(item)
            else:
                report.skipped += item.lost
                unlisted.append(item.lost)
    except InputError as error:
        report.problems.append(_problem(error))
    if unlisted:
        reason = f"and {len(unlisted):,} more problems like these"
        report.problems.append(Problem(file.name, 0, reason, any(unlisted)))


def records_among(items: Iterable[Record | Problem], report: IngestReport) -> Iterator[Record]:
    """Yield the records among the items, and report the problems."""
    for item in items:
        if isinstance(item, Record):
            yield item
        else:
            report.add_problem(item)


def _problem(error: InputError) -> Problem:
    return Problem(error.source, error.line, error.reason)
