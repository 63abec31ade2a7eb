"""Databases of a library: what SQLite files and PostgreSQL schemas have in common.

`assistant.storage.sqlite_file` and `assistant.storage.postgres` open them. SQL is written once, with SQLAlchemy Core;
the few statements that differ are made here.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from assistant.batches import batches
from assistant.errors import LibraryError
from assistant.text.printable import one_line

# SQLite's oldest limit on the parameters of one statement is 999.
MAX_PARAMETERS = 900

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class DatabaseDescription:
    """Where a database is, which engine and version it is, and its clock in seconds; None for this machine's own."""

    location: str
    engine: str
    clock: float | None


class WriteLock(Protocol):
    """The right to write to a library, which no other process has meanwhile."""

    def require(self) -> None:
        """Raise LibraryWriteError where the lock has been lost, as with the connection to a server."""
        ...


class Database(ABC):
    """The tables of one kind in one place. Safe for many readers beside one writer; a second writer waits.

    `is_shared` tells whether processes of other machines may use it too.
    """

    is_shared: ClassVar[bool]
    _driver_error: ClassVar[type[Exception]]

    def __init__(self, description: str, engine: sa.Engine) -> None:
        self.description = description
        self._engine = self._reading_engine = engine
        # While a process has locked the library for writing; it may lose the lock.
        self.lock: WriteLock | None = None

    @abstractmethod
    def writing(self) -> AbstractContextManager[sa.Connection]:
        """Yield a connection whose changes are written together or not at all. Raises LibraryWriteError.

        What it reads stays true until it has written, on SQLite after `lock_for_writing`.
        """

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[sa.Connection]:
        """Yield a connection that reads everything as it is at one moment. Raises LibraryError."""

    @property
    @abstractmethod
    def version(self) -> int:
        """Return a number that changes whenever this or another process writes. Raises LibraryError."""

    @abstractmethod
    def copy_to(self, file: Path, migrate: Callable[[sa.Connection], None], tables: Iterable[sa.Table]) -> None:
        """Write the tables as they are at this moment to an SQLite file, which `migrate` makes. Raises LibraryError."""

    @abstractmethod
    def check(self) -> None:
        """Check that the storage is intact, as far as it can tell. Raises LibraryError where it is damaged."""

    @abstractmethod
    def texts(self, query: sa.Select[Any]) -> list[str]:
        """Return the first column of the query's rows, which is text, in any order. Raises LibraryError."""

    def _is_one_of(self, column: sa.ColumnElement[Any], values: list[Any]) -> sa.ColumnElement[bool]:
        """Return the condition that the column is one of the values."""
        return column.in_(values)

    @abstractmethod
    def _remedy(self, cause: str) -> str:
        """Return how to cure a failure, to be put behind its cause, or the empty text."""

    def close(self) -> None:
        """Release the file or the connections."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Yield a connection to read with, query by query. Raises LibraryError."""
        with self._raising(LibraryError, "read"), self._reading_engine.connect() as connection:
            yield connection

    @property
    def engine_version(self) -> str:
        """Return the name of the database engine and the version of what runs. Raises LibraryError."""
        with self.reading() as connection:
            version = connection.dialect.server_version_info or ()
            return f"{connection.dialect.name} {'.'.join(map(str, version))}"

    def clock(self) -> float | None:
        """Return the server's time, in seconds since 1970; None for a file of this machine. Raises LibraryError."""
        if not self.is_shared:
            return None
        return float(self.scalar(sa.select(sa.extract("epoch", sa.func.clock_timestamp()))))

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
                yield from connection.execute(query.where(self._is_one_of(column, batch)))

    @contextmanager
    def _raising(self, error: type[LibraryError], action: str) -> Iterator[None]:
        """Raise errors of the database and the file system as `error`: it cannot be opened, read or written."""
        try:
            yield
        except (SQLAlchemyError, OSError, self._driver_error) as failure:
            cause = cause_of(failure)
            remedy = self._remedy(cause)
            message = f"{self.description} cannot be {action}: {cause}{'; ' if remedy else ''}{remedy}"
            raise error(message) from failure


class DatabaseLocation(Protocol):
    """Where the tables of a library are; as text, what messages call it."""

    def open(
        self,
        name: str,
        migrate: Callable[[sa.Connection], None],
        functions: Mapping[str, Callable[..., Any]],
        remedy: str = "",
    ) -> Database:
        """Open or create the tables, and have `migrate` bring them up to date in one transaction.

        Messages call them `name`, and add `remedy` where they are damaged. `functions` can be called in SQL by their
        names; each must return the same for the same arguments. Raises LibraryError.
        """
        ...

    def exclusive(self) -> AbstractContextManager[WriteLock]:
        """Lock the library for writing.

        Raises LibraryBusy at once where another process is writing, LibraryWriteError where nobody can.
        """
        ...


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


def insert_tuples(connection: sa.Connection, table: sa.Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows, given as tuples in the order of the columns, whose values the driver takes as they are.

    For many small rows SQLAlchemy takes longer to collect the values from dictionaries than SQLite takes to write them.
    """
    statement = sa.insert(table).compile(dialect=connection.dialect)
    if rows and statement.positional:
        connection.exec_driver_sql(str(statement), list(rows))
    elif rows:
        connection.execute(sa.insert(table), [dict(zip(table.c.keys(), row, strict=True)) for row in rows])


def copy_rows(source: sa.Connection, target: sa.Connection, tables: Iterable[sa.Table]) -> None:
    """Replace the rows of one database's tables by those of another's; nothing but rows is copied."""
    for table in tables:
        target.execute(sa.delete(table))
        rows = source.execution_options(yield_per=1000).execute(sa.select(table))
        for partition in rows.partitions():
            target.execute(sa.insert(table), [dict(zip(table.c.keys(), row, strict=True)) for row in partition])
        _continue_numbers(target, table)


def _continue_numbers(connection: sa.Connection, table: sa.Table) -> None:
    """Let PostgreSQL number new rows after those that were written with their numbers; SQLite does so by itself."""
    column = table.autoincrement_column
    if column is not None and connection.dialect.name == "postgresql":
        sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
        following = sa.func.coalesce(sa.func.max(column), 0) + 1
        connection.execute(sa.select(sa.func.setval(sequence, following, False)).select_from(table))


def cause_of(failure: Exception) -> str:
    """Return what a driver says of a failure, in one line."""
    return one_line(str(failure.orig if isinstance(failure, DBAPIError) else failure))


def lock_for_writing(connection: sa.Connection) -> None:
    """Begin the transaction as a writer's, so that what it reads stays true until it has written."""
    if connection.dialect.name == "sqlite":  # elsewhere every writing transaction is one
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def insert(connection: sa.Connection, table: sa.Table) -> sqlite.Insert:
    """Return an INSERT that can say what to do about existing rows; both dialects' do so by the same methods."""
    dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement: sqlite.Insert = dialect.insert(table)
    return statement


def replace_rows(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, in the place of those with the same primary keys."""
    statement = insert(connection, table)
    others = {column.key: statement.excluded[column.key] for column in table.c if not column.primary_key}
    if rows:
        connection.execute(
            statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=others), list(rows)
        )
