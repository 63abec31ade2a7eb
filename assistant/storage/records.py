"""The records of the catalog: what each source says of a paper, and the keys by which records of one paper match."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from assistant.batches import batches
from assistant.schema import Record
from assistant.storage.catalog_schema import (
    additions,
    digest,
    increment_fact,
    kept_separate,
    keywords,
    match_keys,
    read_fact,
    record_of,
    record_row,
    records,
    synced_libraries,
    write_fact,
)
from assistant.storage.database import MAX_PARAMETERS, Database, insert, insert_tuples
from assistant.text.labels import label_key
from assistant.text.links import ZOTERO, ZOTERO_ITEM_LENGTH, zotero_library


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record with its number in the catalog, the id of its paper, and the ingest run that last read it."""

    number: int
    record: Record
    paper_id: str
    run: int


@dataclass(frozen=True, slots=True)
class SourceCounts:
    """A source by its name, with the numbers of its papers and records.

    The items of a library of Zotero are one source, whose `label` is what the library is called there; others have
    none.
    """

    name: str
    papers: int
    records: int
    label: str = ""

    @property
    def title(self) -> str:
        """Return what the source is called for persons."""
        return f"{self.label} ({self.name})" if self.label else self.name


class Records:
    """Reads records and numbers ingest runs; records are written together with their papers, by the catalog."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def existing(self, candidates: Collection[Record]) -> set[Record]:
        """Return those of the records that the catalog has already, from the same sources."""
        by_digest = {digest(record): record for record in candidates}
        rows = self._database.select_in(sa.select(records.c.digest), records.c.digest, by_digest)
        return {by_digest[row.digest] for row in rows}

    def of_papers(self, paper_ids: Collection[str]) -> list[StoredRecord]:
        """Return every record of these papers, without its keywords."""
        rows = self._database.select_in(sa.select(records), records.c.paper_id, paper_ids)
        return [_stored_record(row) for row in rows]

    def of_sources(self, sources: Collection[str]) -> list[StoredRecord]:
        """Return every record of these sources."""
        rows = self._database.select_in(sa.select(records), records.c.source, sources)
        return [_stored_record(row) for row in rows]

    def of_source(self, source: str) -> list[StoredRecord]:
        """Return every record of a source, as `sources` names it, or of one item of a library of Zotero."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(records).where(_is_of(source, records)).order_by(records.c.number))
            return [_stored_record(row) for row in rows]

    def matching(self, keys: Collection[str]) -> dict[str, list[StoredRecord]]:
        """Return the records that have each match key, without those of papers that are kept separate."""
        # Not by a join: PostgreSQL reads every record for it until it has statistics of a new library.
        is_separate = sa.exists().where(kept_separate.c.record == match_keys.c.record)
        query = sa.select(match_keys).where(~is_separate)
        # In order, keys that lie in the same page of the index are looked up in turn.
        pairs = list(self._database.select_in(query, match_keys.c.match_key, sorted(keys)))
        rows = self._database.select_in(sa.select(records), records.c.number, {pair.record for pair in pairs})
        stored = {row.number: _stored_record(row) for row in rows}
        matches: dict[str, list[StoredRecord]] = {}
        for pair in pairs:
            if pair.record in stored:
                matches.setdefault(pair.match_key, []).append(stored[pair.record])
        return matches

    def sources(self) -> list[SourceCounts]:
        """Return the sources of all records, by name."""
        name = _source_name(records).label("source_name")
        of_papers = sa.func.count(records.c.paper_id.distinct()).label("papers")
        of_records = sa.func.count().label("records")
        query = sa.select(name, of_papers, of_records).group_by("source_name")
        with self._database.reading() as connection:
            libraries = connection.execute(sa.select(synced_libraries.c.name, synced_libraries.c.label))
            labels: dict[str, str] = {zotero_library(row.name): row.label for row in libraries}
            counts = [
                SourceCounts(row.source_name, row.papers, row.records, labels.get(row.source_name, ""))
                for row in connection.execute(query)
            ]
        return sorted(counts, key=lambda source: source.name)

    def papers_from(self, source: str) -> tuple[list[str], list[str]]:
        """Return the ids of the papers that only this source has, and of those that other sources have too.

        The source is named as by `sources`.
        """
        others = records.alias()
        shared = sa.exists().where((others.c.paper_id == records.c.paper_id) & ~_is_of(source, others))
        query = sa.select(records.c.paper_id).where(_is_of(source, records)).distinct().order_by(records.c.paper_id)
        return self._database.scalars(query.where(~shared)), self._database.scalars(query.where(shared))

    def is_kept_separate(self, paper_id: str) -> bool:
        """Tell whether a person keeps records of this paper from being merged with others."""
        query = sa.select(kept_separate.c.record).join(records, records.c.number == kept_separate.c.record)
        return self._database.scalar(query.where(records.c.paper_id == paper_id).limit(1)) is not None

    def touch(self, existing: Collection[Record], run: int) -> None:
        """Note that the ingest run has read these records again. Raises LibraryWriteError."""
        with self._database.writing() as connection:
            for batch in batches(map(digest, existing), MAX_PARAMETERS):
                connection.execute(sa.update(records).where(records.c.digest.in_(batch)).values(run=run))

    def next_run(self) -> int:
        """Return the number of a new ingest run. Raises LibraryWriteError."""
        with self._database.writing() as connection:
            return increment_fact(connection, "run")

    def note_ingest(self, when: datetime) -> None:
        """Note when an ingest was completed. Raises LibraryWriteError."""
        with self._database.writing() as connection:
            write_fact(connection, "ingested", int(when.timestamp()))

    def added_within(self, start: datetime, end: datetime) -> frozenset[str]:
        """Return the ids of the papers whose first record was added from `start` until before `end`."""
        first = _first_records().subquery()
        moment = _moment_of(first.c.number)
        query = sa.select(first.c.paper_id).where(moment >= start.timestamp(), moment < end.timestamp())
        return frozenset(self._database.scalars(query))

    def added_at(self, paper_ids: Collection[str]) -> dict[str, datetime]:
        """Return when each paper was added, in UTC; without those that were added before this was recorded."""
        first = _first_records().subquery()
        query = sa.select(first.c.paper_id, _moment_of(first.c.number).label("moment"))
        rows = self._database.select_in(query, first.c.paper_id, paper_ids)
        return {row.paper_id: datetime.fromtimestamp(row.moment, UTC) for row in rows if row.moment is not None}

    @property
    def last_ingest(self) -> datetime | None:
        """Return when the last ingest was completed, in UTC."""
        with self._database.reading() as connection:
            seconds = read_fact(connection, "ingested")
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _source_name(table: sa.FromClause) -> sa.ColumnElement[str]:
    """Return the source of a record as it is counted: all items of a library of Zotero as one."""
    source = table.c.source
    library = sa.func.substr(source, 1, sa.func.length(source) - ZOTERO_ITEM_LENGTH)
    return sa.case((source.like(f"{ZOTERO}%/items/________"), library), else_=source)


def _is_of(source: str, table: sa.FromClause) -> sa.ColumnElement[bool]:
    """Return the condition that a record is of a source, which may be a library of Zotero."""
    is_named = table.c.source == source
    return sa.or_(is_named, _source_name(table) == source) if source.startswith(ZOTERO) else is_named


# Parts of the catalog's transactions


def insert_records(
    connection: sa.Connection, new: Collection[tuple[Record, Collection[str], str]], run: int, moment: datetime
) -> None:
    """Add records, each with its match keys and the id of its paper; `moment` is when."""
    last = connection.scalar(sa.select(sa.func.max(records.c.number))) or 0
    rows: list[Mapping[str, Any]] = []
    keys: list[tuple[str, int]] = []
    named: list[Mapping[str, Any]] = []
    for number, (record, record_keys, paper_id) in enumerate(new, start=last + 1):
        rows.append(record_row(record, paper_id, run) | {"number": number})
        keys += [(key, number) for key in record_keys]
        by_key = {label_key(name): name for name in reversed(record.keywords)}
        named.extend({"record": number, "name_key": key, "name": name} for key, name in by_key.items() if key)
    if rows:
        connection.execute(sa.insert(records), rows)
        # Numbers of deleted records are used again.
        connection.execute(sa.delete(additions).where(additions.c.first > last))
        connection.execute(sa.insert(additions).values(first=last + 1, moment=int(moment.timestamp())))
    # In order, many rows in turn change the same page of the index.
    insert_tuples(connection, match_keys, sorted(keys))
    if named:
        connection.execute(sa.insert(keywords), named)


def move_records(connection: sa.Connection, numbers: Collection[int], paper_id: str) -> None:
    """Give records to another paper."""
    for batch in batches(numbers, MAX_PARAMETERS):
        connection.execute(sa.update(records).where(records.c.number.in_(batch)).values(paper_id=paper_id))


def delete_records(connection: sa.Connection, numbers: Collection[int]) -> None:
    """Delete records with their match keys."""
    for batch in batches(numbers, MAX_PARAMETERS):
        connection.execute(sa.delete(match_keys).where(match_keys.c.record.in_(batch)))
        connection.execute(sa.delete(keywords).where(keywords.c.record.in_(batch)))
        connection.execute(sa.delete(kept_separate).where(kept_separate.c.record.in_(batch)))
        connection.execute(sa.delete(records).where(records.c.number.in_(batch)))


def keep_separate(connection: sa.Connection, numbers: Collection[int]) -> None:
    """Keep records from being merged with those of other papers."""
    if numbers:
        rows = [{"record": number} for number in sorted(numbers)]
        connection.execute(insert(connection, kept_separate).on_conflict_do_nothing(), rows)


def allow_merging(connection: sa.Connection, paper_ids: Collection[str]) -> None:
    """Release the records of these papers from being kept separate."""
    numbers = sa.select(records.c.number).where(records.c.paper_id.in_(paper_ids))
    connection.execute(sa.delete(kept_separate).where(kept_separate.c.record.in_(numbers)))


def _stored_record(row: Any) -> StoredRecord:
    return StoredRecord(row.number, record_of(row), row.paper_id, row.run)


def _first_records() -> sa.Select[tuple[str, int]]:
    """Return the query of the number of each paper's first record."""
    return sa.select(records.c.paper_id, sa.func.min(records.c.number).label("number")).group_by(records.c.paper_id)


def _moment_of(number: sa.ColumnElement[int]) -> sa.ScalarSelect[int]:
    """Return the query of the moment at which the record of a number was added."""
    query = sa.select(additions.c.moment).where(additions.c.first <= number)
    return query.order_by(additions.c.first.desc()).limit(1).scalar_subquery()
