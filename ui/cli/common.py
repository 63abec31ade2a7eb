"""Options, settings and output that the commands share."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant import factory
from assistant.schema import Scope
from assistant.serialization import Json
from assistant.text.printable import one_line
from ui import logs

if TYPE_CHECKING:
    from assistant.chat import Assistant
    from assistant.settings import Settings
    from assistant.storage.catalog import Catalog
    from ingest.report import IngestReport
    from ui.export.formats import ExportFormat

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Model = Annotated[
    str | None, typer.Option("--llm", help="Language model, provider/model; extractive quotes without one.")
]
StrategyName = Annotated[
    str | None,
    typer.Option("--strategy", help="How a language model writes the answer: single, best-of-n, self-moa, refine."),
]
PageNumber = Annotated[int, typer.Option("--page", min=1, help="Page of the list.")]
IfEmpty = Annotated[Path | None, typer.Option(help="Ingest this file or folder first if the library is empty.")]
Libraries = Annotated[
    list[str] | None,
    typer.Option(
        "--library",
        metavar="NAME",
        help="Only this library may be used; repeat it for several. default is the one without a name.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]

ToFile = Annotated[Path | None, typer.Option(metavar="FILE", help="Write to this file instead of standard output.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite the file.")]


def settings_of(context: typer.Context, **overrides: Any) -> Settings:
    """Return the effective settings, with logging and offline mode set up. Raises SettingsError."""
    from assistant.settings import load

    settings = load(**context.obj, **overrides)
    logs.configure(settings.log, settings.log_format)
    factory.restrict_network_access(settings)
    return settings


def open_assistant(settings: Settings, if_empty: Path | None = None, answers: int | None = None) -> Assistant:
    """Return the assistant; an empty library is filled from a file or folder first.

    `answers` is the number of answers after which the command ends, where that is known.
    """
    if if_empty:
        ingest_if_empty(settings, if_empty)
    return factory.open_assistant(_for_one_answer(settings) if answers == 1 else settings)


def _for_one_answer(settings: Settings) -> Settings:
    """Return the settings of a process that ends after one answer: `auto` is the engine that is ready soonest.

    The fastest engine takes longer to start and more memory. The vectors of all engines agree.
    """
    from assistant.embedding.engine_choice import AUTO, EXACT
    from assistant.embedding.packaged_model import PACKAGED

    is_open = settings.engine == AUTO and settings.embedder == PACKAGED
    return settings.model_copy(update={"engine": EXACT}) if is_open else settings


def ingest_if_empty(settings: Settings, path: Path) -> None:
    """Fill an empty library. The report goes to standard error, because standard output is for the answer."""
    catalog = factory.open_catalog(settings)
    if catalog.papers.count():
        return
    from ingest import pipeline
    from ingest.progress import progress_bar

    typer.echo(f"The library in {settings.home} is empty; reading {path} ...", err=True)
    library = factory.open_library(settings)
    with progress_bar() as progress:
        report = pipeline.ingest([path], library, progress)
    print_report(report, library.catalog, err=True)
    library.close()


def print_report(report: IngestReport, catalog: Catalog, err: bool = False) -> None:
    """Print what was added and, on standard error, what was not."""
    for problem in report.problems:
        typer.echo(f"paperchat: {'' if problem.lost else 'warning: '}{one_line(str(problem))}", err=True)
    typer.echo(
        f"{report.records} records read: {report.added} papers added, {report.updated} updated, "
        f"{report.merged} merged, {report.unchanged} unchanged, {report.skipped} skipped"
        f"{f', {report.removed} papers removed' if report.removed else ''}. "
        f"The library has {catalog.papers.count()} papers.",
        err=err,
    )
    if report.without_abstract:
        typer.echo(
            f"{report.without_abstract} records came without an abstract. They are kept and listed, but not searched; "
            f"the library has {catalog.papers.count_without_abstract()} such papers.",
            err=err,
        )


def confirm(yes: bool) -> None:
    """Ask for confirmation on standard error; anything but a yes ends the command with exit code 1."""
    if yes:
        return
    typer.echo("Go on? [y/N] ", nl=False, err=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        typer.echo("Nothing was done. --yes goes on without asking.", err=True)
        raise typer.Exit(1)


def selected_papers_text(catalog: Catalog, matching: str, collection: str | None, form: ExportFormat) -> str:
    """Return the papers that match the filters and are in the collection, with what persons have added to them.

    Raises InputError for a filter or format that does not exist, NotFoundError for an unknown collection.
    """
    from assistant.question.filters import parse_selection
    from ui.export import transcripts

    selection = parse_selection(matching, catalog.papers.has_author)
    if collection is not None:
        names = (catalog.collections.find(collection).name,)
        selection = replace(selection, filters=selection.filters.within(Scope(collections=names)))
    papers = list(catalog.papers.all(selection))
    return transcripts.export_papers(papers, form, catalog.annotations.of_papers([paper.id for paper in papers]))


def write_text(text: str, to: Path | None, *, overwrite: bool) -> None:
    """Write text to a file, or to standard output. Raises InputError where the file exists or cannot be written."""
    from ui.export import transcripts

    if to:
        transcripts.write_file(text, to, overwrite=overwrite)
    else:
        typer.echo(text, nl=False)


def print_array(items: Iterable[Json]) -> None:
    """Print a JSON array with one item a line, as the items come."""
    separator = "["
    for item in items:
        typer.echo(f"{separator}\n{dumps(item)}", nl=False)
        separator = ","
    typer.echo("\n]" if separator == "," else "[]")


def dumps(value: Any) -> str:
    """Return a value as JSON in one line."""
    return json.dumps(value, ensure_ascii=False)
