"""Open SQLite files: in WAL mode, waiting for locks, with transactions and errors that name the file and the remedy."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from assistant.batches import batches
from assistant.errors import LibraryError, LibraryWriteError
from assistant.retry import Backoff, retrying

# SQLite's oldest limit on the parameters of one statement is 999.
MAX_PARAMETERS = 900
# Parts of SQLite's messages about files that neither waiting nor disk space repairs.
_DAMAGED = ("malformed", "not a database")
_TIMEOUT_SECONDS = 30
_WAL_BACKOFF = Backoff(attempts=50, pause=0.02, jitter=0.5, deadline=_TIMEOUT_SECONDS)

Value = TypeVar("Value")


class Database:
    """One SQLite file. Safe for many readers beside one writer; a second writer waits for up to 30 seconds."""

    def __init__(
        self,
        file: Path,
        name: str,
        migrate: Callable[[sa.Connection], None],
        functions: Mapping[str, Callable[..., Any]],
        remedy: str = "",
    ) -> None:
        """Open or create the file, and have `migrate` bring its tables up to date in one transaction.

        Messages call the file `name`, and add `remedy` where it is damaged. `functions` can be called in SQL by
        their names; each must return the same for the same arguments. Raises LibraryError.
        """
        self.file, self._description, self._remedy = file, f"the {name} {file}", remedy
        self._engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(file)), creator=lambda: connect(file, functions=functions)
        )
        self._watcher: sa.Connection | None = None
        self._lock = threading.Lock()
        try:
            with self._raising(LibraryError, "opened"):
                file.parent.mkdir(parents=True, exist_ok=True)
                with self._engine.begin() as connection:
                    migrate(connection)
        except LibraryError:
            self.close()
            raise

    def close(self) -> None:
        """Release the file."""
        with self._lock:
            if self._watcher:
                self._watcher.close()
            self._watcher = None
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Yield a connection to read with. Raises LibraryError."""
        with self._raising(LibraryError, "read"), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Yield a connection whose changes are written together or not at all. Raises LibraryWriteError."""
        with self._raising(LibraryWriteError, "written"), self._engine.begin() as connection:
            yield connection

    def scalar(self, query: sa.Select[Any]) -> Any:
        """Return the first column of the query's first row, or None. Raises LibraryError."""
        with self.reading() as connection:
            return connection.scalar(query)

    def scalars(self, query: sa.Select[Any]) -> list[Any]:
        """Return the first column of the query's rows. Raises LibraryError."""
        with self.reading() as connection:
            return list(connection.scalars(query))

    def count(self, query: sa.Select[Any]) -> int:
        """Return the number of the query's rows. Raises LibraryError."""
        return int(self.scalar(sa.select(sa.func.count()).select_from(query.subquery())))

    def select_in(self, query: sa.Select[Any], column: sa.ColumnElement[Any], values: Iterable[Any]) -> Iterator[Any]:
        """Yield the query's rows in which the column is one of the values, however many. Raises LibraryError."""
        with self.reading() as connection:
            for batch in batches(values, MAX_PARAMETERS):
                yield from connection.execute(query.where(column.in_(batch)))

    @property
    def version(self) -> int:
        """Return a number that changes whenever this or another process writes to the file. Raises LibraryError."""
        # SQLite counts what other connections have written, so this one must never write.
        with self._raising(LibraryError, "read"), self._lock:
            self._watcher = self._watcher or self._engine.connect()
            return int(self._watcher.exec_driver_sql("PRAGMA data_version").scalar_one())

    def copy_to(self, file: Path) -> None:
        """Write the database as it is at this moment to another file, also beside a writer. Raises LibraryError."""
        with self.reading() as connection, closing(connect(file, wal=False)) as copy:
            driver_connection: Any = connection.connection.driver_connection
            driver_connection.backup(copy)

    def check(self) -> None:
        """Read every page of the file. Raises LibraryError where it is damaged."""
        with self.reading() as connection:
            problem = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
        if problem != "ok":
            raise LibraryError(f"{self._description} is damaged: {problem}")

    @contextmanager
    def _raising(self, error: type[LibraryError], action: str) -> Iterator[None]:
        """Raise SQLite's and the file system's errors as `error`: the file cannot be opened, read or written."""
        try:
            yield
        except (DBAPIError, sqlite3.Error, OSError) as failure:
            cause = str(failure.orig if isinstance(failure, DBAPIError) else failure)
            remedy = f"; {self._remedy}" if self._remedy and any(part in cause for part in _DAMAGED) else ""
            raise error(f"{self._description} cannot be {action}: {cause}{remedy}") from failure


class QueryCache:
    """The results of the last few queries of a database, until the file is written to. Thread-safe."""

    def __init__(self, database: Database, max_size: int) -> None:
        self._database, self._max_size = database, max_size
        self._version = -1
        self._results: dict[Hashable, Any] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return the number of results held."""
        return len(self._results)

    def get(self, key: Hashable, query: Callable[[], Value]) -> Value:
        """Return the cached result of this key, or that of `query`. Raises LibraryError, and what `query` does."""
        version = self._database.version
        with self._lock:
            if version != self._version:
                self._results.clear()
                self._version = version
            if key in self._results:
                self._results[key] = self._results.pop(key)  # the least recently used result is the first to go
                return self._results[key]  # type: ignore[no-any-return]
        result = query()
        with self._lock:
            if version == self._version:
                self._results[key] = result
                for oldest in list(self._results)[: -self._max_size]:
                    del self._results[oldest]
        return result


def copy_rows(source: sa.Connection, target: sa.Connection, tables: Iterable[sa.Table]) -> None:
    """Replace the rows of one database's tables by those of another's; nothing but rows is copied."""
    for table in tables:
        target.execute(sa.delete(table))
        rows = source.execution_options(yield_per=1000).execute(sa.select(table))
        for partition in rows.partitions():
            target.execute(sa.insert(table), [dict(zip(table.c.keys(), row, strict=True)) for row in partition])


def lock_for_writing(connection: sa.Connection) -> None:
    """Begin the transaction as a writer's, so that what it reads stays true until it has written."""
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
    retrying(_WAL_BACKOFF, _is_busy)(connection.execute, "PRAGMA journal_mode=WAL")


def _is_busy(error: BaseException) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode == sqlite3.SQLITE_BUSY
