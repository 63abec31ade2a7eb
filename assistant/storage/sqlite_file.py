"""Open SQLite files: in WAL mode, waiting for locks, with transactions and errors that name the file and the remedy."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import sqlalchemy as sa
from filelock import FileLock, Timeout

from assistant.errors import LibraryBusy, LibraryError, LibraryWriteError
from assistant.retry import Backoff, retrying
from assistant.storage.database import Database, WriteLock

# Parts of SQLite's messages about files that neither waiting nor disk space repairs.
_DAMAGED = ("malformed", "not a database")
_TIMEOUT_SECONDS = 30
_WAL_BACKOFF = Backoff(attempts=50, pause=0.02, jitter=0.5, deadline=_TIMEOUT_SECONDS)


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """A DatabaseLocation in one file of this machine."""

    file: Path

    def __str__(self) -> str:
        return str(self.file)

    def open(
        self,
        name: str,
        migrate: Callable[[sa.Connection], None],
        functions: Mapping[str, Callable[..., Any]],
        remedy: str = "",
    ) -> SqliteDatabase:
        """Open or create the file, as a DatabaseLocation does. Raises LibraryError."""
        return SqliteDatabase(self.file, name, migrate, functions, remedy)

    @contextmanager
    def exclusive(self) -> Iterator[WriteLock]:
        """Lock the file's directory for writing. Raises LibraryBusy, or LibraryWriteError where it is read-only."""
        home = self.file.parent
        try:
            home.mkdir(parents=True, exist_ok=True)
            file_lock = FileLock(home / "writer.lock", timeout=0)
            file_lock.acquire()
        except Timeout as error:
            raise LibraryBusy(
                f"another process is writing to the library in {home}; wait until it has finished, then try again"
            ) from error
        except OSError as error:
            raise LibraryWriteError(f"the library's directory {home} cannot be written: {error.strerror}") from error
        try:
            yield _FileWriteLock()
        finally:
            file_lock.release()


class _FileWriteLock:
    """A lock of the operating system, which lasts as long as the process."""

    def require(self) -> None:
        """Do nothing: such a lock is not lost."""


class SqliteDatabase(Database):
    """One SQLite file. Safe for many readers beside one writer; a second writer waits for up to 30 seconds."""

    is_shared: ClassVar[bool] = False
    _driver_error = sqlite3.Error

    def __init__(
        self,
        file: Path,
        name: str,
        migrate: Callable[[sa.Connection], None],
        functions: Mapping[str, Callable[..., Any]],
        remedy: str = "",
    ) -> None:
        """Open or create the file as SqliteFile.open does. Raises LibraryError."""
        engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(file)), creator=lambda: connect(file, functions=functions)
        )
        super().__init__(f"the {name} {file}", engine)
        self._cure = remedy
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
        super().close()

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Yield a connection whose changes are written together or not at all. Raises LibraryWriteError."""
        with self._raising(LibraryWriteError, "written"), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """Yield a connection that reads the file as it is at one moment. Raises LibraryError."""
        with self.reading() as connection:
            connection.exec_driver_sql("BEGIN")
            yield connection

    @property
    def version(self) -> int:
        """Return a number that changes whenever this or another process writes to the file. Raises LibraryError."""
        # SQLite counts what other connections have written, so this one must never write.
        with self._raising(LibraryError, "read"), self._lock:
            self._watcher = self._watcher or self._engine.connect()
            return int(self._watcher.exec_driver_sql("PRAGMA data_version").scalar_one())

    def copy_to(self, file: Path, migrate: Callable[[sa.Connection], None], tables: Iterable[sa.Table]) -> None:
        """Copy the file page by page, also beside a writer. Raises LibraryError."""
        with self.reading() as connection, closing(connect(file, wal=False)) as copy:
            driver_connection: Any = connection.connection.driver_connection
            driver_connection.backup(copy)

    def check(self) -> None:
        """Read every page of the file. Raises LibraryError where it is damaged."""
        with self.reading() as connection:
            problem = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
        if problem != "ok":
            raise LibraryError(f"{self.description} is damaged: {problem}")

    def texts(self, query: sa.Select[Any]) -> list[str]:
        """Return the first column of the query's rows. One JSON list arrives sooner than as many rows."""
        (column,) = query.selected_columns
        values = self.scalar(query.with_only_columns(sa.func.json_group_array(column)))
        return list(json.loads(values or "[]"))

    def _is_one_of(self, column: sa.ColumnElement[Any], values: list[Any]) -> sa.ColumnElement[bool]:
        """Return the condition that the column is one of the values: those of a table are sent as one parameter.

        SQLAlchemy takes longer to write out hundreds of parameters than SQLite takes to find the rows. In a query that
        is grouped, SQLite looks up the groups by values that are written out only.
        """
        if not isinstance(getattr(column, "table", None), sa.Table):
            return super()._is_one_of(column, values)
        return column.in_(sa.select(sa.func.json_each(json.dumps(values)).table_valued("value").c.value))

    def _remedy(self, cause: str) -> str:
        return self._cure if any(part in cause for part in _DAMAGED) else ""


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
