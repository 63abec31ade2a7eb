"""Render a table that is filled from abstracts: a cell opens its sentence, and a form to correct it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assistant.schema import Cell, CellSource, Row
from assistant.tables.wording import cell_mark, cell_text
from assistant.text.latex import to_text
from assistant.text.printable import one_line
from assistant.text.titles import display_title
from ui.export.tables import TableFormat
from ui.page import render
from ui.page.turns import attribute, button, line_html

# Characters of a value that a cell shows before it is opened.
_MAX_SHOWN = 160
_FORMATS = {
    TableFormat.CSV: "CSV",
    TableFormat.MARKDOWN: "Markdown",
    TableFormat.LATEX: "LaTeX",
    TableFormat.BIBTEX: "BibTeX",
    TableFormat.JSON: "JSON",
}


@dataclass(frozen=True, slots=True)
class OpenCell:
    """The position of the cell whose sentence is shown: the id of its paper, and the number of its column from 0."""

    paper_id: str
    column: int

    @property
    def value(self) -> str:
        """Return the position as a button sends it."""
        return f"{self.column} {self.paper_id}"


@dataclass(frozen=True, slots=True)
class Sheet:
    """The table on the screen: its columns, the rows filled so far, how many there will be, and the open cell."""

    columns: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    count: int = 0
    total: int = 0
    opened: OpenCell | None = None


def parse_cell(value: str) -> OpenCell | None:
    """Return the position that a button sent; None where it is none."""
    column, _, paper_id = value.partition(" ")
    return OpenCell(paper_id, int(column)) if column.isdecimal() and len(column) < 4 and paper_id else None


def sheet_html(sheet: Sheet) -> str:
    """Return the table with its downloads. The roles are explicit because a phone shows the rows as blocks."""
    if not sheet.columns:
        return ""
    if not sheet.count:
        return '<p class="quiet">No paper matches.</p>'
    heads = "".join(f'<th scope="col" role="columnheader">{line_html(name)}</th>' for name in ("Paper", *sheet.columns))
    rows = "".join(_row(sheet, row) for row in sheet.rows)
    return (
        f'{_state(sheet)}<div class="table filled"><table role="table"><thead><tr role="row">{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _state(sheet: Sheet) -> str:
    """Return how far the table is filled; once it is, the buttons that save it."""
    if len(sheet.rows) < sheet.count:
        return (
            f'<p class="places" role="status"><progress max="{sheet.count}" value="{len(sheet.rows)}"></progress> '
            f"{len(sheet.rows):,} of {sheet.count:,} papers are read</p>"
        )
    first = (
        f"The first {sheet.count:,} of {sheet.total:,} papers"
        if sheet.total > sheet.count
        else f"{sheet.count:,} papers"
    )
    saves = "".join(button("save", form, name, f"Save the table as {name}") for form, name in _FORMATS.items())
    keep = button("keeprows", "", "Keep papers in ...", "Put these papers into a collection")
    return f'<p class="places">{first} {saves}{keep}</p>'


def _row(sheet: Sheet, row: Row) -> str:
    title = line_html(to_text(display_title(row.paper))) + render.state_html(row.paper)
    cells = "".join(
        _cell(OpenCell(row.paper.id, number), name, cell)
        for number, (name, cell) in enumerate(zip(sheet.columns, row.cells, strict=True))
    )
    opened = sheet.opened
    is_open = opened is not None and opened.paper_id == row.paper.id and opened.column < len(row.cells)
    detail = _detail(sheet, row, opened) if is_open and opened else ""
    return f'<tr role="row"><th scope="row" role="rowheader">{title}</th>{cells}</tr>{detail}'


def _cell(position: OpenCell, name: str, cell: Cell) -> str:
    label = f'<span class="label">{_lead(name)} </span>'
    text, mark = one_line(to_text(cell_text(cell))), cell_mark(cell)
    note = f' <span class="quiet">({line_html(mark)})</span>' if mark else ""
    if cell.source is CellSource.CATALOG:
        return f'<td role="cell">{label}{line_html(text)}</td>'
    shown = text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN].rsplit(' ', 1)[0]} ..."
    kind = "" if cell.value else ' class="unstated"'
    opener = button("cell", position.value, shown, "Show the sentence, or correct the cell")
    return f'<td role="cell"{kind}>{label}{opener}{note}</td>'


def _lead(name: str) -> str:
    """Return the name of a column before what it says; a question has its punctuation already."""
    return line_html(name if name.endswith("?") else f"{name}:")


def _detail(sheet: Sheet, row: Row, position: OpenCell) -> str:
    """Return the row below the open one: the abstract with the sentence of the cell, and the form."""
    cell = row.cells[position.column]
    passages = (cell.passage,) if cell.passage else ()
    abstract = render.abstract_html(row.paper, passages, "cell-sentence", render.plain_html)
    about = f'<p class="quiet">{_lead(sheet.columns[position.column])} {"".join(_about(cell))}</p>'
    return (
        f'<tr class="detail" role="row"><td role="cell" colspan="{len(sheet.columns) + 1}">{about}{abstract}'
        f"{_form(position, cell)}</td></tr>"
    )


def _about(cell: Cell) -> Iterator[str]:
    if mark := cell_mark(cell):
        yield line_html(mark)
    elif cell.value is None:
        yield f"no sentence seems to say it (confidence {cell.confidence:.0%})"
    elif cell.source is CellSource.MODEL:
        yield f"shortened by the language model from the marked sentence (confidence {cell.confidence:.0%})"
    else:
        yield f"from the marked sentence (confidence {cell.confidence:.0%})"


def _form(position: OpenCell, cell: Cell) -> str:
    value = attribute(one_line(cell.value or ""))
    forget = button("forget", position.value, "Forget the correction") if cell_mark(cell) else ""
    return (
        f'<div class="correcting"><input type="text" maxlength="2000" value="{value}" '
        f'aria-label="The right value">{button("correct", position.value, "Correct")}'
        f"{button('nothing', position.value, 'The abstract does not say')}{forget}</div>"
    )
