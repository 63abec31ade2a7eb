"""Run tables for every face: columns and rows as they are asked for, and corrections of cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.errors import InputError
from assistant.schema import Cell, Paper, Row, Table
from assistant.tables.columns import Column, parse_column, parse_columns
from assistant.tables.rows import RowChoice, choose_rows

if TYPE_CHECKING:
    from assistant.chat import Assistant
    from assistant.storage.catalog import Catalog

# Characters of a value that a person writes.
MAX_VALUE = 2000


@dataclass(frozen=True, slots=True)
class TableRun:
    """A table that is being filled: its columns, the number of rows, how many papers it is about, and the rows."""

    columns: tuple[Column, ...]
    count: int
    total: int
    rows: Iterator[Row]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        return tuple(column.name for column in self.columns)

    def finished(self, rows: Iterable[Row]) -> Table:
        """Return the table of these rows."""
        return Table(self.names, tuple(rows), self.total)


def run_table(assistant: Assistant, names: Sequence[str], choice: RowChoice) -> TableRun:
    """Return the table, whose rows are read as they are taken. Raises InputError and NotFoundError.

    A language model, where the assistant has one, shortens cells.
    """
    columns, library = parse_columns(names), assistant.library

    def find(question: str, limit: int) -> Iterable[Paper]:
        settings = assistant.settings.model_copy(update={"top_k": limit})
        return (hit.paper for hit in assistant.configured(settings, None).search(question).hits)

    chosen = choose_rows(choice, library.catalog.papers, find)
    return TableRun(columns, len(chosen.ids), chosen.total, assistant.table_filler().rows(chosen.ids, columns))


def correct_cell(catalog: Catalog, paper_id: str, name: str, value: str | None) -> Cell:
    """Store what a person says that a paper has in a column, None for nothing. Raises InputError, NotFoundError."""
    column = _question(name)
    written = None if value is None else " ".join(value.split())
    if written == "":
        raise InputError("value", "is empty; say what the paper has, or that it has nothing")
    if written and len(written) > MAX_VALUE:
        raise InputError("value", f"has {len(written):,} characters; a cell takes {MAX_VALUE:,}")
    return catalog.cells.correct(catalog.papers.find(paper_id), column.key, written)


def forget_correction(catalog: Catalog, paper_id: str, name: str) -> bool:
    """Delete what a person wrote in a cell; return whether there was anything. Raises InputError, NotFoundError."""
    return catalog.cells.forget_correction(catalog.papers.find(paper_id).id, _question(name).key)


def _question(name: str) -> Column:
    column = parse_column(name)
    if column.field:
        raise InputError("column", f"{column.name} comes from the catalog; correct the record of the paper instead")
    return column
