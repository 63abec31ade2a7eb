"""Collections: named sets of papers. A paper may be in several of them; a paper that is deleted leaves them all."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from assistant.batches import batches
from assistant.errors import InputError, NotFoundError
from assistant.schema import PaperCollection
from assistant.storage.catalog_schema import (
    IS_SHOWN,
    collections,
    delete_by_present_ids,
    members,
    papers,
    under_present_ids,
)
from assistant.storage.database import MAX_PARAMETERS, Database, insert, lock_for_writing
from assistant.text.labels import clean_label, label_key, similar_labels

_KIND = "collection"
_HINT = "paperchat collection create NAME begins one"


class Collections:
    """The collections of a library. Every method raises LibraryError, those that write LibraryWriteError.

    Methods that write do so in one transaction; two processes that write wait for each other.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[PaperCollection]:
        """Return every collection, by name."""
        with self._database.reading() as connection:
            rows = connection.execute(_with_counts())
            return sorted((PaperCollection(*row) for row in rows), key=lambda row: label_key(row.name))

    def find(self, name: str) -> PaperCollection:
        """Return the collection of a name, in any case, or of an id. Raises NotFoundError, which names similar ones."""
        is_named = (collections.c.id == name) | (collections.c.name_key == label_key(name))
        with self._database.reading() as connection:
            row = connection.execute(_with_counts().where(is_named)).first()
        if row is None:
            raise NotFoundError(f"{self._unknown(name)} ({_HINT})")
        return PaperCollection(*row)

    def names(self) -> list[str]:
        """Return the names of all collections, in alphabetical order."""
        return sorted(self._database.scalars(sa.select(collections.c.name)), key=label_key)

    def require(self, names: Collection[str]) -> None:
        """Raise InputError, which names similar ones, where no collection has one of the names."""
        if not names:
            return
        keys = {label_key(name) for name in names}
        known = set(self._database.scalars(sa.select(collections.c.name_key).where(collections.c.name_key.in_(keys))))
        for name in names:
            if label_key(name) not in known:
                raise InputError("question", self._unknown(name))

    def create(self, name: str, paper_ids: Collection[str] = ()) -> PaperCollection:
        """Create a collection of papers, by their present ids.

        Raises InputError for a name that is empty, too long or taken, NotFoundError for an unknown paper.
        """
        label, created = clean_label(_KIND, name), datetime.now(UTC).isoformat(timespec="seconds")
        row = {"id": secrets.token_hex(6), "name": label, "name_key": label_key(label), "created": created}
        with self._database.writing() as connection:
            lock_for_writing(connection)
            _refuse_taken(connection, label)
            connection.execute(sa.insert(collections).values(**row))
            _insert_members(connection, row["id"], paper_ids)
        return self.find(row["id"])

    def rename(self, collection_id: str, name: str) -> None:
        """Give a collection another name. Raises InputError as `create` does, and NotFoundError."""
        label = clean_label(_KIND, name)
        with self._database.writing() as connection:
            lock_for_writing(connection)
            _require_id(connection, collection_id)
            _refuse_taken(connection, label, collection_id)
            renamed = sa.update(collections).where(collections.c.id == collection_id)
            connection.execute(renamed.values(name=label, name_key=label_key(label)))

    def delete(self, collection_id: str) -> None:
        """Delete a collection; its papers stay in the library. Raises NotFoundError."""
        with self._database.writing() as connection:
            lock_for_writing(connection)
            _require_id(connection, collection_id)
            connection.execute(sa.delete(members).where(members.c.collection == collection_id))
            connection.execute(sa.delete(collections).where(collections.c.id == collection_id))

    def add(self, collection_id: str, paper_ids: Collection[str]) -> int:
        """Add papers, by their present ids, and return how many were not in the collection before.

        Raises NotFoundError for an unknown collection or paper; nothing is added then.
        """
        with self._database.writing() as connection:
            lock_for_writing(connection)
            _require_id(connection, collection_id)
            before = _member_ids(connection, collection_id)
            _insert_members(connection, collection_id, set(paper_ids) - before)
        return len(set(paper_ids) - before)

    def remove(self, collection_id: str, paper_ids: Collection[str]) -> int:
        """Remove papers, by their present ids, and return how many were in the collection. Raises NotFoundError."""
        with self._database.writing() as connection:
            lock_for_writing(connection)
            _require_id(connection, collection_id)
            removed = _member_ids(connection, collection_id).intersection(paper_ids)
            delete_by_present_ids(connection, members, removed, members.c.collection == collection_id)
        return len(removed)

    def of_papers(self, paper_ids: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Return the names of the collections that papers are in, by paper id; without papers that are in none."""
        rows = under_present_ids(members)
        query = sa.select(rows.c.paper_id, collections.c.name).join(collections, collections.c.id == rows.c.collection)
        names: dict[str, set[str]] = {}
        for paper_id, name in self._database.select_in(query, rows.c.paper_id, paper_ids):
            names.setdefault(paper_id, set()).add(name)
        return {paper_id: tuple(sorted(of_paper, key=label_key)) for paper_id, of_paper in names.items()}

    def _unknown(self, name: str) -> str:
        return f"there is no collection {name!r}{similar_labels(name, self.names())}"


def _with_counts() -> sa.Select[Any]:
    """Return the query of the collections, each with the number of its papers that are shown."""
    rows = under_present_ids(members)
    shown = sa.select(papers.c.id).where(IS_SHOWN).subquery()
    count = sa.select(sa.func.count(rows.c.paper_id.distinct())).join(shown, shown.c.id == rows.c.paper_id)
    count = count.where(rows.c.collection == collections.c.id)
    return sa.select(collections.c.id, collections.c.name, collections.c.created, count.scalar_subquery())


def _require_id(connection: sa.Connection, collection_id: str) -> None:
    if connection.scalar(sa.select(collections.c.id).where(collections.c.id == collection_id)) is None:
        raise NotFoundError(f"no collection has the id {collection_id!r} any more")


def _refuse_taken(connection: sa.Connection, name: str, besides: str = "") -> None:
    query = sa.select(collections.c.name).where(collections.c.name_key == label_key(name), collections.c.id != besides)
    if (taken := connection.scalar(query)) is not None:
        raise InputError(_KIND, f"there is a collection {taken!r} already")


def _member_ids(connection: sa.Connection, collection_id: str) -> set[str]:
    """Return the present ids of the papers of a collection."""
    rows = under_present_ids(members)
    return set(connection.scalars(sa.select(rows.c.paper_id).where(rows.c.collection == collection_id)))


def _insert_members(connection: sa.Connection, collection_id: str, paper_ids: Collection[str]) -> None:
    """Add papers to a collection. Raises NotFoundError where one of them is not in the library."""
    for batch in batches(sorted(paper_ids), MAX_PARAMETERS):
        _require_papers(connection, batch)
        rows = [{"collection": collection_id, "paper_id": paper_id} for paper_id in batch]
        connection.execute(insert(connection, members).on_conflict_do_nothing(), rows)


def _require_papers(connection: sa.Connection, paper_ids: Sequence[str]) -> None:
    known = set(connection.scalars(sa.select(papers.c.id).where(papers.c.id.in_(paper_ids))))
    if unknown := sorted(set(paper_ids) - known):
        raise NotFoundError(f"no paper has the id {unknown[0]!r}")
