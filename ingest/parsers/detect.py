"""A path to records: finds the files, unpacks and decodes them, and hands each to the format that recognises it."""

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
    table,
    title_pairs,
)
from ingest.parsers.archives import LIMITS, Limits, Part, besides, parts
from ingest.parsers.base import Format, Line, Problem, filled, too_long
from ingest.parsers.text import lines

# In order: a format that would take another's files for its own stands behind it.
FORMATS: tuple[Format, ...] = (
    json_papers,
    pubmed_xml,
    arxiv_xml,
    endnote_xml,
    bibtex,
    ris,
    nbib,
    table,
    labelled,
    abstract_lines,
    author_triplets,
    title_pairs,
    paragraphs,
)
# Files of these names in a folder or archive are expected to hold papers; any other is read if it is recognised.
SUFFIXES = tuple(
    ".bib .bibtex .csv .gz .json .jsonl .markdown .md .medline .nbib .ndjson .ris .tsv .txt .xml .xz .zip".split()
)
_KNOWN = (
    "BibTeX, RIS, MEDLINE, PubMed, EndNote or arXiv XML, JSON, a table with a header, 'Abstract:' lines, or titles "
    "and abstracts in turn"
)
# The path that stands for standard input.
STDIN = Path("-")
# A format is told from so many lines, or from so much text.
_HEAD_LINES, _HEAD_SIZE = 2_000, 1 << 21


def files(path: Path) -> Iterator[Path | Problem]:
    """The file itself, or a folder's files by name, as far as they hold papers; `-` is standard input.

    Links to folders are not followed. Raises InputError where there is nothing to read.
    """
    try:
        if path == STDIN or not path.is_dir():
            path == STDIN or path.stat()
            yield path
            return
    except FileNotFoundError as error:
        raise InputError(str(path), "there is no such file") from error
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}") from error
    empty = True
    for found in _walk(path):
        yield found
        empty = False
    if empty:
        raise InputError(str(path), "the folder holds no file with papers in it")


def read(path: Path, limits: Limits = LIMITS) -> Iterator[Record | Problem]:
    """The records of one file and what could not be read. Raises InputError where nothing in it can be."""
    if path == STDIN:
        yield from parse(cast(io.BufferedIOBase, sys.stdin.buffer), "standard input", limits)
        return
    try:
        with path.open("rb") as stream:
            # A name need not be UTF-8 on every system, but what is kept of it must be.
            yield from parse(stream, path.name.encode("utf-8", "replace").decode("utf-8"), limits)
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror or error}") from error


def parse(data: bytes | io.BufferedIOBase, source: str, limits: Limits = LIMITS) -> Iterator[Record | Problem]:
    """The records of a file's bytes. Raises InputError where no format recognises them."""
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    for part in parts(stream, source, limits):
        if isinstance(part, Problem):
            yield part
        elif part.member:
            yield from _member(part)
        else:
            yield from _parse(part)


def _member(part: Part) -> Iterator[Record | Problem]:
    """The records of an archive's file; what is wrong with it is no matter for the others."""
    try:
        yield from _parse(part)
    except InputError as error:
        if error.source != part.source or Path(part.source).suffix.lower() in SUFFIXES:
            yield Problem(error.source, error.line, error.reason)


def _parse(part: Part) -> Iterator[Record | Problem]:
    warnings: deque[Problem] = deque()
    decoded = lines(part.stream, part.source, warnings.append)
    head = list(_head(decoded))
    if warnings and not any(filled(head)):
        yield from warnings
        return
    found = next((form for form in FORMATS if form.recognises(head)), None)
    if found is None:
        raise _unrecognised(head, part.source)
    for item in found.parse(chain(head, decoded), part.source):
        while warnings:
            yield warnings.popleft()
        yield item
    yield from warnings


def _head(decoded: Iterator[Line]) -> Iterator[Line]:
    size = 0
    for line in islice(decoded, _HEAD_LINES):
        yield line
        size += len(line.text)
        if size > _HEAD_SIZE:
            return


def _unrecognised(head: list[Line], source: str) -> InputError:
    said = list(filled(head))
    if not said:
        return InputError(source, "the file is empty")
    longest = max(said, key=lambda line: len(line.text))
    if said[0].text.lower().startswith(("<!doctype html", "<html")):
        return InputError(source, "this is a web page: export the papers from it, or paste its text", said[0].number)
    if complaint := too_long(longest, source):
        return InputError(source, f"{complaint.reason}, and no other record is recognised", longest.number)
    return InputError(source, f"no record is recognised here: expected {_KNOWN}", said[0].number)


def _walk(folder: Path) -> Iterator[Path | Problem]:
    closed: list[OSError] = []
    for parent, folders, names in os.walk(folder, onerror=closed.append):
        folders[:] = sorted(name for name in folders if not besides(name))
        for file in (Path(parent, name) for name in sorted(names) if not besides(name)):
            if _holds_papers(file):
                yield file
    for error in closed:
        yield Problem(str(error.filename), 0, f"cannot be read: {error.strerror}")


def _holds_papers(file: Path) -> bool:
    """Whether a folder's file is to be read. What cannot even be opened is, so that it is reported."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            return False
        with file.open("rb") as stream:
            return file.suffix.lower() in SUFFIXES or next(parse(stream, file.name), None) is not None
    except InputError:
        return False
    except OSError:
        return True
