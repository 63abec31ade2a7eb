"""The commands about tables: table, correct."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant import factory
from assistant.errors import InputError
from assistant.text.printable import one_line
from ui.cli.common import AsJson, Model, dumps, open_assistant, settings_of
from ui.cli.table_text import row_text

if TYPE_CHECKING:
    from assistant.schema import Row
    from ui.tables import TableRun

app = typer.Typer()
_PANEL = "Questions"


@app.command(rich_help_panel=_PANEL)
def table(
    context: typer.Context,
    columns: Annotated[
        list[str], typer.Argument(metavar="COLUMN...", help="Questions or topics in words; year, authors, venue ...")
    ],
    filters: Annotated[str, typer.Option("--filter", help="Rows: the papers that match, as in list.")] = "",
    question: Annotated[str, typer.Option("--question", help="Rows: the papers found for a question or topic.")] = "",
    ids: Annotated[list[str] | None, typer.Option("--ids", metavar="ID", help="Rows: this paper; repeatable.")] = None,
    limit: Annotated[int | None, typer.Option(help="Most rows; of a question 20, else 10,000.")] = None,
    to: Annotated[Path | None, typer.Option(metavar="FILE", help="Write .csv, .md, .tex, .bib or .json.")] = None,
    sentences: Annotated[bool, typer.Option("--sentences", help="In CSV, add the sentence behind each cell.")] = False,
    as_json: AsJson = False,
    llm: Model = None,
) -> None:
    """Compare papers in a table: a cell has what the abstract says, or that it does not say.

    What was read is kept, so that a table that was interrupted goes on where it was.
    """
    from assistant.tables.rows import RowChoice
    from ui.export.tables import format_of, table_json, write_table
    from ui.tables import run_table

    form = format_of(to) if to else None
    assistant = open_assistant(settings_of(context, llm=llm))
    chosen_ids = tuple(paper_id for given in ids or () for paper_id in given.replace(",", " ").split())
    run = run_table(assistant, columns, RowChoice(chosen_ids, question, filters, limit))
    if to and form:
        filled = run.finished(_with_progress(run))
        annotations = assistant.library.catalog.annotations.of_papers([row.paper.id for row in filled.rows])
        _write(to, write_table(filled, form, sentences, annotations))
        typer.echo(f"{len(filled.rows):,} of {filled.total:,} papers written to {one_line(str(to))}", err=True)
    elif as_json:
        typer.echo(dumps(table_json(run.finished(_with_progress(run)))))
    else:
        _print_rows(run)


@app.command(rich_help_panel=_PANEL)
def correct(
    context: typer.Context,
    paper_id: Annotated[str, typer.Argument(metavar="PAPER", help="The id of the paper, or its beginning.")],
    column: Annotated[str, typer.Argument(help="The column, as in the table.")],
    value: Annotated[str | None, typer.Argument(help="What the paper has in it.")] = None,
    nothing: Annotated[bool, typer.Option("--nothing", help="The abstract does not say.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Forget the correction.")] = False,
) -> None:
    """Correct a cell of a table by hand; it is kept over later runs, and marked."""
    from ui.tables import correct_cell, forget_correction

    if (value is not None) + nothing + undo != 1:
        raise typer.BadParameter("give a value, or --nothing, or --undo")
    catalog = factory.open_catalog(settings_of(context))
    if undo:
        was_there = forget_correction(catalog, paper_id, column)
        typer.echo("The correction is forgotten." if was_there else "The cell had no correction.")
        return
    correct_cell(catalog, paper_id, column, value)
    typer.echo("The cell is corrected.")


def _print_rows(run: TableRun) -> None:
    """Print each row once it is filled."""
    for number, row in enumerate(run.rows):
        typer.echo(f"{'' if number == 0 else chr(10)}{row_text(row, run.names)}")
        sys.stdout.flush()
    if run.total > run.count:
        typer.echo(f"\nThese are the first {run.count:,} of {run.total:,} papers.")
    elif not run.count:
        typer.echo("No paper matches.")


def _with_progress(run: TableRun) -> Iterator[Row]:
    from ingest.progress import progress_bar
    from ingest.report import Progress

    with progress_bar("Reading") as progress:
        for number, row in enumerate(run.rows, start=1):
            if progress:
                progress(Progress("Reading", number, run.count))
            yield row


def _write(file: Path, text: str) -> None:
    """Write a file, complete once it exists. Raises InputError where it cannot be written."""
    partial = file.with_name(f"{file.name}.part")
    try:
        partial.write_text(text, encoding="utf-8", newline="")
        partial.replace(file)
    except OSError as error:
        raise InputError(str(file), f"cannot be written: {error.strerror}") from error
