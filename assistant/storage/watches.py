"""Watches: the sources that are looked at again and again for new papers, and what each of them has brought."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from assistant.errors import InputError, NotFoundError
from assistant.storage.catalog_schema import arrivals, watches
from assistant.storage.database import Database, insert, lock_for_writing


@dataclass(frozen=True, slots=True)
class Watch:
    """A source that is watched. Times are ISO 8601 in UTC.

    `state` has what the source needs to ask only for what is new. `failures` counts the last runs in a row that failed,
    `error` is the reason, and no request is made before `not_before`.
    """

    id: str
    source: str
    created: str
    state: Mapping[str, Any]
    last_run: str | None
    failures: int
    error: str
    not_before: str


class Watches:
    """The watches of a library. Every method raises LibraryError, those that write LibraryWriteError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Watch]:
        """Return every watch, the oldest first."""
        query = sa.select(watches).order_by(watches.c.created, watches.c.id)
        with self._database.reading() as connection:
            return [Watch(**row._mapping) for row in connection.execute(query)]

    def find(self, name: str) -> Watch:
        """Return the watch of an id, or of a source as it was added. Raises NotFoundError."""
        matching = [watch for watch in self.all() if name in (watch.id, watch.source)]
        if not matching:
            raise NotFoundError(f"nothing is watched as {name!r}; paperchat watch list shows what is")
        return matching[0]

    def add(self, source: str) -> Watch:
        """Begin to watch a source. Raises InputError where it is watched already."""
        # To the microsecond, so that the order in which sources were added is kept.
        created = datetime.now(UTC).isoformat(timespec="microseconds")
        watch = Watch(secrets.token_hex(4), source, created, {}, None, 0, "", "")
        with self._database.writing() as connection:
            lock_for_writing(connection)
            if connection.scalar(sa.select(watches.c.id).where(watches.c.source == source)):
                raise InputError(source, "is watched already")
            connection.execute(sa.insert(watches).values(**asdict(watch)))
        return watch

    def remove(self, watch_id: str) -> None:
        """Stop watching; the papers that it brought stay."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(watches).where(watches.c.id == watch_id))

    def note_arrivals(self, watch_id: str, record_digests: Collection[str]) -> None:
        """Note records as new, before they are added: whatever interrupts the run, a later digest tells of them."""
        rows = [{"record": record, "watch": watch_id} for record in record_digests]
        if rows:
            with self._database.writing() as connection:
                connection.execute(insert(connection, arrivals).on_conflict_do_nothing(), rows)

    def succeeded(self, watch_id: str, state: Mapping[str, Any], moment: datetime) -> None:
        """Store what the source needs for its next run."""
        self._update(watch_id, state=dict(state), last_run=_text(moment), failures=0, error="", not_before="")

    def failed(self, watch: Watch, error: str, moment: datetime, not_before: datetime) -> None:
        """Note why a run failed, and when the next one may be."""
        failures = watch.failures + 1
        self._update(watch.id, last_run=_text(moment), failures=failures, error=error, not_before=_text(not_before))

    def _update(self, watch_id: str, **values: Any) -> None:
        with self._database.writing() as connection:
            connection.execute(sa.update(watches).where(watches.c.id == watch_id).values(**values))


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
