"""A row of a filled table as plain text for a terminal: the paper, then each column with its value and its sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assistant.schema import Cell, Row
from assistant.tables.wording import cell_mark, cell_text
from assistant.text.latex import to_text
from assistant.text.printable import one_line
from assistant.text.titles import display_title


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
