"""What the verbs of the command share: options, settings, and how values are printed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant import factory
from assistant.serialization import Json
from assistant.settings import Settings, load
from assistant.text.printable import one_line
from ui import logs

if TYPE_CHECKING:
    from assistant.chat import Assistant
    from assistant.storage.catalog import Catalog
    from ingest.report import IngestReport

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Model = Annotated[str | None, typer.Option("--llm", help="Who writes the answer: extractive, or provider/model.")]
PageNumber = Annotated[int, typer.Option("--page", min=1, help="Which page of the list.")]


def settings_of(context: typer.Context, **overrides: Any) -> Settings:
    """The effective settings: those of the command line first. Raises SettingsError."""
    settings = load(**context.obj, **overrides)
    logs.configure(settings.log)
    factory.stay_local(settings)
    return settings


def open_assistant(settings: Settings, if_empty: Path | None) -> Assistant:
    """The assistant over the library, filled from a file or folder first where it is empty."""
    if if_empty:
        ingest_if_empty(settings, if_empty)
    return factory.open_assistant(settings)


def ingest_if_empty(settings: Settings, path: Path) -> None:
    """Fill an empty library. The report goes to standard error: standard output is for what was asked."""
    catalog = factory.open_catalog(settings.home)
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
    """What went in and, on standard error, what did not."""
    for problem in report.problems:
        typer.echo(f"paperchat: {'' if problem.lost else 'warning: '}{one_line(str(problem))}", err=True)
    typer.echo(
        f"{report.records} records read: {report.added} papers added, {report.updated} updated, "
        f"{report.merged} merged, {report.unchanged} unchanged, {report.skipped} skipped. "
        f"The library has {catalog.papers.count()} papers.",
        err=err,
    )
    if report.without_abstract:
        typer.echo(
            f"{report.without_abstract} records came without an abstract. They are kept and listed, but not searched; "
            f"the library has {catalog.papers.count_without_abstract()} such papers.",
            err=err,
        )


def print_array(items: Iterable[Json]) -> None:
    """A JSON array, an item a line, written as it comes."""
    before = "["
    for item in items:
        typer.echo(f"{before}\n{dumps(item)}", nl=False)
        before = ","
    typer.echo("\n]" if before == "," else "[]")


def dumps(value: Any) -> str:
    """A value as JSON in one line."""
    return json.dumps(value, ensure_ascii=False)
