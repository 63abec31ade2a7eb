"""The index ledger: which papers the indexes hold, in which form, and which they are about to take or to forget.

An entry is a paper's id with the fingerprint of the paper as it was indexed. A paper whose fingerprint differs from
its entry is pending; indexing it again repairs every interruption.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sqlalchemy as sa

from assistant.batches import batches
from assistant.schema import Paper
from assistant.storage.catalog_schema import (
    ANNOUNCED,
    HAS_ABSTRACT,
    IS_INDEXED,
    IS_UP_TO_DATE,
    fingerprint,
    increment_fact,
    indexed,
    paper_of,
    papers,
    read_fact,
    write_fact,
)
from assistant.storage.change_log import begin_epoch, log_changes
from assistant.storage.database import MAX_PARAMETERS, Database, QueryCache, insert, replace_rows

_PENDING = sa.select(papers).where(~IS_UP_TO_DATE & HAS_ABSTRACT)


class IndexLedger:
    """Records what the indexes hold. Announce papers before the indexes take them, and mark them as indexed after."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cache = QueryCache(database, max_size=1)

    def pending(self, limit: int, after: str = "") -> list[Paper]:
        """Return papers that the indexes lack in their present form, by id; only ids greater than `after`."""
        query = _PENDING.where(papers.c.id > after).order_by(papers.c.id).limit(limit)
        with self._database.reading() as connection:
            return [paper_of(row) for row in connection.execute(query)]

    def pending_count(self) -> int:
        """Return the number of papers that wait to be indexed."""
        return self._database.count(_PENDING)

    def indexed_count(self) -> int:
        """Return the number of papers that the indexes hold."""
        # Counting a million rows takes longer than the rest of a search.
        return self._cache.get("indexed", lambda: self._database.count(sa.select(indexed)))

    def indexed_ids(self) -> set[str]:
        """Return the ids of the papers that the indexes hold, in whatever form."""
        return set(self._database.scalars(sa.select(papers.c.id).where(IS_INDEXED, HAS_ABSTRACT)))

    def all_ids(self) -> set[str]:
        """Return every id that the indexes may hold: also those that they are taking or about to forget."""
        return set(self._database.scalars(sa.select(indexed.c.paper_id)))

    def stale_ids(self) -> list[str]:
        """Return the ids that the indexes may hold although no paper with an abstract has them any more."""
        current = sa.exists().where((papers.c.id == indexed.c.paper_id) & HAS_ABSTRACT)
        return self._database.scalars(sa.select(indexed.c.paper_id).where(~current).order_by(indexed.c.paper_id))

    def fingerprints(self, paper_ids: Collection[str]) -> dict[str, str]:
        """Return the fingerprints of those of the papers that the indexes hold in their present form."""
        query = sa.select(papers.c.id, papers.c.fingerprint).where(IS_UP_TO_DATE)
        return {row.id: row.fingerprint for row in self._database.select_in(query, papers.c.id, paper_ids)}

    @property
    def generation(self) -> int:
        """Return a number that grows with each change of the indexes, by which readers know that they must reload."""
        with self._database.reading() as connection:
            return read_fact(connection, "generation") or 0

    @property
    def store_stamp(self) -> int:
        """Return the stamp of the vector store that the entries are about; 0 before anything was indexed."""
        with self._database.reading() as connection:
            return read_fact(connection, "store") or 0

    # Writing: every method raises LibraryWriteError

    def announce(self, coming: Iterable[Paper], store_stamp: int) -> None:
        """Note that the indexes, with the store of this stamp, are about to take papers.

        After a crash the ledger then has an entry for everything that the indexes hold.
        """
        rows = [{"paper_id": paper.id, "fingerprint": ANNOUNCED} for paper in coming]
        with self._database.writing() as connection:
            connection.execute(insert(connection, indexed).on_conflict_do_nothing(), rows)
            write_fact(connection, "store", store_stamp)

    def mark_indexed(self, papers: Iterable[Paper]) -> None:
        """Note that the indexes hold these papers in their present form."""
        rows = [{"paper_id": paper.id, "fingerprint": fingerprint(paper)} for paper in papers]
        with self._database.writing() as connection:
            replace_rows(connection, indexed, rows)
            self._count_change(connection, [row["paper_id"] for row in rows])

    def mark_removed(self, paper_ids: Collection[str]) -> None:
        """Note that the indexes no longer hold these ids."""
        with self._database.writing() as connection:
            for batch in batches(paper_ids, MAX_PARAMETERS):
                connection.execute(sa.delete(indexed).where(indexed.c.paper_id.in_(batch)))
            self._count_change(connection, paper_ids)

    def invalidate(self, paper_ids: Collection[str]) -> None:
        """Note that the indexes may hold these papers in another form: they are to be indexed again."""
        with self._database.writing() as connection:
            for batch in batches(sorted(paper_ids), MAX_PARAMETERS):
                entries = sa.update(indexed).where(indexed.c.paper_id.in_(batch))
                connection.execute(entries.values(fingerprint=ANNOUNCED))

    def clear(self) -> None:
        """Note that the indexes hold nothing: every paper is to be indexed again."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(indexed))
            begin_epoch(connection, increment_fact(connection, "generation"))

    def _count_change(self, connection: sa.Connection, paper_ids: Collection[str]) -> None:
        """Count a change of the indexes, and note where replicas follow which papers it is about."""
        generation = increment_fact(connection, "generation")
        if self._database.is_shared:
            log_changes(connection, paper_ids, generation)


def invalidate_all(connection: sa.Connection) -> None:
    """Note that the indexes are to take every paper again, and to forget what no longer exists."""
    connection.execute(sa.update(indexed).values(fingerprint=ANNOUNCED))
    begin_epoch(connection, increment_fact(connection, "generation"))
