"""Open an SQLite file of Zotero without writing to it, to its folder, or to its journal, and without waiting.

`immutable` keeps SQLite from creating files, and from reading what a running Zotero has not put into the file yet; so
the file is opened only where it is complete by itself and nobody writes to it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

from assistant.errors import InputError

_MAGIC = b"SQLite format 3\x00"
_HEADER_SIZE = 100
# Where SQLite keeps a shared lock while it reads: https://www.sqlite.org/src/file/src/os.h
_SHARED_FIRST, _SHARED_SIZE = 0x40000002, 510
_LOCKED = (
    "is in use by Zotero, which lets no other program read it: in Zotero, switch on Settings > Advanced > Allow other "
    "applications on this computer to communicate with Zotero; or close Zotero"
)
_UNFINISHED = (
    "is not complete without {}: Zotero is running, or was interrupted, or the file was copied alone. Start Zotero, "
    "close it, and try again"
)
_CUT = "is an incomplete copy, {size:,} of {expected:,} bytes: copy it again while Zotero is closed"
_DAMAGED = "is damaged ({error}): let Zotero repair it, or copy it again while Zotero is closed"


@contextmanager
def open_database(file: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection that cannot write. Raise InputError, with the remedy, where the file cannot be relied on."""
    try:
        with file.open("rb") as stream:
            _lock_shared(stream, file)
            _check_complete(stream, file)
            with closing(_connect(file)) as connection:
                yield connection
    except OSError as error:
        raise InputError(str(file), f"cannot be read: {error.strerror or error}") from error
    except sqlite3.DatabaseError as error:
        raise InputError(str(file), _DAMAGED.format(error=error)) from error


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA query_only=1")
    return connection


def _lock_shared(stream: BinaryIO, file: Path) -> None:
    """Lock the file as a reader does, until it is closed. Raise InputError where a writer has it."""
    try:
        import fcntl
    except ImportError:  # Windows, where a journal beside the file is the only trace of a running Zotero
        return
    try:
        fcntl.lockf(stream, fcntl.LOCK_SH | fcntl.LOCK_NB, _SHARED_SIZE, _SHARED_FIRST)
    except BlockingIOError as error:
        raise InputError(str(file), _LOCKED) from error
    except OSError:  # a file system without locks
        return


def _check_complete(stream: BinaryIO, file: Path) -> None:
    """Raise InputError where the file is no database, was cut off, or needs the journal beside it."""
    header = stream.read(_HEADER_SIZE)
    if not header.startswith(_MAGIC):
        raise InputError(str(file), "is not a Zotero database")
    for suffix in ("-journal", "-wal"):
        journal = file.with_name(file.name + suffix)
        if journal.exists() and journal.stat().st_size:
            raise InputError(str(file), _UNFINISHED.format(journal.name))
    page_size = int.from_bytes(header[16:18]) or 1
    expected = int.from_bytes(header[28:32]) * (65_536 if page_size == 1 else page_size)
    if (size := file.stat().st_size) < expected:
        raise InputError(str(file), _CUT.format(size=size, expected=expected))
