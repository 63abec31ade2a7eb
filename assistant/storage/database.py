"""What every SQLite file of paperchat has in common: WAL mode, transactions, and errors that say what and where."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from assistant.errors import LibraryError, LibraryWriteError

# SQLite's words for a file that no waiting and no room on the disk will mend.
_DAMAGED = ("malformed", "not a database")
# SQLite's oldest limit on the parameters of one statement is 999.
MAX_PARAMETERS = 900
_TIMEOUT_SECONDS = 30
_RETRY_SECONDS = 0.02

Found = TypeVar("Found")


class Database:
    """One SQLite file. Safe for many readers beside one writer; a second writer waits for up to 30 seconds."""

    def __init__(
        self,
        file: Path,
        name: str,
        set_up: Callable[[sa.Connection], None],
        functions: Mapping[str, Callable[..., Any]],
        cure: str = "",
    ) -> None:
        """Opens or creates the file; `set_up` makes its tables, in one transaction.

        `name` is what messages call it, `cure` what they advise where it is damaged. Every connection knows the
        `functions`, by their names in SQL; each must say the same of the same values. Raises LibraryError.
        """
        self.file, self._called, self._cure = file, f"the {name} {file}", cure
        self._engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(file)), creator=lambda: connect(file, functions=functions)
        )
        self._watching: sa.Connection | None = None
        self._lock = threading.Lock()
        with self._failing_as(LibraryError, "opened"):
            file.parent.mkdir(parents=True, exist_ok=True)
            with self._engine.begin() as connection:
                set_up(connection)

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            if self._watching:
                self._watching.close()
            self._watching = None
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection to read with. Raises LibraryError."""
        with self._failing_as(LibraryError, "read"), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A connection whose changes are kept together or not at all. Raises LibraryWriteError."""
        with self._failing_as(LibraryWriteError, "written"), self._engine.begin() as connection:
            yield connection

    @property
    def version(self) -> int:
        """A number that is another one once anybody, in this process or elsewhere, has written. Raises LibraryError."""
        # SQLite counts what others have written since: "others" are all but this connection, which never writes.
        with self._failing_as(LibraryError, "read"), self._lock:
            self._watching = self._watching or self._engine.connect()
            return int(self._watching.exec_driver_sql("PRAGMA data_version").scalar_one())

    def copy_to(self, file: Path) -> None:
        """Write the database as it is at this moment to another file, whoever writes meanwhile. Raises LibraryError."""
        with self.reading() as connection, closing(connect(file, wal=False)) as copy:
            held: Any = connection.connection.driver_connection
            held.backup(copy)

    def check(self) -> None:
        """Read every page of the file. Raises LibraryError where it is damaged."""
        with self.reading() as connection:
            found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
        if found != "ok":
            raise LibraryError(f"{self._called} is damaged: {found}")

    @contextmanager
    def _failing_as(self, error: type[LibraryError], deed: str) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, sqlite3.Error, OSError) as failure:
            cause = str(failure.orig if isinstance(failure, DBAPIError) else failure)
            cure = f"; {self._cure}" if self._cure and any(word in cause for word in _DAMAGED) else ""
            raise error(f"{self._called} cannot be {deed}: {cause}{cure}") from failure


class Findings:
    """The last few things that were found in a database, until somebody writes to it. Safe to use from threads."""

    def __init__(self, database: Database, most: int) -> None:
        self._database, self._most = database, most
        self._version = -1
        self._held: dict[Hashable, Any] = {}
        self._lock = threading.Lock()

    def get(self, name: Hashable, find: Callable[[], Found]) -> Found:
        """What is known by this name, or else is found now. Raises what `find` does, and LibraryError."""
        version = self._database.version
        with self._lock:
            if version != self._version:
                self._held.clear()
                self._version = version
            if name in self._held:
                self._held[name] = self._held.pop(name)  # the last one asked for is the last to go
                return self._held[name]  # type: ignore[no-any-return]
        found = find()
        with self._lock:
            if version == self._version:
                self._held[name] = found
                for gone in list(self._held)[: -self._most]:
                    del self._held[gone]
        return found


def copy_rows(source: sa.Connection, target: sa.Connection, tables: Iterable[sa.Table]) -> None:
    """Put the rows of one database's tables in the place of another's; nothing else of it is taken over."""
    for table in tables:
        target.execute(sa.delete(table))
        rows = source.execution_options(yield_per=1000).execute(sa.select(table)).mappings()
        for part in rows.partitions():
            target.execute(sa.insert(table), [dict(row) for row in part])


def lock_for_writing(connection: sa.Connection) -> None:
    """Begin the transaction as a writer's, so that what it reads stays true until what it writes is there."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def connect(
    file: Path,
    *,
    wal: bool = True,
    page_size: int | None = None,
    functions: Mapping[str, Callable[..., Any]] = MappingProxyType({}),
) -> sqlite3.Connection:
    """Open or create an SQLite file; the connection serves one thread at a time, whichever it is.

    A locked file is waited for up to 30 seconds. `page_size` in bytes takes effect in a new file only. Without `wal`
    the file is not read, and its journal stays as it is: for a file that no other connection uses.
    Raises sqlite3.Error.
    """
    connection = sqlite3.connect(file, timeout=_TIMEOUT_SECONDS, check_same_thread=False)
    try:
        if page_size:
            connection.execute(f"PRAGMA page_size={page_size}")
        if wal:
            _enable_wal(connection)
            # FULL: a committed transaction survives a power failure, at the price of one flush to the disk.
            connection.execute("PRAGMA synchronous=FULL")
        for name, function in functions.items():
            connection.create_function(name, -1, function, deterministic=True)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _enable_wal(connection: sqlite3.Connection) -> None:
    """Turn WAL mode on, and try again while another connection does the same.

    Two connections that create a file together may each hold a lock that the other needs: SQLite then refuses one of
    them at once, whatever its time-out.
    """
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= deadline:
                raise
            time.sleep(_RETRY_SECONDS)
