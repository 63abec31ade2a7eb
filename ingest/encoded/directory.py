"""The files of a directory of encoded papers: each is written under another name first, and named by its bytes."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from filelock import FileLock, Timeout

from assistant.errors import InputError
from ingest.encoded.manifest import MANIFEST, Manifest, is_encoded, manifest_json, read_manifest

_LOCK, _UNFINISHED = "embed.lock", ".part"
_NAME = re.compile(r"(?P<kind>records|encodings)/(?P<number>\d{5,12})-(?P<digest>[0-9a-f]{16})\.parquet", re.ASCII)


class PartKind(StrEnum):
    """What a part contains; the name of its folder."""

    RECORDS = "records"
    ENCODINGS = "encodings"


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """A file of the directory: parts of a kind are ordered by number, and identified by the digest of their bytes."""

    kind: PartKind
    number: int
    digest: str

    @property
    def name(self) -> str:
        """Return the name of the file, relative to the directory."""
        return f"{self.kind}/{self.number:05}-{self.digest}.parquet"


def part_of(name: str) -> Part | None:
    """Return the part of this name; None for a name that no part can have, such as one that leaves the directory."""
    match = _NAME.fullmatch(name)
    return Part(PartKind(match["kind"]), int(match["number"]), match["digest"]) if match else None


class EncodedDirectory:
    """Reads and writes the files of one directory. Every method raises InputError where a file cannot be used."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def manifest(self) -> Manifest:
        """Read the manifest."""
        return read_manifest(self.folder)

    def write_manifest(self, manifest: Manifest) -> None:
        """Replace the manifest; a crash leaves the former one or this one."""
        with self._writing():
            _write(self.folder / MANIFEST, manifest_json(manifest))

    def add(self, kind: PartKind, number: int, data: bytes) -> Part:
        """Write a part, unless it is there already, and return it. The file is complete once it has its name."""
        part = Part(kind, number, _digest(data))
        file = self.folder / part.name
        with self._writing():
            if not (file.is_file() and file.stat().st_size == len(data)):
                file.parent.mkdir(exist_ok=True)
                _write(file, data)
        return part

    def parts(self, kind: PartKind) -> list[Part]:
        """Return the parts that are on the disk, whether or not the manifest names them, by number."""
        names = (f"{kind}/{file.name}" for file in (self.folder / kind).glob("*.parquet"))
        return sorted(part for name in names if (part := part_of(name)))

    def read(self, part: Part) -> bytes:
        """Return the bytes of a part after comparing them with its name."""
        file = self.folder / part.name
        try:
            data = file.read_bytes()
        except FileNotFoundError as error:
            raise InputError(str(file), "is missing: copy the directory again, or run paperchat embed again") from error
        except OSError as error:
            raise InputError(str(file), f"cannot be read: {error.strerror}") from error
        if _digest(data) != part.digest:
            raise InputError(str(file), "is damaged or cut short: copy it again, or run paperchat embed again")
        return data

    def is_intact(self, part: Part) -> bool:
        """Return whether a part has the bytes that it is named by."""
        try:
            self.read(part)
        except InputError:
            return False
        return True

    def remove(self, parts: Collection[Part]) -> None:
        """Delete parts."""
        with self._writing():
            for part in parts:
                (self.folder / part.name).unlink(missing_ok=True)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Create the directory, if need be, and let no other process write to it meanwhile.

        Raises InputError where another process does, and for a directory with something else in it.
        """
        with self._writing():
            self.folder.mkdir(parents=True, exist_ok=True)
            if any(file.name != _LOCK for file in self.folder.iterdir()) and not is_encoded(self.folder):
                raise InputError(str(self.folder), "is not empty, and not a directory of encoded papers: name another")
            lock = FileLock(self.folder / _LOCK, timeout=0)
            try:
                lock.acquire()
            except Timeout as error:
                raise InputError(str(self.folder), "another process is writing to it; wait until it is done") from error
        try:
            self._remove_unfinished()
            yield
        finally:
            lock.release()

    def _remove_unfinished(self) -> None:
        """Delete what an earlier process was writing when it was killed."""
        with self._writing():
            for file in self.folder.rglob(f"*{_UNFINISHED}"):
                file.unlink()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputError(str(self.folder), f"cannot be written: {error.strerror or error}") from error


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _write(file: Path, data: bytes) -> None:
    """Write a file under another name, flush it to the disk, and rename it."""
    unfinished = file.with_name(file.name + _UNFINISHED)
    try:
        with unfinished.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(file)
    except OSError:
        with suppress(OSError):
            unfinished.unlink()
        raise
