"""Tables with known cells: 20 of 10 papers by 4 columns, over the seeds and arXiv abstracts; every second one is dev.

    tables.jsonl      id, split, topic, columns, rows of {paper, cells}; a cell is null where the abstract does not
                      say, or has `sentences`, each of which answers, and `values`, one of which its value has
    papers.jsonl.gz   id, title, abstract

The cells were written by reading the abstracts, before any was filled; dev tables chose the threshold of cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from assistant import factory
from assistant.errors import InputError
from assistant.schema import Cell, Paper
from assistant.settings import Settings
from assistant.tables import reading
from assistant.tables.columns import parse_columns
from eval.suites import SPLITS
from eval.training.examples import read_lines

NAME, WRONG_CELLS = "tables", "wrong cells"
_FOLDER = Path(__file__).parent
_TABLES, _PAPERS = _FOLDER / "tables.jsonl", _FOLDER / "papers.jsonl.gz"
# Further thresholds at which the figures are given.
_THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


@dataclass(frozen=True, slots=True)
class GoldCell:
    """What an abstract says in a column: the sentences that answer, none where it does not say, and their values."""

    sentences: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    @property
    def stated(self) -> bool:
        """Tell whether the abstract says it."""
        return bool(self.sentences)

    def accepts(self, cell: Cell) -> bool:
        """Tell whether a cell with a value has a sentence that answers, and one of the values."""
        if cell.passage is None or cell.passage.text not in self.sentences:
            return False
        value = _bare(cell.value or "")
        return not self.values or any(_bare(known) in value or value in _bare(known) for known in self.values)


@dataclass(frozen=True, slots=True)
class CellRecord:
    """A cell that was filled at any confidence, the known cell, and the column."""

    table: str
    column: str
    cell: Cell
    gold: GoldCell


@dataclass(frozen=True, slots=True)
class CellMeasures:
    """Cells at a threshold: how many there are, how many are stated, how many were filled, and how many rightly."""

    cells: int
    stated: int
    filled: int
    right: int

    @property
    def precision(self) -> float:
        """Return the share of the filled cells that are right."""
        return self.right / max(1, self.filled)

    @property
    def recall(self) -> float:
        """Return the share of the stated cells that are filled rightly."""
        return self.right / max(1, self.stated)

    @property
    def wrong(self) -> float:
        """Return the share of all cells that are filled wrongly."""
        return (self.filled - self.right) / max(1, self.cells)


def fill(settings: Settings, split: str | None = None) -> list[CellRecord]:
    """Fill the tables of a split, each cell with its likeliest sentence. Raises InputError for damaged files."""
    embedder = factory.open_embedder(settings)
    reader = factory.open_pair_reader(settings, embedder)
    papers = {row["id"]: Paper(row["id"], row["abstract"], row["title"]) for row in read_lines(_PAPERS, "abstract")}
    records: list[CellRecord] = []
    for table in _tables(split):
        columns = parse_columns(table["columns"])
        asked = reading.prepare(columns, embedder)
        of_table = [papers[row["paper"]] for row in table["rows"]]
        filled = reading.read_cells(of_table, asked, reader, embedder, least=0.0)
        for row, cells in zip(table["rows"], filled, strict=True):
            golds = map(_gold, row["cells"])
            records += map(CellRecord, [table["id"]] * len(cells), table["columns"], cells, golds)
    return records


def measure(records: Sequence[CellRecord], least: float) -> CellMeasures:
    """Return the measures of cells that are filled from a confidence on."""
    filled = [record for record in records if record.cell.passage and record.cell.confidence >= least]
    right = sum(record.gold.accepts(record.cell) for record in filled)
    return CellMeasures(len(records), sum(record.gold.stated for record in records), len(filled), right)


def report(settings: Settings, split: str | None = None) -> dict[str, Any]:
    """Return the figures of the tables at the threshold in use, at others, and by column."""
    records = fill(settings, split)
    by_column = {column: [record for record in records if record.column == column] for column in _columns(records)}
    used = reading.STATED_FROM
    return {
        "suite": NAME,
        "split": split,
        "threshold": used,
        "figures": _figures(measure(records, used)),
        "thresholds": {str(least): _figures(measure(records, least)) for least in _THRESHOLDS},
        "columns": {column: _figures(measure(of_column, used)) for column, of_column in by_column.items()},
    }


def gate_figures(settings: Settings) -> dict[str, dict[str, float]]:
    """Return the figures of dev and test tables that have floors: measure, then group, then figure."""
    by_split = {split: measure(fill(settings, split), reading.STATED_FROM) for split in SPLITS}
    named = {"precision": "precision", "recall": "recall", WRONG_CELLS: "wrong"}
    return {
        name: {split: float(getattr(measures, field)) for split, measures in by_split.items()}
        for name, field in named.items()
    }


def format_report(figures: dict[str, Any]) -> str:
    """Return the figures as lines of text."""
    lines = [f"tables, {figures['split'] or 'dev and test'}"]
    rows = chain(
        [(f"from {figures['threshold']}, as used", figures["figures"])],
        ((f"from {least}", values) for least, values in figures["thresholds"].items()),
        figures["columns"].items(),
    )
    lines += (
        f"  {name:36} precision {row['precision']:.3f}  recall {row['recall']:.3f}  wrong of all {row['wrong']:.3f}  "
        f"({row['cells']} cells, {row['stated']} stated, {row['filled']} filled)"
        for name, row in rows
    )
    return "\n".join(lines)


def _figures(measures: CellMeasures) -> dict[str, Any]:
    shares = {name: round(getattr(measures, name), 4) for name in ("precision", "recall", "wrong")}
    return shares | {name: getattr(measures, name) for name in ("cells", "stated", "filled", "right")}


def _tables(split: str | None) -> Iterator[dict[str, Any]]:
    for number, table in enumerate(read_lines(_TABLES, "id", "split", "columns", "rows"), start=1):
        if any(len(row["cells"]) != len(table["columns"]) for row in table["rows"]):
            raise InputError(str(_TABLES), "a row has not one cell for each column", number)
        if split in (None, table["split"]):
            yield table


def _gold(written: dict[str, Any] | None) -> GoldCell:
    return GoldCell(tuple(written["sentences"]), tuple(written.get("values", ()))) if written else GoldCell()


def _columns(records: Sequence[CellRecord]) -> list[str]:
    return list(dict.fromkeys(record.column for record in records))


def _bare(text: str) -> str:
    """Return the letters and digits of a text, so that notations of one value compare as equal."""
    return "".join(filter(str.isalnum, text.casefold()))
