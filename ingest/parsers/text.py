"""Decode bytes to lines as they arrive, for any encoding, line ending and line length."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from io import BufferedIOBase
from itertools import chain

from assistant.errors import InputError
from ingest.parsers.base import Line, Problem

BLOCK_SIZE = 1 << 18
# Control characters that text files do not contain on purpose.
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))
_DECLARATION = re.compile(rb"""\s*<\?xml[^>]{0,99}encoding\s*=\s*["']([\w.-]+)["']""")
# The encodings accepted in an XML declaration; Python has further codecs that do not decode text.
_ENCODING = re.compile(
    r"iso-8859-\d+|latin-?1|us-ascii|windows-125\d|cp125\d|utf-16|shift_jis|euc-(jp|kr)|gb(2312|k|18030)|big5|koi8-[ru]"
)


def decode_lines(stream: BufferedIOBase, source: str, report: Callable[[Problem], None]) -> Iterator[Line]:
    """Yield the lines of a text stream. Raise InputError for binary data.

    A line that is not valid UTF-8 is decoded as Windows-1252 and reported as a warning. A stream that fails while it
    is read ends there, and the failure is reported.
    """
    blocks = _blocks(stream, report)
    first = next(blocks, b"")
    number = 1
    for raw, continues in _split_lines(_to_utf8(first, blocks, source)):
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            text = raw.decode("cp1252", "replace")
            report(Problem(source, number, f"not UTF-8 (byte {error.start + 1}); read as Windows-1252", lost=False))
        yield Line(number, text if continues else text.rstrip("\r\n"), continues)
        number += not continues


def _blocks(stream: BufferedIOBase, report: Callable[[Problem], None]) -> Iterator[bytes]:
    """Yield the stream in blocks; stop and report if it cannot be read any further."""
    try:
        while block := stream.read1(BLOCK_SIZE):
            yield block
    except InputError as error:
        report(Problem(error.source, error.line, error.reason))


def _to_utf8(first: bytes, blocks: Iterable[bytes], source: str) -> Iterator[bytes]:
    """Return the blocks in UTF-8, re-encoded if a byte order mark or XML declaration names another encoding."""
    everything = chain([first], blocks)
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _recoded(everything, "utf-16")
    refuse_binary(first[:65536], source)
    declaration = _DECLARATION.match(first)
    encoding = declaration[1].decode("ascii", "replace").lower() if declaration else "utf-8"
    if _ENCODING.fullmatch(encoding):
        return _recoded(everything, encoding)
    return chain([first.removeprefix(codecs.BOM_UTF8)], blocks)


def refuse_binary(head: bytes, source: str) -> None:
    """Raise InputError where the first bytes of a file are not those of a text."""
    if head.startswith(b"%PDF-"):
        raise InputError(source, "this is a PDF, not text; paperchat reads abstracts, not whole papers")
    control_count = len(head) - len(head.translate(None, _CONTROLS))
    if head.count(0) * 100 > len(head) or control_count * 20 > len(head):
        raise InputError(source, "this is a binary file, not text")


def _recoded(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for block in blocks:
        yield decoder.decode(block).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def _split_lines(blocks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield lines with their ends, split where longer than a block, and whether the line continues."""
    rest = b""
    for block in blocks:
        *complete, rest = (rest + block).splitlines(keepends=True) or [b""]
        for line in complete:
            yield line, False
        if len(rest) >= BLOCK_SIZE and (position := _split_position(rest)):
            yield rest[:position], True
            rest = rest[position:]
    for line in rest.splitlines(keepends=True):
        yield line, False


def _split_position(line: bytes) -> int:
    """Return where to split a line without splitting a character or a line ending."""
    if line.endswith((b"\r", b"\n")):
        return 0
    for back in range(1, 4):
        if line[-back] >= 0xC0:
            return len(line) - back
    return len(line)
