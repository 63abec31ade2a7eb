"""What was last read of the libraries of a reference manager, so that the next reading applies the differences only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import sqlalchemy as sa

from assistant.batches import batches
from assistant.storage.catalog_schema import records, synced_items, synced_libraries
from assistant.storage.database import MAX_PARAMETERS, Database, replace_rows


@dataclass(frozen=True, slots=True)
class SyncedLibrary:
    """A library as it was last read.

    `account` is the owner, empty where unknown. `version` is the watermark: what has a higher version has changed
    since; it holds for one `server` only, and is 0 where the library is to be read completely. `collections` maps keys
    of collections there to (id, name) of those here; the name is the one that was last given to it from there.
    """

    name: str
    label: str
    account: str = ""
    server: str = ""
    version: int = 0
    collections: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SyncedItem:
    """An item as it was last read; `source` is the source of its record, `collections` are keys there."""

    source: str
    library: str
    digest: str
    collections: tuple[str, ...] = ()
    citation_key: str = ""


class SyncLedger:
    """Reads and writes the ledger. Every method raises LibraryError, those that write LibraryWriteError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def libraries(self) -> dict[str, SyncedLibrary]:
        """Return every library that was read, by name."""
        with self._database.reading() as connection:
            return {row.name: _library(row) for row in connection.execute(sa.select(synced_libraries))}

    def items(self, library: str) -> dict[str, SyncedItem]:
        """Return the items of a library, by source."""
        query = sa.select(synced_items).where(synced_items.c.library == library)
        with self._database.reading() as connection:
            return {row.source: _item(row) for row in connection.execute(query)}

    def of_sources(self, sources: Collection[str]) -> dict[str, SyncedItem]:
        """Return the items of these sources, by source; without those that were never read."""
        rows = self._database.select_in(sa.select(synced_items), synced_items.c.source, sources)
        return {row.source: _item(row) for row in rows}

    def citation_keys(self, paper_ids: Collection[str]) -> dict[str, str]:
        """Return the citation keys that papers have in the reference manager; the smallest where they have several."""
        query = sa.select(records.c.paper_id, synced_items.c.citation_key)
        query = query.join(synced_items, synced_items.c.source == records.c.source)
        rows = self._database.select_in(query.where(synced_items.c.citation_key != ""), records.c.paper_id, paper_ids)
        return dict(sorted(((row.paper_id, row.citation_key) for row in rows), reverse=True))

    def papers_cited_as(self, citation_key: str) -> tuple[str, ...]:
        """Return the ids of the papers that have this citation key in the reference manager: several, if it has."""
        query = sa.select(records.c.paper_id).distinct()
        query = query.join(synced_items, synced_items.c.source == records.c.source)
        query = query.where(synced_items.c.citation_key == citation_key).order_by(records.c.paper_id)
        with self._database.reading() as connection:
            return tuple(connection.scalars(query)) if citation_key else ()

    def put_library(self, library: SyncedLibrary) -> None:
        """Note a library as it was read."""
        row = asdict(library) | {"collections": {key: list(pair) for key, pair in library.collections.items()}}
        with self._database.writing() as connection:
            replace_rows(connection, synced_libraries, [row])

    def put_items(self, items: Sequence[SyncedItem]) -> None:
        """Note items as they were read."""
        rows = [asdict(item) | {"collections": list(item.collections)} for item in items]
        if rows:
            with self._database.writing() as connection:
                replace_rows(connection, synced_items, rows)

    def delete_items(self, sources: Collection[str]) -> None:
        """Forget items."""
        with self._database.writing() as connection:
            for batch in batches(sources, MAX_PARAMETERS):
                connection.execute(sa.delete(synced_items).where(synced_items.c.source.in_(batch)))

    def delete_library(self, name: str) -> None:
        """Forget a library with its items."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(synced_items).where(synced_items.c.library == name))
            connection.execute(sa.delete(synced_libraries).where(synced_libraries.c.name == name))


def _library(row: Any) -> SyncedLibrary:
    collections = {key: (pair[0], pair[1]) for key, pair in row.collections.items()}
    return SyncedLibrary(row.name, row.label, row.account, row.server, row.version, collections)


def _item(row: Any) -> SyncedItem:
    return SyncedItem(row.source, row.library, row.digest, tuple(row.collections), row.citation_key)
