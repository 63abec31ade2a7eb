"""What happens to libraries: another process writes to one."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from assistant import factory
from assistant.storage.database import WriteLock
from assistant.storage.sqlite_file import SqliteFile


def lock(home: Path) -> AbstractContextManager[WriteLock]:
    """Lock the library in a directory for writing, as a writer does."""
    return SqliteFile(home / factory.CATALOG_FILE).exclusive()
