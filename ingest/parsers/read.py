"""A path to records: finds the files, decodes them, and hands each to the layout that recognises it."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from assistant.errors import InputError
from assistant.schema import Record
from ingest.parsers import abstract_lines, author_triplets, title_pairs
from ingest.parsers.layout import LONGEST_ABSTRACT, Layout, Line, Problem

LAYOUTS: tuple[Layout, ...] = (abstract_lines, author_triplets, title_pairs)
# Read from a folder; a file named on its own is read whatever its name.
SUFFIXES = (".txt",)
_LARGEST = 1 << 30
# Control characters that no text file holds.
_BINARY = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\x1b")


def files(path: Path) -> list[Path]:
    """The file itself, or a folder's text files by name. Raises InputError where there is nothing to read."""
    try:
        if not path.is_dir():
            path.stat()
            return [path]
        found = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    except FileNotFoundError as error:
        raise InputError(str(path), "there is no such file") from error
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from error
    if not found:
        raise InputError(str(path), f"the folder holds no {' or '.join(SUFFIXES)} file")
    return found


def read(path: Path) -> Iterator[Record | Problem]:
    """The records of one file and what could not be read. Raises InputError where nothing in it can be."""
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(str(path), f"the file is larger than {_LARGEST >> 30} GiB; split it")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror or error}") from error
    # A name need not be UTF-8 on every system, but what is kept of it must be.
    yield from parse(data, path.name.encode("utf-8", "replace").decode("utf-8"))


def parse(data: bytes, source: str) -> Iterator[Record | Problem]:
    """The records of a file's bytes. Raises InputError where no layout recognises them."""
    lines: list[Line] = []
    for line in _lines(data, source):
        if isinstance(line, Problem):
            yield line
        else:
            lines.append(line)
    if not lines:
        raise InputError(source, "the file is empty")
    yield from _layout(lines, source).parse(lines, source)


def _layout(lines: list[Line], source: str) -> Layout:
    found = next((layout for layout in LAYOUTS if layout.recognises(lines)), None)
    if found is None:
        longest = max(lines, key=lambda line: len(line.text))
        reason = (
            "no record is recognised here: expected 'Abstract:' lines, or title and abstract lines in turn, "
            "or title, authors and abstract lines in turn"
        )
        if len(longest.text) > LONGEST_ABSTRACT:
            reason = f"a line of {len(longest.text):,} characters is no abstract, and no other record is recognised"
            raise InputError(source, reason, longest.number)
        raise InputError(source, reason, lines[0].number)
    return found


def _lines(data: bytes, source: str) -> Iterator[Line | Problem]:
    """Non-empty lines, decoded; a line that is not UTF-8 is read as Windows-1252 and reported as a warning."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = data.decode("utf-16", "replace").encode("utf-8")
    if not _BINARY.isdisjoint(data[:65536]):
        raise InputError(source, "this is a binary file, not text")
    # Cut off here, because in a first line that is not UTF-8 the mark would come out as letters.
    for number, raw in enumerate(data.removeprefix(codecs.BOM_UTF8).splitlines(), start=1):
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            text = raw.decode("cp1252", "replace")
            yield Problem(source, number, f"not UTF-8 (byte {error.start + 1}); read as Windows-1252", lost=False)
        if text := _clean(text):
            yield Line(number, text)


def _clean(text: str) -> str:
    """The text without control characters, which no title or abstract means to carry."""
    if text.replace("\t", "").isprintable():  # nearly always, and found out at once
        return text.strip()
    return "".join(character if character.isprintable() or character == "\t" else " " for character in text).strip()
