"""Open schemas of a PostgreSQL server, each with the tables of one library."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from assistant.errors import LibraryBusy, LibraryError, LibraryWriteError, SettingsError
from assistant.storage.database import Database, WriteLock, cause_of, copy_rows
from assistant.storage.postgres_connections import Turns, create_engine, remedy_of
from assistant.storage.postgres_functions import function_statements
from assistant.storage.sqlite_file import SqliteFile

# The schema of the library without a name; those of the others have their names behind it.
_SCHEMA = "paperchat"
# PostgreSQL cuts longer names off.
_MAX_NAME_BYTES = 63
# Connections that one opening of the tables keeps; the threads that may use some at a time, and how long others wait.
_POOL = {"pool_size": 4, "max_overflow": -1, "pool_pre_ping": True}
_THREADS, _TURN_SECONDS = 8, 30.0
# Counts the writing transactions of each kind of tables; the row is also the lock that they wait for in turn.
_WRITES = sa.Table(
    "writes",
    sa.MetaData(),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class PostgresSchema:
    """A DatabaseLocation in a schema of a PostgreSQL database, which is created where it is missing.

    `url` is `postgresql+psycopg://user:password@host:port/database`; messages never show the password. A server that is
    silent for `answer_seconds` counts as lost.
    """

    url: sa.URL = field(repr=False)
    schema: str
    answer_seconds: float = 300.0

    def __str__(self) -> str:
        address = f"{self.url.host or 'this machine'}{f':{self.url.port}' if self.url.port else ''}"
        return f"PostgreSQL database {self.url.database or self.url.username} on {address}, schema {self.schema}"

    def open(
        self,
        name: str,
        migrate: Callable[[sa.Connection], None],
        functions: Mapping[str, Callable[..., Any]],
        remedy: str = "",
    ) -> PostgresDatabase:
        """Open or create the tables, as a DatabaseLocation does. Raises LibraryError."""
        return PostgresDatabase(self, name, migrate)

    def engine(self, **arguments: Any) -> sa.Engine:
        """Return an engine whose connections look names up in the schema. Raises SettingsError without a driver."""
        return create_engine(self.url, self.schema, self.answer_seconds, **arguments)

    @contextmanager
    def exclusive(self) -> Iterator[WriteLock]:
        """Lock the schema for writing as long as one connection lasts. Raises LibraryBusy, LibraryWriteError."""
        with ExitStack() as stack:
            engine = self.engine(poolclass=sa.NullPool, isolation_level="AUTOCOMMIT", pool_reset_on_return=None)
            stack.callback(engine.dispose)
            with _raising(self, LibraryWriteError, "written"):
                connection = stack.enter_context(engine.connect())
            lock = _SessionLock(connection, self)
            lock.acquire()
            yield lock


class _SessionLock:
    """An advisory lock, which a server keeps for as long as a connection lasts. Safe to call from several threads."""

    def __init__(self, connection: sa.Connection, schema: PostgresSchema) -> None:
        self._connection, self._schema = connection, schema
        self._lock = threading.Lock()

    def acquire(self) -> None:
        """Take the lock. Raises LibraryBusy at once where another session has it.

        A writer that was killed or cut off may have a transaction that the server still carries out: it is waited for.
        """
        with _raising(self._schema, LibraryWriteError, "written"):
            is_ours = self._connection.scalar(sa.select(sa.func.pg_try_advisory_lock(_lock_number(self._schema))))
            if is_ours and sa.inspect(self._connection).has_table(_WRITES.name, self._schema.schema):
                self._connection.execute(sa.select(_WRITES).with_for_update()).all()
        if not is_ours:
            raise LibraryBusy(
                f"another process is writing to the library in the {self._schema}; wait until it has finished, then "
                "try again"
            )

    def require(self) -> None:
        """Raise LibraryWriteError where the connection, and the lock with it, has been lost."""
        try:
            with self._lock:
                self._connection.scalar(sa.select(1))  # SQLAlchemy refuses it for ever once the connection is lost
        except SQLAlchemyError as failure:
            raise LibraryWriteError(
                f"the library in the {self._schema} cannot be written: the connection that locked it is lost, and "
                "another process may have begun to write; run the command again, which goes on where this one stopped"
            ) from failure


class PostgresDatabase(Database):
    """The tables of one kind in a schema. Safe for readers and writers of several machines; writers wait in turn."""

    is_shared: ClassVar[bool] = True
    _driver_error = SQLAlchemyError

    def __init__(self, schema: PostgresSchema, name: str, migrate: Callable[[sa.Connection], None]) -> None:
        """Open or create the tables as PostgresSchema.open does. Raises LibraryError."""
        super().__init__(f"the {name} in the {schema}", schema.engine(**_POOL))
        self._name, self._url = name, schema.url
        self._turns = Turns(_THREADS, _TURN_SECONDS)
        # A single query needs no transaction, which would take two more round trips.
        self._reading_engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        try:
            with self._raising(LibraryError, "opened"), self._engine.begin() as connection:
                _create_schema(connection, schema, name)
                migrate(connection)
        except LibraryError:
            self.close()
            raise

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Yield a connection whose changes are written together or not at all, once all earlier ones are.

        Raises LibraryWriteError.
        """
        # Locks the row, so that the transaction reads what earlier ones wrote, and later ones wait for it.
        count = sa.update(_WRITES).where(_WRITES.c.name == self._name).values(number=_WRITES.c.number + 1)
        with self._turns.take(), self._raising(LibraryWriteError, "written"), self._engine.begin() as connection:
            connection.execute(count)
            # Not before: a process that gets the lock from now on waits for this transaction.
            if self.lock:
                self.lock.require()
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Yield a connection to read with, query by query. Raises LibraryError."""
        with self._turns.take(), super().reading() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """Yield a connection that reads the tables as they are at one moment. Raises LibraryError."""
        with self._turns.take(), self._raising(LibraryError, "read"), self._engine.connect() as connection:
            yield connection.execution_options(isolation_level="REPEATABLE READ")

    @property
    def version(self) -> int:
        """Return a number that changes whenever a process writes to the tables. Raises LibraryError."""
        return int(self.scalar(sa.select(_WRITES.c.number).where(_WRITES.c.name == self._name)))

    def copy_to(self, file: Path, migrate: Callable[[sa.Connection], None], tables: Iterable[sa.Table]) -> None:
        """Write the rows as they are at this moment to an SQLite file, also beside a writer. Raises LibraryError."""
        copy = SqliteFile(file).open(self._name, migrate, {})
        with closing(copy), self.snapshot() as source, copy.writing() as target:
            copy_rows(source, target, tables)

    def check(self) -> None:
        """Do nothing: PostgreSQL checks what it reads, where its checksums are on."""

    def texts(self, query: sa.Select[Any]) -> list[str]:
        """Return the first column of the query's rows. Raises LibraryError."""
        return self.scalars(query)

    def _is_one_of(self, column: sa.ColumnElement[Any], values: list[Any]) -> sa.ColumnElement[bool]:
        """Return the condition that the column is one of the values, which are sent as one parameter."""
        return column == sa.any_(sa.literal(values, postgresql.ARRAY(column.type)))

    def _remedy(self, cause: str) -> str:
        return remedy_of(cause, self._url)


def locate(url: str, library: str | None, answer_seconds: float) -> PostgresSchema:
    """Return the schema of a library, by its name, in the database of a URL. Raises SettingsError."""
    try:
        parsed = sa.make_url(url)
    except (ArgumentError, ValueError):
        parsed = None  # the error may show a part of the password
    if parsed is None or "@" in f"{parsed.host} {parsed.database}":
        raise SettingsError(
            "setting database (PAPERCHAT_DATABASE): it is no postgresql+psycopg://user:password@host:port/database; in "
            "the password, characters other than letters and digits must be escaped, @ as %40 and / as %2F"
        )
    if library is None:
        return PostgresSchema(parsed, _SCHEMA, answer_seconds)
    longest = _MAX_NAME_BYTES - len(f"{_SCHEMA}-")
    if len(library) > longest:
        raise SettingsError(
            f"setting library: in PostgreSQL a name has at most {longest} characters, not {len(library)}"
        )
    return PostgresSchema(parsed, f"{_SCHEMA}-{library}", answer_seconds)


def library_names(url: str, answer_seconds: float) -> list[str | None]:
    """Return the names of the libraries in a database, None for the one without a name. Raises LibraryError."""
    schema = locate(url, None, answer_seconds)
    with ExitStack() as stack:
        engine = schema.engine(poolclass=sa.NullPool)
        stack.callback(engine.dispose)
        stack.enter_context(_raising(schema, LibraryError, "read"))
        connection = stack.enter_context(engine.connect())
        names = [name for name in sa.inspect(connection).get_schema_names() if _is_of_library(name)]
    return [name.removeprefix(_SCHEMA).removeprefix("-") or None for name in sorted(names)]


def _is_of_library(schema: str) -> bool:
    return schema == _SCHEMA or schema.startswith(f"{_SCHEMA}-")


def _create_schema(connection: sa.Connection, schema: PostgresSchema, name: str) -> None:
    """Create what is missing of the schema, its functions and the row that counts the writes of a kind of tables."""
    row = sa.select(_WRITES.c.number).where(_WRITES.c.name == name)
    if sa.inspect(connection).has_table(_WRITES.name, schema.schema) and connection.scalar(row) is not None:
        return
    _require_unicode(connection, schema)
    # Two processes that create it together would both find that it is missing.
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_lock_number(schema) ^ 1)))
    connection.execute(sa.schema.CreateSchema(schema.schema, if_not_exists=True))
    for statement in function_statements():
        connection.exec_driver_sql(statement)
    _WRITES.create(connection, checkfirst=True)
    first = postgresql.insert(_WRITES).values(name=name, number=1)
    connection.execute(first.on_conflict_do_nothing())


def _require_unicode(connection: sa.Connection, schema: PostgresSchema) -> None:
    """Raise LibraryError where the database cannot store every text, or cannot tell upper from lower case."""
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding != "UTF8":
        raise LibraryError(
            f"the {schema} has the encoding {encoding}; let an administrator run: CREATE DATABASE name ENCODING 'UTF8' "
            "TEMPLATE template0, and name it in PAPERCHAT_DATABASE"
        )
    collation = sa.text("SELECT FROM pg_collation WHERE collname = 'und-x-icu'")
    if not connection.execute(collation).all():
        raise LibraryError(
            f"the {schema} has no ICU collations; use a PostgreSQL that was built with ICU, as those of the "
            "distributions are"
        )


def _lock_number(schema: PostgresSchema) -> int:
    """Return the number of the schema's advisory lock: of 63 bits, and even."""
    digest = hashlib.sha256(f"paperchat {schema.schema}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 2 << 1


@contextmanager
def _raising(schema: PostgresSchema, error: type[LibraryError], action: str) -> Iterator[None]:
    """Raise errors of the server as `error`."""
    try:
        yield
    except SQLAlchemyError as failure:
        cause = cause_of(failure)
        remedy = remedy_of(cause, schema.url)
        message = f"the library in the {schema} cannot be {action}: {cause}{'; ' if remedy else ''}{remedy}"
        raise error(message) from failure
