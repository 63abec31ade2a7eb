"""Say what a cell has, in words."""

from __future__ import annotations

from assistant.schema import Cell, CellSource, Table
from assistant.text.printable import one_line

NOT_STATED, NOT_RECORDED = "the abstract does not say", "not recorded"
CORRECTED = "corrected by hand"
OUTDATED = "corrected by hand before the abstract changed"


def cell_text(cell: Cell) -> str:
    """Return the value of a cell in one line, or that there is none."""
    if cell.value is not None and (value := one_line(cell.value)):
        return value
    return NOT_RECORDED if cell.source is CellSource.CATALOG else NOT_STATED


def cell_mark(cell: Cell) -> str:
    """Return what marks a cell that a person wrote; empty for others."""
    if cell.source is not CellSource.PERSON:
        return ""
    return OUTDATED if cell.outdated else CORRECTED


def is_read(table: Table) -> bool:
    """Return whether a table has a cell that was read of an abstract, or corrected by a person."""
    return any(cell.source is not CellSource.CATALOG for row in table.rows for cell in row.cells)
