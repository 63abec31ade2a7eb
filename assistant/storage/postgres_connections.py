"""Connections to a PostgreSQL server: their settings, how long they wait, what its errors mean. The home of psycopg.

A server may vanish without a word: a network is cut, a machine is frozen. A connection therefore probes the other end,
and gives up where an answer takes too long.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import NoSuchModuleError

from assistant.errors import SettingsError

if TYPE_CHECKING:
    from psycopg import Connection

_CONNECT_SECONDS = 10
_LOCK_SECONDS = 30
# A connection that was cut is noticed within a minute at both ends: otherwise the server would keep the lock of a
# writer that is gone for two hours, and a reader would wait as long for a server that is.
_IDLE_SECONDS, _PROBE_SECONDS, _PROBES = 20, 10, 3
# Parameters of the URL take precedence over these.
_CLIENT_SETTINGS = {
    "connect_timeout": _CONNECT_SECONDS,
    "application_name": "paperchat",
    "client_encoding": "utf8",
    "keepalives": 1,
    "keepalives_idle": _IDLE_SECONDS,
    "keepalives_interval": _PROBE_SECONDS,
    "keepalives_count": _PROBES,
    "tcp_user_timeout": 1000 * (_IDLE_SECONDS + _PROBES * _PROBE_SECONDS),
}
_SERVER_SETTINGS = {
    "tcp_keepalives_idle": _IDLE_SECONDS,
    "tcp_keepalives_interval": _PROBE_SECONDS,
    "tcp_keepalives_count": _PROBES,
    "lock_timeout": 1000 * _LOCK_SECONDS,
}
# Parts of messages, and the cures; {database} and {user} are names quoted as in SQL.
_REMEDIES = {
    "permission denied for database": "let an administrator run: GRANT CREATE ON DATABASE {database} TO {user}",
    "password authentication failed": "check user and password in PAPERCHAT_DATABASE",
    'role "': "check user and password in PAPERCHAT_DATABASE",
    "no password supplied": "put the password into PAPERCHAT_DATABASE: postgresql+psycopg://user:password@host/database",
    "too many clients": "raise max_connections of the server, or run fewer processes",
    "remaining connection slots": "raise max_connections of the server, or run fewer processes",
    "the database system is": "try again when it has done so",
    "read-only transaction": "name the primary server in PAPERCHAT_DATABASE, not a standby",
    "invalid response": "is it a PostgreSQL server that listens there?",
    "Connection refused": "is the server running, and is the address right?",
    "could not translate host name": "is the address in PAPERCHAT_DATABASE right?",
    "failed to resolve host": "is the address in PAPERCHAT_DATABASE right?",
    "timeout expired": "is the server running, and can it be reached from here?",
    "no answer within": "is the server running? PAPERCHAT_DATABASE_TIMEOUT is the longest silence, in seconds",
}
_NO_DATABASE = "let an administrator run: CREATE DATABASE {database} ENCODING 'UTF8' TEMPLATE template0"


def create_engine(url: sa.URL, schema: str, answer_seconds: float, **arguments: Any) -> sa.Engine:
    """Return an engine whose connections look names up in the schema, and wait so long for an answer.

    Raises SettingsError where the driver is missing.
    """
    try:
        engine = sa.create_engine(url, **arguments)
    except (ImportError, NoSuchModuleError) as error:
        raise SettingsError(f"PostgreSQL needs psycopg ({error}); run: pip install 'paperchat[postgres]'") from error
    # Many rows as one statement: one for each row takes ten times as long.
    engine.dialect.use_insertmanyvalues_wo_returning = True
    sa.event.listen(engine, "do_connect", lambda *given: _connect(given[3], answer_seconds))
    sa.event.listen(engine, "connect", lambda connection, _: _prepare(connection, schema))
    return engine


def remedy_of(cause: str, url: sa.URL) -> str:
    """Return how to cure what a server or the driver says, or the empty text."""
    is_missing = cause.endswith("does not exist") and 'database "' in cause
    remedies = (remedy for part, remedy in _REMEDIES.items() if part in cause)
    remedy = _NO_DATABASE if is_missing else next(remedies, "")
    database, user = url.database or url.username or "", url.username or ""
    return remedy.format(database=quoted(database), user=quoted(user))


def quoted(name: str) -> str:
    """Return a name as it stands in SQL."""
    return '"' + name.replace('"', '""') + '"'


class Turns:
    """Let a number of threads at a time use connections, so that a server with few of them is not exhausted.

    A thread that uses one may have further ones, since others would wait for it in vain; and whoever has waited for
    some seconds goes on too, in case those that use them wait for him.
    """

    def __init__(self, threads: int, seconds: float) -> None:
        self._free, self._seconds = threading.Semaphore(threads), seconds
        self._depths: Counter[int] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def take(self) -> Iterator[None]:
        """Wait for a turn, and give it back at the end."""
        thread = threading.get_ident()  # a generator may end in another one
        with self._lock:
            is_nested = self._depths[thread] > 0
            self._depths[thread] += 1
        has_turn = not is_nested and self._free.acquire(timeout=self._seconds)
        try:
            yield
        finally:
            with self._lock:
                self._depths[thread] -= 1
                self._depths += Counter()  # forgets threads that use none
            if has_turn:
                self._free.release()


def _connect(parameters: dict[str, Any], answer_seconds: float) -> Connection[Any]:
    """Open a connection of the driver that gives up where an answer takes longer."""
    connection = _bounded_connections().connect(**_CLIENT_SETTINGS | parameters)
    connection.answer_seconds = answer_seconds
    return connection  # type: ignore[no-any-return]


@cache
def _bounded_connections() -> Any:
    """Return the class of such connections."""
    import psycopg

    class BoundedConnection(psycopg.Connection[Any]):
        answer_seconds = float(_CONNECT_SECONDS)

        def wait(self, gen: Any, *options: Any, **named: Any) -> Any:
            try:
                return super().wait(_bounded(gen, self.answer_seconds), *options, **named)
            except TimeoutError as error:
                self.close()  # what arrives later would be taken for the answer to something else
                raise psycopg.OperationalError(str(error)) from None

    return BoundedConnection


def _bounded(exchange: Generator[Any, Any, Any], seconds: float) -> Generator[Any, Any, Any]:
    """Go through an exchange with the server as long as something arrives, or can be sent, within so many seconds.

    The driver asks in turn what to wait for, and tells what is ready; nothing is, several times a second. Raises
    TimeoutError.
    """
    try:
        awaited, ends = next(exchange), time.monotonic() + seconds
        while True:
            ready = yield awaited
            if ready:
                ends = time.monotonic() + seconds
            elif time.monotonic() > ends:
                raise TimeoutError(f"no answer within {seconds:g} seconds")
            awaited = exchange.send(ready)
    except StopIteration as done:
        return done.value


def _prepare(connection: Any, schema: str) -> None:
    """Set a new connection up: names are looked up in the schema, and a lost client is noticed."""
    settings = {name: str(value) for name, value in _SERVER_SETTINGS.items()}
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('search_path', quote_ident(%s), false)", [schema])
        for name, value in settings.items():
            cursor.execute("SELECT set_config(%s, %s, false)", [name, value])
    connection.commit()
