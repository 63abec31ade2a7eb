"""Bytes to lines, as they come: whatever the encoding, the line ends, and the length of a line."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from io import BufferedIOBase
from itertools import chain

from assistant.errors import InputError
from ingest.parsers.base import Line, Problem

BLOCK = 1 << 18
# Control characters that a text has by accident only.
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))
_DECLARATION = re.compile(rb"""\s*<\?xml[^>]{0,99}encoding\s*=\s*["']([\w.-]+)["']""")
# The encodings that an XML declaration may name; Python knows others, which are no text.
_ENCODING = re.compile(
    r"iso-8859-\d+|latin-?1|us-ascii|windows-125\d|cp125\d|utf-16|shift_jis|euc-(jp|kr)|gb(2312|k|18030)|big5|koi8-[ru]"
)


def lines(stream: BufferedIOBase, source: str, warn: Callable[[Problem], None]) -> Iterator[Line]:
    """The lines of a stream of text. Raises InputError for binary data.

    A line that is not UTF-8 is read as Windows-1252, with a warning. A stream that fails ends there, with a problem.
    """
    blocks = _blocks(stream, warn)
    first = next(blocks, b"")
    number = 1
    for raw, more in _split(_utf8(first, blocks, source)):
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            text = raw.decode("cp1252", "replace")
            warn(Problem(source, number, f"not UTF-8 (byte {error.start + 1}); read as Windows-1252", lost=False))
        yield Line(number, text if more else text.rstrip("\r\n"), more)
        number += not more


def _blocks(stream: BufferedIOBase, warn: Callable[[Problem], None]) -> Iterator[bytes]:
    """What the stream gives, in pieces; where it cannot be read on it ends, and that is reported."""
    try:
        while block := stream.read1(BLOCK):
            yield block
    except InputError as error:
        warn(Problem(error.source, error.line, error.reason))


def _utf8(first: bytes, blocks: Iterable[bytes], source: str) -> Iterator[bytes]:
    """The blocks in UTF-8, as far as a mark or declaration on top says that they are in something else."""
    everything = chain([first], blocks)
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _recoded(everything, "utf-16")
    _refuse_binary(first[:65536], source)
    declared = _DECLARATION.match(first)
    encoding = declared[1].decode("ascii", "replace").lower() if declared else "utf-8"
    if _ENCODING.fullmatch(encoding):
        return _recoded(everything, encoding)
    return chain([first.removeprefix(codecs.BOM_UTF8)], blocks)


def _refuse_binary(head: bytes, source: str) -> None:
    if head.startswith(b"%PDF-"):
        raise InputError(source, "this is a PDF, not text; paperchat reads abstracts, not whole papers")
    strange = len(head) - len(head.translate(None, _CONTROLS))
    if head.count(0) * 100 > len(head) or strange * 20 > len(head):
        raise InputError(source, "this is a binary file, not text")


def _recoded(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for block in blocks:
        yield decoder.decode(block).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def _split(blocks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Lines with their ends, those longer than a block in pieces; true for a piece that is not the last."""
    rest = b""
    for block in blocks:
        *whole, rest = (rest + block).splitlines(keepends=True) or [b""]
        for line in whole:
            yield line, False
        if len(rest) >= BLOCK and (cut := _cut(rest)):
            yield rest[:cut], True
            rest = rest[cut:]
    for line in rest.splitlines(keepends=True):
        yield line, False


def _cut(line: bytes) -> int:
    """Where to cut, so that neither a character nor a line end comes apart."""
    if line.endswith((b"\r", b"\n")):
        return 0
    for back in range(1, 4):
        if line[-back] >= 0xC0:
            return len(line) - back
    return len(line)
