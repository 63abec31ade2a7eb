"""A catalog, and further openings of its file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assistant.storage.catalog import Catalog


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "catalog.db"


@pytest.fixture
def reopen(file: Path) -> Iterator[Callable[[], Catalog]]:
    """Opens the catalog of one file, as often as asked."""
    opened: list[Catalog] = []

    def open_one() -> Catalog:
        opened.append(Catalog(file))
        return opened[-1]

    yield open_one
    for catalog in opened:
        catalog.close()


@pytest.fixture
def catalog(reopen: Callable[[], Catalog]) -> Catalog:
    return reopen()
