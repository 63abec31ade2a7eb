"""Bring an SQLite file from whatever version it has to the newest one, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from assistant.errors import LibraryError
from assistant.storage.database import lock_for_writing

Step = Callable[[sa.Connection], None]


@dataclass(frozen=True, slots=True)
class Migrations:
    """The steps that lead from an empty file to the newest version: step i makes version i + 1.

    Steps may only be appended, since older files run through those that they lack. `read_version` returns 0 for an
    empty file. Pass `apply` to `Database`.
    """

    name: str
    steps: tuple[Step, ...]
    read_version: Callable[[sa.Connection], int]
    write_version: Callable[[sa.Connection, int], None]

    def apply(self, connection: sa.Connection) -> None:
        """Take the steps that the file lacks; an up-to-date file is not written to.

        Raises LibraryError for a file that a newer paperchat has written.
        """
        newest, version = len(self.steps), self.read_version(connection)
        if version > newest:
            raise LibraryError(
                f"the {self.name} {connection.engine.url.database} has version {version}, "
                f"this paperchat reads {newest}: upgrade paperchat"
            )
        if version < newest:
            lock_for_writing(connection)
            # Read again under the lock: another process may have migrated the file meanwhile.
            for number in range(self.read_version(connection) + 1, newest + 1):
                self.steps[number - 1](connection)
                self.write_version(connection, number)


def statements(*texts: str) -> Step:
    """Return a step that executes these SQL statements."""

    def execute(connection: sa.Connection) -> None:
        for text in texts:
            connection.exec_driver_sql(text)

    return execute
