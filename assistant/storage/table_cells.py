"""The cells of tables in the catalog: read from an abstract once, corrected by a person for good.

A cell belongs to a paper, a column and a recipe, the models that read it. What a model read holds for one wording of
title and abstract only; what a person wrote stays, and is outdated once that wording changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from assistant.batches import batches
from assistant.schema import Cell, CellSource, Paper, Passage
from assistant.storage.catalog_schema import papers, table_cells
from assistant.storage.database import MAX_PARAMETERS, Database, lock_for_writing, replace_rows

# The recipe of the cells that a person wrote.
PERSON = ""


@dataclass(frozen=True, slots=True)
class CellKey:
    """The paper and the column that a cell belongs to."""

    paper_id: str
    column: str


class TableCells:
    """Reads and writes the cells in the catalog's file. Safe for several processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, of_papers: Sequence[Paper], columns: Collection[str], recipe: str) -> dict[CellKey, Cell]:
        """Return the cells that are known: those of the recipe that are up to date, and those that a person wrote.

        Raises LibraryError.
        """
        by_id = {paper.id: paper for paper in of_papers}
        query = sa.select(table_cells).where(
            table_cells.c.recipe.in_([recipe, PERSON]), table_cells.c.column.in_(sorted(columns))
        )
        # A person's come last, and take the place of what was read.
        query = query.order_by(table_cells.c.recipe.desc())
        cells: dict[CellKey, Cell] = {}
        for row in self._database.select_in(query, table_cells.c.paper_id, by_id):
            paper = by_id[row.paper_id]
            is_outdated = row.fingerprint != text_fingerprint(paper)
            if row.recipe == PERSON or not is_outdated:
                cells[CellKey(row.paper_id, row.column)] = _cell(row, paper, is_outdated)
        return cells

    def put(self, of_papers: Iterable[Paper], cells: Mapping[CellKey, Cell], recipe: str) -> None:
        """Store the cells that were read of papers; those of papers that are gone meanwhile are left out.

        Raises LibraryWriteError.
        """
        prints = {paper.id: text_fingerprint(paper) for paper in of_papers}
        with self._database.writing() as connection:
            lock_for_writing(connection)
            present = _present(connection, prints)
            rows = [
                _row(key, cell, recipe, prints[key.paper_id]) for key, cell in cells.items() if key.paper_id in present
            ]
            replace_rows(connection, table_cells, rows)

    def correct(self, paper: Paper, column: str, value: str | None) -> Cell:
        """Store what a person says that a paper has in a column, None for nothing. Raises LibraryWriteError."""
        cell = Cell(value, _quoted(paper, value), 1.0, CellSource.PERSON)
        with self._database.writing() as connection:
            row = _row(CellKey(paper.id, column), cell, PERSON, text_fingerprint(paper))
            replace_rows(connection, table_cells, [row])
        return cell

    def forget_correction(self, paper_id: str, column: str) -> bool:
        """Delete what a person wrote in a cell; return whether there was anything. Raises LibraryWriteError."""
        mine = (table_cells.c.paper_id == paper_id, table_cells.c.column == column, table_cells.c.recipe == PERSON)
        with self._database.writing() as connection:
            return bool(connection.execute(sa.delete(table_cells).where(*mine)).rowcount)

    def count(self) -> int:
        """Return the number of stored cells. Raises LibraryError."""
        return self._database.count(sa.select(table_cells))


def delete_cells(connection: sa.Connection, paper_ids: Collection[str]) -> None:
    """Delete all cells of papers that are deleted."""
    for batch in batches(paper_ids, MAX_PARAMETERS):
        connection.execute(sa.delete(table_cells).where(table_cells.c.paper_id.in_(batch)))


def delete_stale_cells(connection: sa.Connection, changed: Iterable[Paper]) -> None:
    """Delete what was read of earlier wordings of these papers; what a person wrote stays."""
    by_id = {paper.id: paper for paper in changed}
    # Most papers of an ingest have no cells.
    for paper_id in _with_cells(connection, by_id):
        is_stale = (
            table_cells.c.paper_id == paper_id,
            table_cells.c.fingerprint != text_fingerprint(by_id[paper_id]),
            table_cells.c.recipe != PERSON,
        )
        connection.execute(sa.delete(table_cells).where(*is_stale))


def move_cells(connection: sa.Connection, former_id: str, paper_id: str) -> None:
    """Give a paper the cells that a person wrote for one that it takes the place of, where it has none."""
    mine = (table_cells.c.paper_id == former_id, table_cells.c.recipe == PERSON)
    others = table_cells.alias()
    has_own = sa.exists().where(
        (others.c.paper_id == paper_id) & (others.c.column == table_cells.c.column) & (others.c.recipe == PERSON)
    )
    connection.execute(sa.update(table_cells).where(*mine, ~has_own).values(paper_id=paper_id))
    connection.execute(sa.delete(table_cells).where(table_cells.c.paper_id == former_id))


def text_fingerprint(paper: Paper) -> str:
    """Return a digest of what is read of a paper: its title and its abstract."""
    text = f"{paper.title or ''}\0{paper.abstract}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _with_cells(connection: sa.Connection, paper_ids: Iterable[str]) -> list[str]:
    query = sa.select(table_cells.c.paper_id).distinct()
    return [
        paper_id
        for batch in batches(paper_ids, MAX_PARAMETERS)
        for paper_id in connection.scalars(query.where(table_cells.c.paper_id.in_(batch)))
    ]


def _present(connection: sa.Connection, paper_ids: Iterable[str]) -> set[str]:
    return {
        paper_id
        for batch in batches(paper_ids, MAX_PARAMETERS)
        for paper_id in connection.scalars(sa.select(papers.c.id).where(papers.c.id.in_(batch)))
    }


def _row(key: CellKey, cell: Cell, recipe: str, fingerprint: str) -> dict[str, Any]:
    start, end = (cell.passage.start, cell.passage.end) if cell.passage else (None, None)
    return {
        "paper_id": key.paper_id,
        "column": key.column,
        "recipe": recipe,
        "fingerprint": fingerprint,
        "value": cell.value,
        "start": start,
        "end": end,
        "confidence": cell.confidence,
        "source": str(cell.source),
    }


def _cell(row: Any, paper: Paper, is_outdated: bool) -> Cell:
    """Return the cell of a row; offsets into an earlier abstract lead nowhere and are left out."""
    passage = None
    if row.start is not None and not is_outdated:
        passage = Passage(paper.abstract[row.start : row.end], row.start, row.end)
    return Cell(row.value, passage, row.confidence, CellSource(row.source), is_outdated)


def _quoted(paper: Paper, value: str | None) -> Passage | None:
    """Return where the abstract has the value word for word, if it does."""
    start = paper.abstract.find(value) if value else -1
    return (
        Passage(paper.abstract[start : start + len(value)], start, start + len(value)) if value and start >= 0 else None
    )
