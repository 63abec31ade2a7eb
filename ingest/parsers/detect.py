"""Read records from a path: find its files, unpack and decode them, and parse each by the format that matches."""

from __future__ import annotations

import io
import os
import stat
import sys
from collections import deque
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import cast

from assistant.errors import InputError
from assistant.schema import Record
from ingest.parsers import (
    abstract_lines,
    arxiv_xml,
    author_triplets,
    bibtex,
    endnote_xml,
    json_papers,
    labelled,
    nbib,
    paragraphs,
    pubmed_xml,
    ris,
    rss,
    table,
    title_pairs,
    web_of_science,
)
from ingest.parsers.archives import DEFAULT_LIMITS, ArchiveLimits, NamedStream, is_auxiliary, unpack
from ingest.parsers.base import Line, Problem, RecordFormat, length_problem, nonblank_lines
from ingest.parsers.text import decode_lines

# In order: a format that would also match the files of another comes after it.
FORMATS: tuple[RecordFormat, ...] = (
    json_papers,
    pubmed_xml,
    arxiv_xml,
    rss,
    endnote_xml,
    bibtex,
    ris,
    nbib,
    web_of_science,
    table,
    labelled,
    abstract_lines,
    author_triplets,
    title_pairs,
    paragraphs,
)
# In a folder or archive, files with these suffixes are expected to contain papers; others are read if a format matches.
SUFFIXES = tuple(
    ".bib .bibtex .ciw .csv .gz .json .jsonl .markdown .md .medline .nbib .ndjson .ris .tsv .txt .xml .xz .zip".split()
)
_SUPPORTED = (
    "BibTeX, RIS, MEDLINE, Web of Science, PubMed, EndNote or arXiv XML, JSON, a table with a header, 'Abstract:' "
    "lines, or titles and abstracts in turn"
)
# The path that stands for standard input.
STDIN = Path("-")
# A format is detected from at most this many lines and about this much text.
_HEAD_LINES, _HEAD_SIZE = 2_000, 1 << 21


def find_files(path: Path) -> Iterator[Path | Problem]:
    """Yield the file itself, or by name the files of a folder that contain papers; `-` is standard input.

    Links to folders are not followed. Raise InputError if there is nothing to read.
    """
    if not _is_folder(path):
        yield path
        return
    is_empty = True
    for file in _walk(path):
        yield file
        is_empty = False
    if is_empty:
        raise InputError(str(path), "the folder holds no file with papers in it")


def read_records(path: Path, limits: ArchiveLimits = DEFAULT_LIMITS) -> Iterator[Record | Problem]:
    """Yield the records and problems of one file. Raise InputError if nothing in it can be read."""
    if path == STDIN:
        yield from parse(cast(io.BufferedIOBase, sys.stdin.buffer), "standard input", limits)
        return
    try:
        with path.open("rb") as stream:
            # File names are not always UTF-8, but stored source names must be.
            yield from parse(stream, path.name.encode("utf-8", "replace").decode("utf-8"), limits)
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror or error}") from error


def parse(
    data: bytes | io.BufferedIOBase, source: str, limits: ArchiveLimits = DEFAULT_LIMITS
) -> Iterator[Record | Problem]:
    """Yield the records and problems of a file's content. Raise InputError if no format matches."""
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    for named in unpack(stream, source, limits):
        if isinstance(named, Problem):
            yield named
        elif named.is_member:
            yield from _parse_member(named)
        else:
            yield from _parse(named)


def _parse_member(member: NamedStream) -> Iterator[Record | Problem]:
    """Yield the records of an archive member; an unreadable member is a problem if it should contain papers."""
    try:
        yield from _parse(member)
    except InputError as error:
        if error.source != member.source or Path(member.source).suffix.lower() in SUFFIXES:
            yield Problem(error.source, error.line, error.reason)


def _parse(named: NamedStream) -> Iterator[Record | Problem]:
    problems: deque[Problem] = deque()
    lines = decode_lines(named.stream, named.source, problems.append)
    head = list(_head(lines))
    if problems and not any(nonblank_lines(head)):
        yield from problems
        return
    record_format = next((candidate for candidate in FORMATS if candidate.matches(head)), None)
    if record_format is None:
        raise _unrecognised(head, named.source)
    for item in record_format.parse(chain(head, lines), named.source):
        while problems:
            yield problems.popleft()
        yield item
    yield from problems


def _head(lines: Iterator[Line]) -> Iterator[Line]:
    size = 0
    for line in islice(lines, _HEAD_LINES):
        yield line
        size += len(line.text)
        if size > _HEAD_SIZE:
            return


def _unrecognised(head: list[Line], source: str) -> InputError:
    lines = list(nonblank_lines(head))
    if not lines:
        return InputError(source, "the file is empty")
    longest = max(lines, key=lambda line: len(line.text))
    if lines[0].text.lower().startswith(("<!doctype html", "<html")):
        return InputError(source, "this is a web page: export the papers from it, or paste its text", lines[0].number)
    if problem := length_problem(longest, source):
        return InputError(source, f"{problem.reason}, and no other record is recognised", longest.number)
    return InputError(source, f"no record is recognised here: expected {_SUPPORTED}", lines[0].number)


def _is_folder(path: Path) -> bool:
    """Return whether a path is a folder. Raise InputError if it does not exist or cannot be accessed."""
    if path == STDIN:
        return False
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except FileNotFoundError as error:
        raise InputError(str(path), "there is no such file") from error
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from error


def _walk(folder: Path) -> Iterator[Path | Problem]:
    errors: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=errors.append):
        folders[:] = sorted(name for name in folders if not is_auxiliary(name))
        for file in (Path(parent, name) for name in sorted(names) if not is_auxiliary(name)):
            if _should_read(file):
                yield file
    for error in errors:
        yield Problem(str(error.filename), 0, f"cannot be read: {error.strerror}")


def _should_read(file: Path) -> bool:
    """Return whether to read a folder's file. One that cannot be opened is read too, so that it is reported."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            return False
        with file.open("rb") as stream:
            return file.suffix.lower() in SUFFIXES or next(parse(stream, file.name), None) is not None
    except InputError:
        return False
    except OSError:
        return True
