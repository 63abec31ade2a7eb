"""Every SQLite file is opened in one way, and together by several without an error."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Timer
from typing import Protocol

import pytest

from assistant.storage.catalog import Catalog
from assistant.storage.conversations import Conversations
from assistant.storage.sqlite_file import connect
from assistant.storage.word_vectors import SqliteWordVectors


class Closable(Protocol):
    def close(self) -> None: ...


@pytest.mark.parametrize("open_file", [Catalog, Conversations, SqliteWordVectors])
def test_a_file_that_another_process_is_creating_is_waited_for(
    open_file: Callable[[Path], Closable], tmp_path: Path
) -> None:
    file = tmp_path / "file.db"
    # SQLite refuses to turn WAL mode on beside such a transaction at once, without regard to the time-out.
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        Timer(0.2, other.execute, ["COMMIT"]).start()
        open_file(file).close()


def test_a_connection_writes_ahead_flushes_each_transaction_and_waits_for_locks(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "file.db", page_size=8192)) as connection:
        names = ("journal_mode", "synchronous", "busy_timeout", "page_size")
        assert [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names] == ["wal", 2, 30_000, 8192]


def test_a_file_opened_without_wal_keeps_its_journal(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "file.db", wal=False)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_functions_are_known_in_sql(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "file.db", functions={"casefold": str.casefold})) as connection:
        assert connection.execute("SELECT casefold('ÄÖ')").fetchone() == ("äö",)


def test_a_file_that_is_no_database_raises_and_is_left_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "file.db"
    file.write_bytes(b"no database" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        connect(file)
    assert file.read_bytes() == b"no database" * 100
