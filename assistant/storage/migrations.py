"""Bring a database from whatever version it has to the newest one, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from assistant.errors import LibraryError
from assistant.storage.database import lock_for_writing

Step = Callable[[sa.Connection], None]


@dataclass(frozen=True, slots=True)
class Migrations:
    """The steps that lead from an empty database to the newest version: step i makes version i + 1.

    Steps may only be appended, since older databases run through those that they lack. `read_version` returns 0 for an
    empty one. Steps in the words of SQLite come with the `tables` of the newest version, which an empty database of
    another kind is given at once. Pass `apply` to a DatabaseLocation.
    """

    name: str
    steps: tuple[Step, ...]
    read_version: Callable[[sa.Connection], int]
    write_version: Callable[[sa.Connection, int], None]
    tables: sa.MetaData | None = None

    def apply(self, connection: sa.Connection) -> None:
        """Take the steps that the database lacks; an up-to-date one is not written to.

        Raises LibraryError for one that a newer paperchat has written.
        """
        newest, version = len(self.steps), self.read_version(connection)
        if version > newest:
            raise LibraryError(
                f"the {self.name} {connection.engine.url.database} has version {version}, "
                f"this paperchat reads {newest}: upgrade paperchat"
            )
        if version < newest:
            lock_for_writing(connection)
            version = self.read_version(connection)  # again: another process may have migrated it meanwhile
            if version == 0 and self.tables is not None and connection.dialect.name != "sqlite":
                self.tables.create_all(connection)
                version = newest
                self.write_version(connection, newest)
            for number in range(version + 1, newest + 1):
                self.steps[number - 1](connection)
                self.write_version(connection, number)


def statements(*texts: str) -> Step:
    """Return a step that executes these SQL statements."""

    def execute(connection: sa.Connection) -> None:
        for text in texts:
            connection.exec_driver_sql(text)

    return execute
