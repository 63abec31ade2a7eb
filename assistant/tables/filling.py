"""Fill the rows of a table, one after the other: from the catalog, from cells read before, or from the abstracts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.batches import batches
from assistant.errors import ModelError
from assistant.protocols import LLM, Embedder, PairReader
from assistant.schema import Cell, CellSource, Paper, Row
from assistant.storage.papers import Papers
from assistant.storage.table_cells import CellKey, TableCells
from assistant.tables.columns import Column
from assistant.tables.reading import AskedColumn, prepare, read_cells
from assistant.tables.shortening import Shortener
from assistant.verification.support import SupportModel

if TYPE_CHECKING:
    from assistant.storage.library import Library

# Papers that are read together: enough for full batches, few enough for rows to come steadily.
_BATCH_SIZE = 8
# Changes whenever cells are read in another way.
_VERSION = "tables 2"


@dataclass(frozen=True, slots=True)
class TableFiller:
    """Fills tables from a library. What was read is stored at once, so that an interrupted run goes on where it was.

    Without `shortener` cells have the words of the abstract.
    """

    papers: Papers
    cells: TableCells
    reader: PairReader
    embedder: Embedder
    shortener: Shortener | None = None

    @property
    def recipe(self) -> str:
        """Return what identifies the models that read the cells."""
        shortened = f" {self.shortener.recipe}" if self.shortener else ""
        return f"{_VERSION} {self.reader.revision}{shortened}"

    def rows(self, paper_ids: Sequence[str], columns: Sequence[Column]) -> Iterator[Row]:
        """Yield the row of each paper in order; papers that are deleted meanwhile are left out.

        Raises LibraryError and ModelError.
        """
        asked = prepare([column for column in columns if column.question], self.embedder)
        for ids in batches(paper_ids, _BATCH_SIZE):
            batch = self.papers.get(ids)
            known = self.cells.get(batch, {item.column.key for item in asked}, self.recipe) if asked else {}
            known |= self._read(batch, asked, known)
            for paper in batch:
                yield Row(paper, tuple(_cell(paper, column, known) for column in columns))

    def _read(
        self, batch: Sequence[Paper], asked: Sequence[AskedColumn], known: dict[CellKey, Cell]
    ) -> dict[CellKey, Cell]:
        """Read what is not known yet, and store it."""
        read: dict[CellKey, Cell] = {}
        for columns, of_columns in _by_missing(batch, asked, known):
            filled = read_cells(of_columns, columns, self.reader, self.embedder)
            for paper, cells in zip(of_columns, filled, strict=True):
                keys = (CellKey(paper.id, item.column.key) for item in columns)
                read |= zip(keys, cells, strict=True)
        if not read:
            return read
        final, certain = self._shortened(read, asked)
        self.cells.put(batch, {key: final[key] for key in certain}, self.recipe)
        return final

    def _shortened(
        self, read: dict[CellKey, Cell], asked: Sequence[AskedColumn]
    ) -> tuple[dict[CellKey, Cell], list[CellKey]]:
        """Return the cells as the language model shortens them, and those to store: not where the model failed."""
        if self.shortener is None:
            return read, list(read)
        by_key = {item.column.key: item.column for item in asked}
        final, certain = dict(read), []
        for key, cell in read.items():
            try:
                final[key] = self.shortener.shorten(by_key[key.column], cell)
                certain.append(key)
            except ModelError:
                continue
        return final, certain


def open_filler(library: Library, reader: PairReader, llm: LLM | None, support: SupportModel) -> TableFiller:
    """Return what fills tables from a library; `llm`, where there is one, shortens cells, checked by `support`."""
    shortener = Shortener(llm, support) if llm else None
    return TableFiller(library.catalog.papers, library.catalog.cells, reader, library.embedder, shortener)


def _by_missing(
    batch: Sequence[Paper], asked: Sequence[AskedColumn], known: dict[CellKey, Cell]
) -> list[tuple[list[AskedColumn], list[Paper]]]:
    """Return the columns that papers still have to be read for, with these papers."""
    groups: dict[tuple[str, ...], list[Paper]] = {}
    for paper in batch:
        missing = tuple(item.column.key for item in asked if CellKey(paper.id, item.column.key) not in known)
        if missing:
            groups.setdefault(missing, []).append(paper)
    by_key = {item.column.key: item for item in asked}
    return [([by_key[key] for key in keys], of_keys) for keys, of_keys in groups.items()]


def _cell(paper: Paper, column: Column, known: dict[CellKey, Cell]) -> Cell:
    if column.field:
        return Cell(column.recorded(paper), source=CellSource.CATALOG)
    return known[CellKey(paper.id, column.key)]
