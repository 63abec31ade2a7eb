"""The catalog: the one truth about papers, in an SQLite file or in a schema of PostgreSQL (SQLAlchemy Core).

    records   what each source says            marks    keys by which records of one paper match
    papers    the records of one paper merged  indexed  the index ledger: (paper, fingerprint) pairs
    aliases   former ids of papers             facts    schema version, generation stamp and other numbers
    apart     records that a person keeps from being merged      keywords   tags of records in their files
    additions when records were added                collections, members   named sets of papers
    table_cells  what tables have of papers          tags, notes            what a person adds to papers
    topics, paper_topics  the topics of the map, and the one of each paper
    synced_libraries, synced_items   what was last read of a reference manager
    notices   retractions and the like               watches, arrivals      watched sources, and what they brought
    digests, answer_news   what was told of it       index_changes   when the indexes took or forgot a paper

The vector store, the lexicon and the word vectors are derived from it. It is written first, and its ledger is marked
last: a paper whose fingerprint differs from its entry is indexed again, which repairs every interruption.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from assistant.batches import batches
from assistant.errors import LibraryError
from assistant.schema import Paper, Record, Scope
from assistant.storage.annotations import Annotations
from assistant.storage.catalog_schema import (
    MIGRATIONS,
    TABLES,
    additions,
    aliases,
    answer_news,
    arrivals,
    collections,
    delete_by_present_ids,
    kept_separate,
    keywords,
    match_keys,
    members,
    notes,
    notices,
    paper_of,
    paper_row,
    paper_topics,
    papers,
    read_fact,
    record_of,
    records,
    synced_items,
    synced_libraries,
    table_cells,
    tags,
    topics,
    watch_digests,
    watches,
    write_fact,
)
from assistant.storage.change_log import ChangeLog
from assistant.storage.collections import Collections
from assistant.storage.database import (
    MAX_PARAMETERS,
    Database,
    DatabaseDescription,
    DatabaseLocation,
    WriteLock,
    copy_rows,
    insert,
    replace_rows,
)
from assistant.storage.index_ledger import IndexLedger, invalidate_all
from assistant.storage.notices import Notices
from assistant.storage.paper_queries import FUNCTIONS
from assistant.storage.paper_topics import PaperTopics
from assistant.storage.papers import Papers
from assistant.storage.records import (
    Records,
    allow_merging,
    delete_records,
    insert_records,
    keep_separate,
    move_records,
)
from assistant.storage.sqlite_file import SqliteFile
from assistant.storage.sync_ledger import SyncLedger
from assistant.storage.table_cells import TableCells, delete_cells, delete_stale_cells, move_cells
from assistant.storage.watch_digests import WatchDigests
from assistant.storage.watches import Watches
from assistant.text.labels import label_key


@dataclass(frozen=True, slots=True)
class PaperChange:
    """A paper as it is to be written.

    `new_records` are to be added to it, each with its match keys; `superseded` are the numbers of records that newer
    ones of the same source replace; `former_ids` are the ids of the papers that this one takes the place of.
    """

    paper: Paper
    new_records: Mapping[Record, Collection[str]]
    superseded: frozenset[int]
    former_ids: frozenset[str]


class Catalog:
    """The catalog of one library. Safe for many readers beside one writer.

    `papers` shows, finds, lists and filters; `records` tells what the sources say; `ledger` tells what is indexed;
    `collections` and `annotations` have what a person adds to papers, `cells` what tables have of them; `topics` has
    the topics that they are on, `notices` what was announced about them; `synced` has what was last read of a reference
    manager; `watches` are the watched sources, `digests` tell what they brought; `changes` is what replicas follow.
    Changes that concern several of them are made here, each in one transaction.
    """

    def __init__(self, location: DatabaseLocation | Path) -> None:
        """Open or create the tables, in an SQLite file where the location is a path.

        Raises LibraryError where they are unreadable or of a newer version.
        """
        self.location = SqliteFile(location) if isinstance(location, Path) else location
        self._database: Database = self.location.open("catalog", MIGRATIONS.apply, FUNCTIONS)
        self.papers = Papers(self._database)
        self.records = Records(self._database)
        self.ledger = IndexLedger(self._database)
        self.collections = Collections(self._database)
        self.annotations = Annotations(self._database)
        self.cells = TableCells(self._database)
        self.topics = PaperTopics(self._database)
        self.synced = SyncLedger(self._database)
        self.notices = Notices(self._database)
        self.watches = Watches(self._database)
        self.digests = WatchDigests(self._database)
        self.changes = ChangeLog(self._database)

    @property
    def is_shared(self) -> bool:
        """Return whether processes of other machines may use the catalog too."""
        return self._database.is_shared

    def describe(self) -> DatabaseDescription:
        """Return what the catalog is stored in; no password is part of it. Raises LibraryError."""
        return DatabaseDescription(str(self.location), self._database.engine_version, self._database.clock())

    @property
    def library_id(self) -> int:
        """Return a number that no other library has: drawn when the catalog was created, and not restored."""
        with self._database.reading() as connection:
            return read_fact(connection, "library") or 0

    def resolve_scope(self, scope: Scope) -> Scope:
        """Return the scope by present ids and names; it may have beginnings of ids, and old ones.

        Raises NotFoundError for an unknown paper or collection, InputError for an unknown topic.
        """
        pinned, excluded = map(self.papers.resolve, (scope.pinned, scope.excluded))
        names = tuple(self.collections.find(name).name for name in scope.collections)
        self.topics.require(scope.topics)
        return replace(scope, pinned=tuple(pinned), excluded=tuple(excluded), collections=names)

    def present_scope(self, scope: Scope) -> Scope:
        """Return a scope of earlier by present ids, without papers, collections and topics that are gone."""
        pinned, excluded = map(self.papers.present_ids, (scope.pinned, scope.excluded))
        names = {label_key(name) for name in self.collections.names()}
        labels = self.topics.labels()
        return replace(
            scope,
            pinned=tuple(pinned),
            excluded=tuple(excluded),
            collections=tuple(name for name in scope.collections if label_key(name) in names),
            topics=tuple(topic_id for topic_id in scope.topics if topic_id in labels),
        )

    def copy_to(self, file: Path) -> None:
        """Write the catalog as it is at this moment to an SQLite file. Raises LibraryError."""
        self._database.copy_to(file, MIGRATIONS.apply, TABLES)

    def check(self) -> None:
        """Read everything. Raises LibraryError where something is damaged."""
        self._database.check()
        try:
            with self._database.snapshot() as connection:
                for table, convert in ((papers, paper_of), (records, record_of)):
                    for row in connection.execution_options(yield_per=1000).execute(sa.select(table)):
                        convert(row)
        except (TypeError, ValueError) as error:
            raise LibraryError(f"{self._database.description} is damaged: {error}") from error

    @contextmanager
    def exclusive(self) -> Iterator[WriteLock]:
        """Lock the library for writing; nothing is written to the catalog any more once the lock is lost.

        Raises LibraryBusy at once where another process is writing, LibraryWriteError where nobody can.
        """
        with self.location.exclusive() as lock:
            self._database.lock = lock
            try:
                yield lock
            finally:
                self._database.lock = None

    def close(self) -> None:
        """Release the file or the connections."""
        self._database.close()

    # Writing: every method raises LibraryWriteError, and then nothing has changed

    def put(self, changes: Sequence[PaperChange], run: int, moment: datetime | None = None) -> None:
        """Write papers with their new records, read in this ingest run; `moment` is when, by default now."""
        if changes:
            with self._database.writing() as connection:
                _put(connection, changes, run, moment or datetime.now(UTC))

    def delete(self, paper_ids: Collection[str]) -> None:
        """Delete papers with their records, tags and notes. The indexes follow at the next synchronisation."""
        with self._database.writing() as connection:
            for table in (members, tags, notes, notices):
                delete_by_present_ids(connection, table, paper_ids)
            for batch in batches(paper_ids, MAX_PARAMETERS):
                numbers = sa.select(records.c.number).where(records.c.paper_id.in_(batch))
                delete_records(connection, connection.scalars(numbers).all())
                connection.execute(sa.delete(papers).where(papers.c.id.in_(batch)))
                connection.execute(sa.delete(aliases).where(aliases.c.paper_id.in_(batch)))
            delete_cells(connection, paper_ids)

    def split(
        self,
        paper_id: str,
        parts: Mapping[Paper, Collection[int]],
        *,
        dropped: Collection[int] = (),
        separate: Collection[int] = (),
    ) -> None:
        """Replace a paper by several, each with the records of these numbers, and delete the records `dropped`.

        The former id leads to the first part. The records in `separate` are not merged with others from now on.
        """
        with self._database.writing() as connection:
            delete_records(connection, dropped)
            connection.execute(sa.delete(papers).where(papers.c.id.in_({paper_id, *(part.id for part in parts)})))
            for part, numbers in parts.items():
                connection.execute(sa.insert(papers).values(**paper_row(part)))
                move_records(connection, numbers, part.id)
            keep_separate(connection, separate)
            first, *others = [part.id for part in parts]
            _release_ids(connection, [first, *others])
            delete_stale_cells(connection, parts)
            if paper_id not in {first, *others}:
                _redirect(connection, paper_id, first)

    def merge(self, paper: Paper, paper_ids: Collection[str]) -> None:
        """Replace several papers by one with all their records, which may be merged with others again."""
        with self._database.writing() as connection:
            allow_merging(connection, paper_ids)
            _put(connection, [PaperChange(paper, {}, frozenset(), frozenset(paper_ids))], 0, datetime.now(UTC))

    def restore(self, source: Catalog) -> None:
        """Replace the content by that of another catalog; every paper is to be indexed again. Raises LibraryError."""
        with source._database.snapshot() as reading, self._database.writing() as connection:
            copy_rows(reading, connection, (papers, records, additions, match_keys, keywords, aliases, kept_separate))
            copy_rows(reading, connection, (collections, members, tags, notes, table_cells, topics, paper_topics))
            copy_rows(reading, connection, (synced_libraries, synced_items))
            copy_rows(reading, connection, (notices, watches, arrivals, watch_digests, answer_news))
            for name in ("run", "ingested"):
                if (value := read_fact(reading, name)) is not None:
                    write_fact(connection, name, value)
            invalidate_all(connection)


def _put(connection: sa.Connection, changes: Sequence[PaperChange], run: int, moment: datetime) -> None:
    """Write all changes by a few statements, since most of them are of new papers."""
    delete_records(connection, [number for change in changes for number in change.superseded])
    for change in changes:
        if change.former_ids:
            _absorb(connection, change.former_ids | {change.paper.id}, change.paper.id)
    rows = [paper_row(change.paper) for change in changes]
    replace_rows(connection, papers, rows)
    delete_stale_cells(connection, (change.paper for change in changes))
    new = [(record, keys, change.paper.id) for change in changes for record, keys in change.new_records.items()]
    insert_records(connection, new, run, moment)
    _release_ids(connection, (change.paper.id for change in changes))
    for change in changes:
        for former_id in change.former_ids - {change.paper.id}:
            _redirect(connection, former_id, change.paper.id)


def _absorb(connection: sa.Connection, former_ids: Collection[str], paper_id: str) -> None:
    """Give a paper the records of those that it replaces, and delete these."""
    connection.execute(sa.update(records).where(records.c.paper_id.in_(former_ids)).values(paper_id=paper_id))
    connection.execute(sa.delete(papers).where(papers.c.id.in_(former_ids)))


def _release_ids(connection: sa.Connection, paper_ids: Iterable[str]) -> None:
    """Delete the aliases that have become ids of papers."""
    for batch in batches(paper_ids, MAX_PARAMETERS):
        connection.execute(sa.delete(aliases).where(aliases.c.id.in_(batch)))


def _redirect(connection: sa.Connection, former_id: str, paper_id: str) -> None:
    """Make a former id, and the aliases that led to it, lead to another paper, which takes over what people wrote."""
    move_cells(connection, former_id, paper_id)
    connection.execute(sa.update(aliases).where(aliases.c.paper_id == former_id).values(paper_id=paper_id))
    alias = insert(connection, aliases).values(id=former_id, paper_id=paper_id)
    connection.execute(alias.on_conflict_do_update(index_elements=["id"], set_={"paper_id": paper_id}))
