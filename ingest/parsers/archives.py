"""Containers to plain streams: gzip, xz and zip, also one in another, within limits.

Nothing is ever written by a name that an archive gives: members are read as they come, and their names are labels.
"""

from __future__ import annotations

import gzip
import io
import lzma
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import cast

from assistant.errors import InputError
from ingest.parsers.base import Problem, clean
from ingest.parsers.text import BLOCK

_GZIP, _XZ, _ZIP = b"\x1f\x8b", b"\xfd7zXZ\x00", (b"PK\x03\x04", b"PK\x05\x06")
# What damaged, encrypted or unknown compressed data raise while they are read.
_UNREADABLE = (EOFError, OSError, ValueError, RuntimeError, lzma.LZMAError, zlib.error, zipfile.BadZipFile)
# A copy of an archive that comes from a pipe or another archive goes to the disk from this size on.
_IN_MEMORY = 1 << 26
# Files that come along with papers and hold none.
_BESIDES = re.compile(
    r"(?:^|/)(?:\.|__MACOSX/|(?:readme|licen[cs]e|notice|copying|changelog)(?:\.(?:md|txt|rst|markdown))?$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How far the containers of one file are followed. Text packs to a tenth or so, a bomb to a thousandth.

    `ratio` counts from `size_of_ratio` unpacked bytes on: a short text may repeat itself as it likes.
    """

    size: int = 1 << 37
    ratio: int = 200
    size_of_ratio: int = 1 << 26
    members: int = 100_000
    depth: int = 2


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Part:
    """A stream of text with the name of the file or member that it is; `member` says that it comes from an archive."""

    stream: io.BufferedReader
    source: str
    member: bool = False


def besides(name: str) -> bool:
    """Whether a file of this name comes along with papers without holding any: hidden ones, readme, licence."""
    return bool(_BESIDES.search(name))


def parts(stream: io.BufferedIOBase, source: str, limits: Limits = LIMITS) -> Iterator[Part | Problem]:
    """The plain streams in a stream, itself if it is no container; each is to be read before the next is asked for.

    Reading one (`read1`) raises InputError where its container is damaged or goes beyond the limits.
    """
    budget = _Budget(source, limits)
    outermost = _watched(stream, budget.take, source)
    yield from _parts(Part(outermost, source), budget, 0, stream if stream.seekable() else None)


class _Budget:
    """What one file has come to, all containers in it together."""

    def __init__(self, source: str, limits: Limits) -> None:
        self.limits, self._source = limits, source
        self.taken = self._given = self.members = 0
        self.spent = False

    def take(self, size: int) -> None:
        """Count bytes of the file itself."""
        self.taken += size

    def give(self, size: int) -> None:
        """Count unpacked bytes. Raises InputError beyond the limits."""
        self._given += size
        if self._given > self.limits.size:
            self._refuse(f"it unpacks to more than {self.limits.size:,} bytes")
        if self._given > self.limits.size_of_ratio and self._given > self.limits.ratio * self.taken:
            self._refuse(f"it unpacks to more than {self.limits.ratio} times its size")

    def _refuse(self, reason: str) -> None:
        self.spent = True
        raise InputError(self._source, f"{reason}; the rest of it is not read")


class _Watched(io.RawIOBase):
    """A stream whose bytes are counted and whose damage is an InputError."""

    def __init__(self, inner: io.BufferedIOBase, count: Callable[[int], None], source: str) -> None:
        self._inner, self._count, self._source = inner, count, source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the stubs' Buffer has no length
        try:
            data = self._inner.read1(len(buffer))
        except _UNREADABLE as error:
            raise InputError(self._source, f"cannot be read on, damaged or cut off: {_cause(error)}") from error
        self._count(len(data))
        buffer[: len(data)] = data
        return len(data)


def _watched(inner: io.BufferedIOBase, count: Callable[[int], None], source: str) -> io.BufferedReader:
    return io.BufferedReader(_Watched(inner, count, source), BLOCK)


def _parts(part: Part, budget: _Budget, depth: int, file: io.BufferedIOBase | None = None) -> Iterator[Part | Problem]:
    """The parts of a part; `file` is the same stream where one may jump about in it."""
    try:
        head = part.stream.peek(6)
    except InputError as error:
        yield Problem(error.source, error.line, error.reason)
        return
    if not head.startswith((_GZIP, _XZ, *_ZIP)):
        yield part
    elif depth == budget.limits.depth:
        yield Problem(part.source, 0, f"not opened: more than {depth} containers, one in another")
    elif head.startswith(_ZIP):
        yield from _archive(part, budget, depth, file)
    else:
        with _unpacked(part.stream, head) as inner:
            unpacked = _watched(inner, budget.give, part.source)
            yield from _parts(Part(unpacked, part.source, part.member), budget, depth + 1)


def _unpacked(stream: io.BufferedReader, head: bytes) -> gzip.GzipFile | lzma.LZMAFile:
    return gzip.open(stream) if head.startswith(_GZIP) else lzma.open(stream)


def _archive(part: Part, budget: _Budget, depth: int, file: io.BufferedIOBase | None) -> Iterator[Part | Problem]:
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as copy:
        try:
            if file is None:
                shutil.copyfileobj(part.stream, copy, BLOCK)
            else:
                budget.take(file.seek(0, io.SEEK_END))
            with zipfile.ZipFile(file or copy) as archive:
                yield from _members(archive, part.source, budget, depth)
        except InputError as error:
            yield Problem(error.source, error.line, error.reason)
        except _UNREADABLE as error:
            yield Problem(part.source, 0, f"the archive is damaged or cut off: {_cause(error)}")


def _members(archive: zipfile.ZipFile, source: str, budget: _Budget, depth: int) -> Iterator[Part | Problem]:
    for info in archive.infolist():
        if info.is_dir() or stat.S_ISLNK(info.external_attr >> 16) or besides(info.filename):
            continue
        budget.members += 1
        if budget.members > budget.limits.members:
            yield Problem(source, 0, f"the archive has more than {budget.limits.members:,} files; the rest is not read")
            return
        label = _label(source, info.filename)
        try:
            opened = archive.open(info)
        except _UNREADABLE as error:
            yield Problem(label, 0, f"cannot be unpacked: {_cause(error)}")
            continue
        with opened:
            stream = _watched(cast(io.BufferedIOBase, opened), budget.give, label)
            yield from _parts(Part(stream, label, member=True), budget, depth + 1)
        if budget.spent:
            return


def _label(source: str, name: str) -> str:
    """The name of a member behind the archive's; it leads nowhere."""
    steps = [step for step in PurePosixPath(name.replace("\\", "/")).parts if step not in ("/", "..")]
    return clean("/".join([source, *steps])).encode("utf-8", "replace").decode("utf-8")


def _cause(error: Exception) -> str:
    return str(error) or type(error).__name__
