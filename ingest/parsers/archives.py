"""Unpack gzip, xz and zip containers, also nested ones, into plain streams, within limits.

Nothing is written under a name from an archive: members are read as streams, and their names serve only as labels.
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
from ingest.parsers.text import BLOCK_SIZE

_GZIP, _XZ, _ZIP = b"\x1f\x8b", b"\xfd7zXZ\x00", (b"PK\x03\x04", b"PK\x05\x06")
# The exceptions that damaged, encrypted or unsupported containers raise while they are read.
_UNREADABLE = (EOFError, OSError, ValueError, RuntimeError, lzma.LZMAError, zlib.error, zipfile.BadZipFile)
# A zip archive from a pipe or from another archive is copied first, to the disk from this size on.
_MAX_IN_MEMORY = 1 << 26
_AUXILIARY = re.compile(
    r"(?:^|/)(?:\.|__MACOSX/|(?:readme|licen[cs]e|notice|copying|changelog)(?:\.(?:md|txt|rst|markdown))?$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Limits on what one file may unpack to: bytes, compression ratio, archive members, nesting depth.

    The ratio is checked once `ratio_min_size` bytes are unpacked, because a short text may well be repetitive. Text
    compresses to about a tenth of its size, a decompression bomb to a thousandth.
    """

    size: int = 1 << 37
    ratio: int = 200
    ratio_min_size: int = 1 << 26
    members: int = 100_000
    depth: int = 2


DEFAULT_LIMITS = ArchiveLimits()


@dataclass(frozen=True, slots=True)
class NamedStream:
    """A stream of text with the name of its file or archive member, and whether it comes from an archive."""

    stream: io.BufferedReader
    source: str
    is_member: bool = False


def is_auxiliary(name: str) -> bool:
    """Return whether a file of this name accompanies papers without containing any: hidden, readme or licence."""
    return bool(_AUXILIARY.search(name))


def unpack(
    stream: io.BufferedIOBase, source: str, limits: ArchiveLimits = DEFAULT_LIMITS
) -> Iterator[NamedStream | Problem]:
    """Yield the plain streams in a stream, or the stream itself if it is not a container.

    Each must be read before the next is requested. Its `read1` raises InputError if the container is damaged or
    exceeds the limits.
    """
    budget = _Budget(source, limits)
    counted = _counted(stream, budget.count_input, source)
    yield from _unpack(NamedStream(counted, source), budget, 0, stream if stream.seekable() else None)


class _Budget:
    """Count what one file unpacks to, over all containers in it."""

    def __init__(self, source: str, limits: ArchiveLimits) -> None:
        self.limits, self._source = limits, source
        self.input_size = self._output_size = self.members = 0
        self.exceeded = False

    def count_input(self, size: int) -> None:
        """Count bytes of the file itself."""
        self.input_size += size

    def count_output(self, size: int) -> None:
        """Count unpacked bytes. Raise InputError beyond the limits."""
        self._output_size += size
        if self._output_size > self.limits.size:
            self._refuse(f"it unpacks to more than {self.limits.size:,} bytes")
        beyond_ratio = self._output_size > self.limits.ratio * self.input_size
        if self._output_size > self.limits.ratio_min_size and beyond_ratio:
            self._refuse(f"it unpacks to more than {self.limits.ratio} times its size")

    def _refuse(self, reason: str) -> None:
        self.exceeded = True
        raise InputError(self._source, f"{reason}; the rest of it is not read")


class _CountedStream(io.RawIOBase):
    """A stream that reports how many bytes are read, and raises InputError if its container is damaged."""

    def __init__(self, inner: io.BufferedIOBase, count: Callable[[int], None], source: str) -> None:
        self._inner, self._count, self._source = inner, count, source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the stubs' Buffer has no length
        try:
            data = self._inner.read1(len(buffer))
        except _UNREADABLE as error:
            raise InputError(self._source, f"cannot be read further (damaged or cut off): {_cause(error)}") from error
        self._count(len(data))
        buffer[: len(data)] = data
        return len(data)


def _counted(inner: io.BufferedIOBase, count: Callable[[int], None], source: str) -> io.BufferedReader:
    return io.BufferedReader(_CountedStream(inner, count, source), BLOCK_SIZE)


def _unpack(
    named: NamedStream, budget: _Budget, depth: int, seekable: io.BufferedIOBase | None = None
) -> Iterator[NamedStream | Problem]:
    """Yield the plain streams in a named stream; `seekable` is the same stream if it supports random access."""
    try:
        head = named.stream.peek(6)
    except InputError as error:
        yield Problem(error.source, error.line, error.reason)
        return
    if not head.startswith((_GZIP, _XZ, *_ZIP)):
        yield named
    elif depth == budget.limits.depth:
        yield Problem(named.source, 0, f"not opened: containers are nested more than {depth} deep")
    elif head.startswith(_ZIP):
        yield from _unpack_zip(named, budget, depth, seekable)
    else:
        with _decompressed(named.stream, head) as inner:
            unpacked = _counted(inner, budget.count_output, named.source)
            yield from _unpack(NamedStream(unpacked, named.source, named.is_member), budget, depth + 1)


def _decompressed(stream: io.BufferedReader, head: bytes) -> gzip.GzipFile | lzma.LZMAFile:
    return gzip.open(stream) if head.startswith(_GZIP) else lzma.open(stream)


def _unpack_zip(
    named: NamedStream, budget: _Budget, depth: int, seekable: io.BufferedIOBase | None
) -> Iterator[NamedStream | Problem]:
    with tempfile.SpooledTemporaryFile(_MAX_IN_MEMORY) as copy:
        try:
            if seekable is None:
                shutil.copyfileobj(named.stream, copy, BLOCK_SIZE)
            else:
                budget.count_input(seekable.seek(0, io.SEEK_END))
            with zipfile.ZipFile(seekable or copy) as archive:
                yield from _unpack_members(archive, named.source, budget, depth)
        except InputError as error:
            yield Problem(error.source, error.line, error.reason)
        except _UNREADABLE as error:
            yield Problem(named.source, 0, f"the archive is damaged or cut off: {_cause(error)}")


def _unpack_members(
    archive: zipfile.ZipFile, source: str, budget: _Budget, depth: int
) -> Iterator[NamedStream | Problem]:
    for info in filter(_may_contain_papers, archive.infolist()):
        budget.members += 1
        if budget.members > budget.limits.members:
            yield Problem(source, 0, f"the archive has more than {budget.limits.members:,} files; the rest is not read")
            return
        label = _label(source, info.filename)
        try:
            member = archive.open(info)
        except _UNREADABLE as error:
            yield Problem(label, 0, f"cannot be unpacked: {_cause(error)}")
            continue
        with member:
            stream = _counted(cast(io.BufferedIOBase, member), budget.count_output, label)
            yield from _unpack(NamedStream(stream, label, is_member=True), budget, depth + 1)
        if budget.exceeded:
            return


def _may_contain_papers(info: zipfile.ZipInfo) -> bool:
    return not (info.is_dir() or stat.S_ISLNK(info.external_attr >> 16) or is_auxiliary(info.filename))


def _label(source: str, name: str) -> str:
    """Return the archive's name followed by the member's, without any step out of the archive."""
    steps = [step for step in PurePosixPath(name.replace("\\", "/")).parts if step not in ("/", "..")]
    return clean("/".join([source, *steps])).encode("utf-8", "replace").decode("utf-8")


def _cause(error: Exception) -> str:
    return str(error) or type(error).__name__
