"""Ingest records: identify their papers, write the catalog, then bring the indexes in line with it.

The catalog is written first and marked last. A paper without a current mark is indexed by the next run, which is the
one rule that repairs every interruption.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from assistant.batches import batches
from assistant.encodings import EncodedPaper
from assistant.schema import Paper, Record
from assistant.storage.catalog import Catalog
from assistant.storage.library import Library
from ingest import indexing
from ingest.encoded.source import EncodedPapers, open_encoded
from ingest.grouping import MatchKeys, group_by_paper
from ingest.parsers.base import Problem
from ingest.reading import files_of, records_among, records_of
from ingest.report import IngestReport, Progress, ProgressCallback
from ingest.spool import record_spool

logger = logging.getLogger(__name__)

# Before it the catalog has no record.
_FIRST_RUN = 1


def ingest(paths: Iterable[Path], library: Library, progress: ProgressCallback | None = None) -> IngestReport:
    """Add the papers of files, folders and directories of encoded papers to the library; report what cannot be read.

    Raise LibraryBusy if another process is writing, and LibraryWriteError if the library cannot be written. Raise
    InputError for a damaged directory of encoded papers, RecipeMismatch for one of another recipe; then nothing has
    changed.
    """
    report = IngestReport()
    encoded, files = open_encoded(paths, library.recipe)
    with library.writing():
        run = library.catalog.records.next_run()
        for papers in encoded:
            _store_encoded(papers, library.catalog, run, report, progress)
        records = _spooled_records(files, library.catalog, run, report)
        _ingest_records(records, run, library, report, progress, encoded)
    return report


def ingest_records(
    items: Iterable[Record | Problem], library: Library, progress: ProgressCallback | None = None
) -> IngestReport:
    """Add records to the library, and copy problems to the report. Raise the same errors as `ingest`."""
    report = IngestReport()
    with library.writing():
        run = library.catalog.records.next_run()
        records = _met_before_stored(records_among(items, report), library.catalog, run)
        _ingest_records(records, run, library, report, progress)
    return report


def store_records(
    records: Sequence[Record], catalog: Catalog, run: int, known_keys: Mapping[Record, MatchKeys] | None = None
) -> IngestReport:
    """Write a batch of records to the catalog, merged by paper, and return the counts.

    `known_keys` are match keys of records that were computed earlier.
    """
    existing = catalog.records.existing(records)
    catalog.records.touch(existing, run)
    new = [record for record in dict.fromkeys(records) if record not in existing]
    groups = group_by_paper(new, catalog, known_keys)
    catalog.put([group.change(run) for group in groups], run)
    without_abstract = sum(not record.abstract for record in records)
    report = IngestReport(len(records), unchanged=len(records) - len(new), without_abstract=without_abstract)
    for group in groups:
        report.add_counts(group.counts(run))
    logger.debug("%d records stored in the catalog, %d of them unchanged", len(records), report.unchanged)
    return report


def _ingest_records(
    records: Iterable[Record],
    run: int,
    library: Library,
    report: IngestReport,
    progress: ProgressCallback | None,
    encoded: Sequence[EncodedPapers] = (),
) -> None:
    """Store records in batches, add their counts to the report, and update the indexes."""
    for batch in batches(records, indexing.BATCH_SIZE):
        report.add_counts(store_records(batch, library.catalog, run))
        if progress:
            progress(Progress("records read", report.records))
    cached = partial(_encodings, encoded) if encoded else None
    report.indexed = indexing.update_indexes(library, progress, cached)
    library.catalog.records.note_ingest(datetime.now(UTC))


def _store_encoded(
    papers: EncodedPapers, catalog: Catalog, run: int, report: IngestReport, progress: ProgressCallback | None
) -> None:
    """Store the records of a directory of encoded papers, after the catalog has noted which of them it has already."""
    for batch in papers.records() if run > _FIRST_RUN else ():
        catalog.records.touch(catalog.records.existing([read.record for read in batch]), run)
    for batch in papers.records():
        keys = {read.record: read.match_keys for read in batch}
        report.add_counts(store_records([read.record for read in batch], catalog, run, keys))
        if progress:
            progress(Progress("records read", report.records))


def _encodings(encoded: Sequence[EncodedPapers], papers: Sequence[Paper]) -> dict[str, EncodedPaper]:
    """Return the encodings of the papers that one of the directories has, by id."""
    found: dict[str, EncodedPaper] = {}
    for directory in encoded:
        found |= directory.encodings([paper for paper in papers if paper.id not in found])
    return found


def _spooled_records(paths: Iterable[Path], catalog: Catalog, run: int, report: IngestReport) -> Iterator[Record]:
    for file in files_of(paths, report):
        logger.debug("reading %s", file)
        yield from _met_before_stored(records_of(file, report), catalog, run)


def _met_before_stored(records: Iterable[Record], catalog: Catalog, run: int) -> Iterator[Record]:
    """Yield the records of a source after the catalog has noted which of them it has already.

    A new record supersedes the records of its source that the run has not met. If one batch of a source were stored
    before the rest was read, it could supersede a record that is unchanged further down. The first run has none to
    supersede.
    """
    if run == _FIRST_RUN:
        yield from records
        return
    with record_spool() as spool:
        for batch in batches(records, indexing.BATCH_SIZE):
            catalog.records.touch(catalog.records.existing(batch), run)
            spool.write(batch)
        yield from spool.read()
