"""Spool records to a temporary file: a source may be larger than memory, and standard input is read only once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from tempfile import TemporaryFile, gettempdir
from typing import IO

from pydantic import TypeAdapter

from assistant.errors import LibraryWriteError
from assistant.schema import Record

_RECORD = TypeAdapter(Record)


class RecordSpool:
    """Records in a temporary file, one JSON object per line. Raises LibraryWriteError if the file cannot be written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, records: Sequence[Record]) -> None:
        """Append records."""
        with _disk_errors():
            self._file.writelines(_RECORD.dump_json(record) + b"\n" for record in records)

    def read(self) -> Iterator[Record]:
        """Yield all records in the order in which they were written."""
        with _disk_errors():
            self._file.seek(0)
        yield from map(_RECORD.validate_json, self._file)


@contextmanager
def record_spool() -> Iterator[RecordSpool]:
    """Open an empty spool and delete its file afterwards. Raise LibraryWriteError if there is no room for it."""
    with _disk_errors():
        file = TemporaryFile("w+b")  # noqa: SIM115 - closed below, because closing may fail
    try:
        yield RecordSpool(file)
    finally:
        with suppress(OSError):  # a failure to write has been raised already
            file.close()


@contextmanager
def _disk_errors() -> Iterator[None]:
    """Raise LibraryWriteError if the temporary directory is full or not writable."""
    try:
        yield
    except OSError as error:
        cause = error.strerror or error
        raise LibraryWriteError(
            f"the temporary directory {gettempdir()} cannot be written: {cause}; make room there, or name another "
            "directory in TMPDIR"
        ) from error
