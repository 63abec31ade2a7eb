"""Write a table as CSV, Markdown, LaTeX, BibTeX or JSON. Names, values and sentences are untrusted: all are escaped."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from assistant.errors import InputError
from assistant.schema import Annotation, Cell, Row, Table
from assistant.serialization import row_json
from assistant.tables.wording import cell_mark, cell_text
from assistant.text.latex import to_text
from assistant.text.links import paper_url
from assistant.text.printable import one_line
from assistant.text.titles import display_title
from ui.export.latex import to_latex
from ui.export.markdown import markdown_text

# What a spreadsheet would take for a formula, also in its full-width forms; a plain number is none.
_FORMULA = re.compile(r"\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?\d[\d.,]*\s?%?")
_BYTE_ORDER_MARK = "\ufeff"
# The share of a line that the columns of a LaTeX table take together.
_WIDTH = 0.95


class TableFormat(StrEnum):
    """The formats of a table."""

    CSV = "csv"
    MARKDOWN = "md"
    LATEX = "tex"
    BIBTEX = "bib"
    JSON = "json"


def format_of(file: Path) -> TableFormat:
    """Return the format that the name of a file asks for. Raises InputError."""
    try:
        return TableFormat(file.suffix.removeprefix(".").lower())
    except ValueError as error:
        endings = ", ".join(f".{name}" for name in TableFormat)
        raise InputError(str(file), f"name the file with one of the endings {endings}") from error


def write_table(
    table: Table,
    form: TableFormat,
    sentences: bool = False,
    annotations: Mapping[str, Annotation] = MappingProxyType({}),
) -> str:
    """Return the table in a format; with `sentences`, CSV has the sentence behind each cell too.

    `annotations` have the citation keys, and what else a bibliography has, of the papers by id.
    """
    if form is TableFormat.CSV:
        return table_csv(table, sentences)
    if form is TableFormat.BIBTEX:
        from ui.export.bibliography import bibtex  # the other formats do not need its libraries

        return bibtex((row.paper for row in table.rows), annotations)
    if form is TableFormat.LATEX:
        return table_latex(table, annotations)
    writers = {TableFormat.MARKDOWN: table_md, TableFormat.JSON: _json_text}
    return writers[form](table)


def table_json(table: Table) -> dict[str, object]:
    """Return the table as the JSON that scripts rely on."""
    return {"columns": list(table.columns), "rows": list(map(row_json, table.rows)), "total": table.total}


def table_csv(table: Table, sentences: bool = False) -> str:
    """Return CSV (RFC 4180) that no spreadsheet takes formulas from; it begins with a mark that names UTF-8."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(map(_harmless, ["Paper", "Id", *_csv_heads(table.columns, sentences)]))
    for row in table.rows:
        values = (value for cell in row.cells for value in _csv_values(cell, sentences))
        writer.writerow(map(_harmless, [to_text(display_title(row.paper)), row.paper.id, *values]))
    return _BYTE_ORDER_MARK + written.getvalue()


def table_md(table: Table) -> str:
    """Return Markdown, each title with a link to its paper, and notes on the cells that were corrected."""
    lines = [["Paper", *map(markdown_text, table.columns)], ["---"] * (len(table.columns) + 1)]
    for row in table.rows:
        title, address = markdown_text(one_line(to_text(display_title(row.paper)))), paper_url(row.paper)
        cells = [markdown_text(to_text(cell_text(cell))) + (r" \*" if cell_mark(cell) else "") for cell in row.cells]
        lines.append([f"[{title}](<{address}>)" if address else title, *cells])
    text = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    notes = "".join(f"\n\n\\* {note}" for note in _notes(table.rows))
    return f"{text}{notes}\n"


def table_latex(table: Table, annotations: Mapping[str, Annotation] = MappingProxyType({})) -> str:
    """Return a LaTeX table in the style of booktabs; its citation keys are those of the BibTeX of the same rows."""
    from ui.export.bibliography import citation_keys

    keys = citation_keys([row.paper for row in table.rows], annotations)
    width = f"p{{{_WIDTH / (len(table.columns) + 1):.2f}\\linewidth}}"
    heads = " & ".join(map(to_latex, ["Paper", *table.columns]))
    body = "".join(f"{_latex_row(row, keys[row.paper.id])} \\\\\n" for row in table.rows)
    notes = "".join(f"\n\n$^*$ {to_latex(note)}" for note in _notes(table.rows))
    return (
        "% needs \\usepackage{booktabs}\n"
        f"\\begin{{tabular}}{{{width * (len(table.columns) + 1)}}}\n\\toprule\n{heads} \\\\\n\\midrule\n{body}"
        f"\\bottomrule\n\\end{{tabular}}{notes}\n"
    )


def _json_text(table: Table) -> str:
    return json.dumps(table_json(table), ensure_ascii=False, indent=2) + "\n"


def _csv_heads(columns: Sequence[str], sentences: bool) -> Iterator[str]:
    for name in columns:
        yield name
        if sentences:
            yield f"{name}: sentence"


def _csv_values(cell: Cell, sentences: bool) -> Iterator[str]:
    yield to_text(cell_text(cell))
    if sentences:
        yield one_line(cell.passage.text) if cell.passage else ""


def _harmless(value: str) -> str:
    """Return a value in one line that a spreadsheet takes for text, or for a number."""
    text = one_line(value)
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def _latex_row(row: Row, key: str) -> str:
    title = f"{to_latex(display_title(row.paper))}~\\cite{{{key}}}"
    cells = (to_latex(cell_text(cell)) + ("$^*$" if cell_mark(cell) else "") for cell in row.cells)
    return " & ".join([title, *cells])


def _notes(rows: Sequence[Row]) -> list[str]:
    """Return what the mark behind a cell means, each meaning once."""
    marks = dict.fromkeys(mark for row in rows for cell in row.cells if (mark := cell_mark(cell)))
    return list(marks)
