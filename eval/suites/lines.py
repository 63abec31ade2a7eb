"""Read text files line by line, compressed or not."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path

from assistant.errors import InputError


def numbered_lines(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text file, compressed or not, that are not blank, with their numbers. Raises InputError."""
    open_file = gzip.open if file.suffix == ".gz" else open
    try:
        with open_file(file, "rt", encoding="utf-8") as lines:
            yield from ((number, line.rstrip("\n")) for number, line in enumerate(lines, start=1) if line.strip())
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise InputError(str(file), f"cannot be read: {error}") from error
