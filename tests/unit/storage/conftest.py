"""A catalog, and further openings of it: in an SQLite file, and in PostgreSQL."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assistant.storage.catalog import Catalog
from assistant.storage.database import DatabaseLocation
from assistant.storage.sqlite_file import SqliteFile
from tests.postgres import PostgresProcess


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "catalog.db"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests of databases with each of them, and those that look at the file with SQLite only."""
    if "engine" in metafunc.fixturenames:
        is_about_file = "file" in inspect.signature(metafunc.function).parameters
        metafunc.parametrize("engine", ["sqlite"] if is_about_file else ["sqlite", "postgresql"])


@pytest.fixture
def location(engine: str, request: pytest.FixtureRequest, file: Path) -> DatabaseLocation:
    """Where the tables of a test are."""
    if engine == "sqlite":
        return SqliteFile(file)
    server: PostgresProcess = request.getfixturevalue("postgres_server")
    return server.schema()


@pytest.fixture
def reopen(location: DatabaseLocation) -> Iterator[Callable[[], Catalog]]:
    """Opens the catalog of one location, as often as asked."""
    opened: list[Catalog] = []

    def open_one() -> Catalog:
        opened.append(Catalog(location))
        return opened[-1]

    yield open_one
    for catalog in opened:
        catalog.close()


@pytest.fixture
def catalog(reopen: Callable[[], Catalog]) -> Catalog:
    return reopen()
