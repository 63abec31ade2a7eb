"""A table of papers as aligned plain text for a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from assistant.schema import Cell, Row, Table
from assistant.tables.wording import cell_text, is_read
from assistant.text.latex import to_text
from assistant.text.printable import one_line
from assistant.text.titles import display_title

# Characters of a line, of a column beside the titles, and of the narrowest column that is shortened.
_MAX_WIDTH, _MAX_COLUMN, _MIN_WIDTH = 100, 30, 8
_GAP = "  "


def table_text(table: Table) -> str:
    """Format a table: a line for each paper, shortened to 100 characters, without the columns that are empty."""
    filled = [position for position in range(len(table.columns)) if any(_value(row, position) for row in table.rows)]
    lines = [["Paper", *(one_line(table.columns[position]) for position in filled)]]
    lines += [_cells(row, filled) for row in table.rows]
    widths = _widths([max(map(len, column)) for column in zip(*lines, strict=True)])
    parts = [_line(cells, widths) for cells in lines]
    parts.insert(1, _GAP.join("-" * width for width in widths))
    empty = [one_line(name) for position, name in enumerate(table.columns) if position not in filled]
    nothing = "Not recorded for any of them" if not is_read(table) else "Nothing for any of them"
    parts += [f"{nothing}: {', '.join(empty)}."] if empty else []
    if table.total > len(table.rows):
        parts.append(f"These are the first {len(table.rows):,} of {table.total:,} papers.")
    parts += ["", f"Save it, with whole sentences: {command(table)}"] if is_read(table) else []
    return "\n".join(parts)


def command(table: Table) -> str:
    """Return the command that writes a table of the same papers and columns to a file."""
    ids = [f"--ids {row.paper.id}" for row in table.rows]
    return " ".join(["paperchat table", *map(shlex.quote, map(one_line, table.columns)), *ids, "--to table.csv"])


def _cells(row: Row, positions: Sequence[int]) -> list[str]:
    values = [cell_text(row.cells[position] if position < len(row.cells) else Cell(None)) for position in positions]
    return [one_line(to_text(text)) for text in (display_title(row.paper), *values)]


def _value(row: Row, position: int) -> str:
    value = row.cells[position].value if position < len(row.cells) else None
    return (value or "").strip()


def _widths(widest: Sequence[int]) -> list[int]:
    """Return the widths of the columns, the widest of them narrowed until a line fits."""
    widths = [widest[0], *(min(width, _MAX_COLUMN) for width in widest[1:])]
    room = max(_MAX_WIDTH - len(_GAP) * (len(widths) - 1), _MIN_WIDTH * len(widths))
    while sum(widths) > room:
        widths[widths.index(max(widths))] -= 1
    return widths


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(_shortened(cell, width).ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3].rstrip()}..."
