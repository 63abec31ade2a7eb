"""Files of older versions are migrated once, in one transaction; files of newer versions are refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Protocol

import pytest

from assistant.errors import LibraryError
from assistant.storage import catalog, conversations
from assistant.storage.catalog import Catalog
from assistant.storage.conversations import Conversations
from assistant.storage.migrations import Migrations, Step, statements

COLOUR = statements("CREATE TABLE colours (name TEXT)", "INSERT INTO colours VALUES ('blue')")
BROKEN = statements("CREATE TABLE colours (name TEXT)", "UPDATE no_such_table SET name = 'blue'")


class Closable(Protocol):
    def close(self) -> None: ...


Open = Callable[[Path], Closable]
Append = Callable[[Step], None]


@pytest.fixture(params=[(Catalog, catalog), (Conversations, conversations)], ids=["catalog", "conversations"])
def kind(request: pytest.FixtureRequest) -> tuple[Open, ModuleType]:
    """A class that opens a file, and the module that it takes its migrations from."""
    opener, module = request.param
    return opener, module


@pytest.fixture
def file(kind: tuple[Open, ModuleType], tmp_path: Path) -> Path:
    """A file of the present version."""
    kind[0](tmp_path / "file.db").close()
    return tmp_path / "file.db"


@pytest.fixture
def append_step(kind: tuple[Open, ModuleType], monkeypatch: pytest.MonkeyPatch) -> Append:
    """Makes a newer version by a further step."""

    def append(step: Step) -> None:
        current: Migrations = kind[1].MIGRATIONS
        monkeypatch.setattr(kind[1], "MIGRATIONS", replace(current, steps=(*current.steps, step)))

    return append


def contents(file: Path) -> list[str]:
    """Return the file's tables and rows as SQL."""
    with closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())


def test_an_up_to_date_file_opens_unchanged(kind: tuple[Open, ModuleType], file: Path) -> None:
    before = file.read_bytes()
    kind[0](file).close()
    assert file.read_bytes() == before


def test_an_older_file_is_migrated_once_and_loses_nothing(
    kind: tuple[Open, ModuleType], append_step: Append, file: Path
) -> None:
    before = set(contents(file))
    append_step(COLOUR)
    for _ in range(2):
        kind[0](file).close()
    after = contents(file)
    assert sum("VALUES('blue')" in line for line in after) == 1
    assert all("version" in line for line in before.difference(after))


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    kind: tuple[Open, ModuleType], append_step: Append, file: Path
) -> None:
    before = contents(file)
    append_step(BROKEN)
    with pytest.raises(LibraryError, match="no_such_table"):
        kind[0](file)
    assert contents(file) == before


def test_a_file_of_a_newer_version_is_refused_with_the_remedy_and_not_touched(
    kind: tuple[Open, ModuleType], append_step: Append, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = len(kind[1].MIGRATIONS.steps)
    append_step(COLOUR)
    kind[0](file).close()
    before = contents(file)
    monkeypatch.undo()
    with pytest.raises(
        LibraryError, match=rf"file\.db has version {newest + 1}, this paperchat reads {newest}: upgrade paperchat"
    ):
        kind[0](file)
    assert contents(file) == before


def test_a_catalog_of_version_1_gains_what_that_version_lacked_at_first(tmp_path: Path) -> None:
    file = tmp_path / "catalog.db"
    Catalog(file).close()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DROP TABLE apart")
        connection.execute("DELETE FROM facts WHERE name = 'library'")
    with closing(Catalog(file)) as opened:
        assert opened.library_id
        assert not opened.records.is_kept_separate("00ff")
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT value FROM facts WHERE name = 'version'").fetchone() == (1,)
