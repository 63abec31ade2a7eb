"""The table tab: columns are typed in, papers are chosen by a filter or a question, and cells can be corrected."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from assistant.errors import InputError, PaperchatError
from assistant.schema import Row, Table
from assistant.tables.rows import RowChoice
from ui.collecting import collect_under, table_ids
from ui.export.tables import TableFormat, write_table
from ui.page import render, write_controls
from ui.page.backend import PageBackend
from ui.page.collection_menu import added_text
from ui.page.events import QUIET, permissions_of, stamped
from ui.page.filled_table import OpenCell, Sheet, parse_cell, sheet_html
from ui.page.session import TabSettings
from ui.tables import correct_cell, forget_correction, run_table

# Rows of a table on the page, and how many are read at first.
_MAX_ROWS, _ROWS = 200, 20
# Seconds between two pictures of a table that is being filled.
_PAUSE = 0.5
_BY_FILTER, _BY_QUESTION = "papers that match", "papers found for a question"


@dataclass(frozen=True, slots=True)
class _SheetParts:
    """What the events of the tab read and change."""

    sheet: gr.State
    columns: gr.Textbox
    chosen_by: gr.Radio
    rows: gr.Textbox
    limit: gr.Number
    fill: gr.Button
    stop: gr.Button
    table: gr.HTML


def build(backend: PageBackend, bridge: gr.HTML, tab_settings: gr.State) -> None:
    """Build the tab with its events; `bridge` passes pressed buttons on, and messages to the page's script."""
    parts = _build_parts()

    def fill(
        columns: str, chosen_by: str, rows: str, limit: float | None, settings: TabSettings
    ) -> Iterator[list[Any]]:
        try:
            for sheet in fill_sheet(backend, settings, columns, row_choice(chosen_by, rows, limit)):
                yield [sheet, sheet_html(sheet)]
        except PaperchatError as error:
            yield [Sheet(), render.error_html(str(error))]

    def press(sheet: Sheet, settings: TabSettings, event: gr.EventData, request: gr.Request) -> list[Any]:
        name, value, text = (str(event._data.get(key) or "") for key in ("name", "value", "text"))
        try:
            write_controls.require(name, write_controls.SHEET_READS, permissions_of(request))
            if message := _message(backend, sheet, name, value, text):
                return [gr.skip(), gr.skip(), message]
            sheet = handle_sheet_button(backend, settings, sheet, name, value, text)
            return [sheet, sheet_html(sheet), gr.skip()]
        except PaperchatError as error:
            return [gr.skip(), gr.skip(), stamped({"kind": "notice", "text": str(error), "is_error": True})]

    inputs = [parts.columns, parts.chosen_by, parts.rows, parts.limit, tab_settings]
    outputs = [parts.sheet, parts.table]
    filling = parts.fill.click(fill, inputs, outputs, concurrency_limit=2, **QUIET)
    parts.stop.click(lambda: None, None, None, cancels=[filling], **QUIET)
    bridge.sheet(press, [parts.sheet, tab_settings], [*outputs, bridge], trigger_mode="multiple", **QUIET)


def fill_sheet(backend: PageBackend, settings: TabSettings, columns: str, choice: RowChoice) -> Iterator[Sheet]:
    """Yield the table as it is filled. Raises PaperchatError."""
    names = [name.strip() for name in re.split(r"[\n;]", columns) if name.strip()]
    run = run_table(backend.assistant(settings), names, choice)
    rows: list[Row] = []
    yield (sheet := Sheet(run.names, (), run.count, run.total))
    shown = time.monotonic()
    for row in run.rows:
        rows.append(row)
        if time.monotonic() - shown > _PAUSE:
            yield replace(sheet, rows=tuple(rows))
            shown = time.monotonic()
    # Papers that were deleted meanwhile have no row.
    yield replace(sheet, rows=tuple(rows), count=len(rows))


def row_choice(chosen_by: str, text: str, limit: float | None) -> RowChoice:
    """Return what chooses the rows. Raises InputError for a question that is empty."""
    most = max(1, min(int(limit or _ROWS), _MAX_ROWS))
    if chosen_by != _BY_QUESTION:
        return RowChoice(filter=text, limit=most)
    if not text.strip():
        raise InputError("rows", "write the question whose papers are compared")
    return RowChoice(question=text, limit=most)


def keep_rows(backend: PageBackend, sheet: Sheet, name: str) -> str:
    """Put the papers of the table into the collection of this name, and return a message. Raises PaperchatError."""
    papers = table_ids(backend.catalog, sheet.rows)
    collection, added = collect_under(backend.catalog, name, papers)
    return added_text(added, len(papers), collection.name)


def handle_sheet_button(
    backend: PageBackend, settings: TabSettings, sheet: Sheet, name: str, value: str, text: str
) -> Sheet:
    """Return the table after a button was pressed: a cell opened or closed, corrected, or its correction forgotten.

    Raises PaperchatError.
    """
    if name == "tabulate":
        return sheet_of_answer(backend, settings, value)
    position = parse_cell(value)
    if position is None or position.column >= len(sheet.columns):
        raise InputError("page", f"there is no cell {value!r}")
    if name == "cell":
        return replace(sheet, opened=None if sheet.opened == position else position)
    column = sheet.columns[position.column]
    if name == "forget":
        forget_correction(backend.catalog, position.paper_id, column)
    elif name in ("correct", "nothing"):
        correct_cell(backend.catalog, position.paper_id, column, text if name == "correct" else None)
    else:
        raise InputError("page", f"there is no button {name!r}")
    return _read_again(backend, settings, sheet, position)


def sheet_of_answer(backend: PageBackend, settings: TabSettings, value: str) -> Sheet:
    """Return the table of an answer, as its button names it: JSON with columns and ids. Raises PaperchatError."""
    try:
        written = json.loads(value)
        columns, ids = map(str, written["columns"]), tuple(map(str, written["ids"]))
    except (ValueError, TypeError, KeyError) as error:
        raise InputError("page", "there is no such table") from error
    run = run_table(backend.assistant(settings), list(columns), RowChoice(ids=ids[:_MAX_ROWS]))
    rows = tuple(run.rows)
    return Sheet(run.names, rows, len(rows), run.total)


def _read_again(backend: PageBackend, settings: TabSettings, sheet: Sheet, position: OpenCell) -> Sheet:
    """Return the table with the row of a cell read again, most of it from what is kept."""
    run = run_table(backend.assistant(settings), sheet.columns, RowChoice(ids=(position.paper_id,)))
    fresh = {row.paper.id: row for row in run.rows}
    return replace(sheet, rows=tuple(fresh.get(row.paper.id, row) for row in sheet.rows), opened=position)


def _message(backend: PageBackend, sheet: Sheet, name: str, value: str, text: str) -> dict[str, Any] | None:
    """Return the message to the page's script for a button that leaves the table as it is; None for another button."""
    if name == "save":
        return _file(backend, sheet, value)
    if name == "keeprows":
        return stamped({"kind": "notice", "text": keep_rows(backend, sheet, text)})
    return None


def _file(backend: PageBackend, sheet: Sheet, form: str) -> dict[str, Any]:
    """Return the message that has the browser save the table."""
    if form not in set(TableFormat):
        raise InputError("page", f"there is no format {form!r}")
    annotations = backend.catalog.annotations.of_papers([row.paper.id for row in sheet.rows])
    table = Table(sheet.columns, sheet.rows, sheet.total)
    text = write_table(table, TableFormat(form), annotations=annotations)
    return stamped({"kind": "file", "name": f"table.{form}", "text": text})


def _build_parts() -> _SheetParts:
    sheet = gr.State(Sheet())
    columns = gr.Textbox(
        label="Columns, one a line",
        info="questions or topics, such as: dataset; What is the main result?; or fields: year, authors, venue",
        lines=3,
        max_lines=8,
        elem_id="sheet-columns",
    )
    chosen_by = gr.Radio([_BY_FILTER, _BY_QUESTION], value=_BY_FILTER, label="Rows", elem_id="sheet-by")
    with gr.Row(elem_id="sheet-rows"):
        rows = gr.Textbox(
            label="Words and filters, or the question", placeholder="year>=2020 retrieval", elem_id="sheet-choice"
        )
        limit = gr.Number(_ROWS, label="Most rows", minimum=1, maximum=_MAX_ROWS, precision=0, scale=0, min_width=120)
    with gr.Row(elem_id="sheet-buttons"):
        fill = gr.Button("Fill the table", variant="primary", elem_id="sheet-fill", scale=0, min_width=140)
        stop = gr.Button("Stop", elem_id="sheet-stop", scale=0, min_width=80)
    return _SheetParts(sheet, columns, chosen_by, rows, limit, fill, stop, gr.HTML(elem_id="sheet"))
