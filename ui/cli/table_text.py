"""Filled tables as plain text for a terminal: each paper, then each column with its value and its sentence."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from assistant.schema import Cell, Row, Table
from assistant.tables.wording import cell_mark, cell_text
from assistant.text.latex import to_text
from assistant.text.printable import one_line
from assistant.text.titles import display_title


def filled_text(table: Table) -> str:
    """Return the rows of a table, and the command that writes it to a file."""
    ids = [f"--ids {row.paper.id}" for row in table.rows]
    command = " ".join(["paperchat table", *map(shlex.quote, map(one_line, table.columns)), *ids, "--to table.csv"])
    return "\n\n".join([*(row_text(row, table.columns) for row in table.rows), f"To save this table: {command}"])


def row_text(row: Row, columns: Sequence[str]) -> str:
    """Return the lines of a row."""
    lines = [f"{one_line(to_text(display_title(row.paper)))} [{row.paper.id}]"]
    for name, cell in zip(columns, row.cells, strict=True):
        lines += (f"  {line}" for line in _cell_lines(one_line(name), cell))
    return "\n".join(lines)


def _cell_lines(name: str, cell: Cell) -> Iterator[str]:
    value, mark = one_line(to_text(cell_text(cell))), cell_mark(cell)
    yield f"{name}: {value}{f' ({mark})' if mark else ''}"
    if cell.passage and (sentence := one_line(to_text(cell.passage.text))) != value:
        yield f"    “{sentence}”"
