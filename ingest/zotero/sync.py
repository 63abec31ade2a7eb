"""Bring the library in line with Zotero: new and edited items, deleted ones, and their collections.

Everything is read before the library is locked. The ledger is written after what it tells of, so that a reading that is
interrupted is completed by the next one.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from assistant.batches import batches
from assistant.errors import InputError
from assistant.schema import Record
from assistant.settings import Settings
from assistant.storage.catalog import Catalog, PaperChange
from assistant.storage.library import Library
from assistant.storage.records import StoredRecord
from assistant.storage.sync_ledger import SyncedItem, SyncedLibrary
from ingest import identity, indexing
from ingest.maintenance.removal import drop_records
from ingest.parsers.base import Problem
from ingest.pipeline import store_records
from ingest.report import IngestReport, Progress, ProgressCallback
from ingest.zotero.citation_keys import citation_keys
from ingest.zotero.collections import CollectionMap, apply_collections
from ingest.zotero.items import LibraryContent, ZoteroLibrary, ZoteroReader, describe
from ingest.zotero.reading import data_directory, open_zotero

logger = logging.getLogger(__name__)

PREFIX = "zotero:"
_OTHER_ACCOUNT = (
    "Zotero is used with another account than before: nothing is changed. To follow this one, first delete the papers "
    "of the other: paperchat delete --filter source:zotero"
)
_EMPTY = (
    "{label} is empty in Zotero, as a new or damaged profile is: its {count:,} papers are left as they are. If it was "
    "emptied on purpose: paperchat delete --filter source:zotero"
)
_GONE = "{label} is no longer in Zotero: what only it had is removed"


def add_zotero(
    name: str, settings: Settings, library: Library, progress: ProgressCallback | None = None
) -> IngestReport:
    """Bring the library in line with Zotero, and return the report.

    `name` is `zotero:` for all libraries of Zotero, or has the name or number of one after it. Raise InputError where
    Zotero cannot be read or has no such library, LibraryBusy if another process is writing, and LibraryWriteError.
    """
    wanted = name.removeprefix(PREFIX).strip().strip("\"'").strip()
    last = _watermarks(library.catalog)
    with open_zotero(settings) as reader:
        present = reader.libraries()
        chosen = [candidate for candidate in present if not wanted or _is_named(candidate, wanted)]
        gone = [old for old in last.values() if old.name not in {candidate.name for candidate in present}]
        gone = [old for old in gone if not wanted or _is_named(ZoteroLibrary(old.name, old.label), wanted)]
        if not chosen and not gone:
            names = ", ".join(repr(candidate.label) for candidate in present)
            raise InputError(name, f"Zotero has no such library; it has {names}")
        _require_account(present, last)
        report = IngestReport()
        contents = list(_read(reader, chosen, last, report))
    keys = citation_keys(data_directory(settings))
    with library.writing():
        _apply(contents, gone, keys, library, report, progress)
    return report


def _watermarks(catalog: Catalog) -> dict[str, SyncedLibrary]:
    """Return how the libraries were last read, without watermark where papers of one have been deleted here since."""
    libraries = catalog.synced.libraries()
    for name, library in libraries.items():
        items = catalog.synced.items(name)
        stored = {record.record.source for record in catalog.records.of_sources(items)}
        if stored != items.keys():
            libraries[name] = replace(library, version=0)
    return libraries


def _is_named(library: ZoteroLibrary, name: str) -> bool:
    return name.casefold() in (library.label.casefold(), library.name, library.name.removeprefix("groups/"))


def _require_account(present: Sequence[ZoteroLibrary], last: Mapping[str, SyncedLibrary]) -> None:
    """Raise InputError where Zotero belongs to somebody else: everything that is missing would be taken for deleted."""
    for library in present:
        before = last.get(library.name)
        if before and before.account and library.account and before.account != library.account:
            raise InputError("zotero", _OTHER_ACCOUNT)


def _read(
    reader: ZoteroReader, libraries: Sequence[ZoteroLibrary], last: Mapping[str, SyncedLibrary], report: IngestReport
) -> Iterator[LibraryContent]:
    """Yield the contents of libraries; report those that cannot be read, and go on."""
    for library in libraries:
        try:
            yield reader.read(library, last.get(library.name))
        except InputError as error:
            if len(libraries) == 1:
                raise
            report.add_problem(Problem(f"zotero: {library.label}", 0, error.reason))


def _apply(
    contents: Sequence[LibraryContent],
    gone: Sequence[SyncedLibrary],
    citation_keys: Mapping[str, str] | None,
    library: Library,
    report: IngestReport,
    progress: ProgressCallback | None,
) -> None:
    """Apply what was read. The caller holds the library for writing."""
    run = library.catalog.records.next_run()
    readings = [LibraryReading(content, library, report, run, citation_keys) for content in contents]
    applied = [reading for reading in readings if reading.apply(progress)]
    for old in gone:
        report.add_problem(Problem("zotero", 0, _GONE.format(label=old.label), lost=False))
        empty = LibraryContent(ZoteroLibrary(old.name, old.label), (), (), frozenset())
        reading = LibraryReading(empty, library, report, run, citation_keys)
        reading.remove(reading.before)
    report.indexed = indexing.update_indexes(library, progress)
    for reading in applied:
        reading.finish()
    for old in gone:
        CollectionMap(library.catalog, old).forget(old.collections.keys())
        library.catalog.synced.delete_library(old.name)
    library.catalog.records.note_ingest(datetime.now(UTC))


@dataclass(slots=True)
class LibraryReading:
    """Applies what was read of one library of Zotero; without `citation_keys`, items keep those that they had."""

    content: LibraryContent
    library: Library
    report: IngestReport
    run: int
    citation_keys: Mapping[str, str] | None
    before: dict[str, SyncedItem] = field(init=False)
    collections: CollectionMap = field(init=False)

    def __post_init__(self) -> None:
        ledger, name = self.library.catalog.synced, self.content.library.name
        self.before = ledger.items(name)
        last = ledger.libraries().get(name) or SyncedLibrary(name, self.content.library.label)
        self.collections = CollectionMap(self.library.catalog, last)

    def apply(self, progress: ProgressCallback | None) -> bool:
        """Store what has changed, and remove what is gone. Return False where the library is suspiciously empty."""
        label = self.content.library.label
        if self.before and not self.content.keys:
            reason = _EMPTY.format(label=label, count=len(self.before))
            self.report.add_problem(Problem("zotero", 0, reason))
            return False
        readings = list(self._readings())
        used = {key for state, _ in readings for key in state.collections}
        self.collections.follow(self.content.library, self.content.collections, used)
        for batch in batches(readings, indexing.BATCH_SIZE):
            self._store(batch)
            if progress:
                progress(Progress("records read", self.report.records))
        self._leave_deleted_collections()
        unreadable = self.before.keys() & {problem.source for problem in self.report.problems if not problem.lost}
        present = {source for source in self.before if source.rpartition("/")[2] in self.content.keys}
        self.remove((self.before.keys() - present) | unreadable)
        return True

    def finish(self) -> None:
        """Forget deleted collections, and note how far the library was read."""
        present = {"", *(collection.key for collection in self.content.collections)}
        self.collections.forget(self.collections.library.collections.keys() - present)
        library = self.content.library
        self.library.catalog.synced.put_library(
            replace(
                self.collections.library,
                label=library.label,
                account=library.account or self.collections.library.account,
                server=self.content.server,
                version=self.content.version,
            )
        )

    def remove(self, sources: Collection[str]) -> None:
        """Remove items: their records, and papers from the collections that they are in by these items alone."""
        catalog = self.library.catalog
        stored = catalog.records.of_sources(sources)
        apply_collections(catalog, {record.paper_id for record in stored}, {}, dict.fromkeys(sources))
        self.report.removed += drop_records(catalog, stored)
        catalog.synced.delete_items(sources)

    def _readings(self) -> Iterator[tuple[SyncedItem, Record]]:
        """Yield what the items say of papers; report those that say nothing, and go on."""
        keys = self.citation_keys
        if keys is None:
            keys = {source.rpartition("/")[2]: item.citation_key for source, item in self.before.items()}
        for item in self.content.items:
            record, state = describe(item, self.content.library.name, keys)
            if isinstance(record, Record):
                yield state, record
            else:
                self.report.add_problem(replace(record, lost=False))

    def _store(self, batch: Sequence[tuple[SyncedItem, Record]]) -> None:
        """Store the records that have changed, and what else is followed of their items."""
        catalog = self.library.catalog
        stored = catalog.records.of_sources([state.source for state, _ in batch])
        stored_sources = {record.record.source for record in stored}
        changed = {
            state.source: (state, record)
            for state, record in batch
            if self.before.get(state.source) != state or state.source not in stored_sources
        }
        unchanged = len(batch) - len(changed)
        self.report.add_counts(IngestReport(unchanged, unchanged=unchanged))
        self.report.add_counts(store_records([record for _, record in changed.values()], catalog, self.run))
        moved = self._replace_earlier(changed)
        stored = catalog.records.of_sources(changed)
        states = {source: state for source, (state, _) in changed.items()}
        new_here = moved | (changed.keys() - stored_sources)
        apply_collections(catalog, {record.paper_id for record in stored}, dict.fromkeys(new_here), states)
        catalog.synced.put_items(list(states.values()))

    def _replace_earlier(self, sources: Collection[str]) -> set[str]:
        """Remove what items said before they were edited so much that it is not recognized as the same paper.

        The paper stays the same one if it was that of the item alone. Return the items that have moved to another.
        """
        catalog, moved = self.library.catalog, set()
        by_source: dict[str, list[StoredRecord]] = {}
        for stored in catalog.records.of_sources(sources):
            by_source.setdefault(stored.record.source, []).append(stored)
        for source, stored_records in by_source.items():
            earlier = [stored for stored in stored_records if stored.run < self.run]
            latest = [stored for stored in stored_records if stored.run == self.run]
            if not earlier or not latest:
                continue
            former = {stored.paper_id for stored in earlier}
            others = catalog.records.of_papers(former | {latest[0].paper_id})
            if any(other.record.source != source for other in others if other.paper_id in former):
                drop_records(catalog, earlier)
                moved.add(source)
            else:
                self._join(others, earlier)
        return moved

    def _join(self, stored: Sequence[StoredRecord], earlier: Sequence[StoredRecord]) -> None:
        """Make one paper of the records but the earlier ones; ids that it had lead to it."""
        numbers = frozenset(record.number for record in earlier)
        paper = identity.merge([record.record for record in stored if record.number not in numbers])
        change = PaperChange(paper, {}, numbers, frozenset(record.paper_id for record in stored))
        self.library.catalog.put([change], self.run)

    def _leave_deleted_collections(self) -> None:
        """Take the papers of unchanged items out of collections that were deleted."""
        present = {"", *(collection.key for collection in self.content.collections)}
        catalog = self.library.catalog
        states = catalog.synced.items(self.content.library.name)
        left = {
            source: replace(state, collections=kept)
            for source, state in states.items()
            if (kept := tuple(key for key in state.collections if key in present)) != state.collections
        }
        stored = catalog.records.of_sources(left)
        apply_collections(catalog, {record.paper_id for record in stored}, {}, left)
        catalog.synced.put_items(list(left.values()))
