"""The commands about the whole library: what goes in, its state, its repair, its backups."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant import factory
from assistant.text.printable import one_line
from ui.cli import terminal
from ui.cli.common import AsJson, Yes, confirm, dumps, print_array, print_report, settings_of

if TYPE_CHECKING:
    from assistant.settings import Settings

app = typer.Typer()
_PANEL = "Library"


@app.command(rich_help_panel=_PANEL)
def ingest(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(show_default=False, help="Files, folders, and what embed wrote; - is standard input."),
    ] = None,
    sample: Annotated[bool, typer.Option("--sample", help="Add the sample library: 278 papers.")] = False,
) -> None:
    """Add papers from files and folders, or the sample library that comes with paperchat."""
    from ingest import pipeline
    from ingest.encoded.source import described_embedder
    from ingest.progress import progress_bar
    from ingest.sample import sample_folder

    files = [*(paths or ()), *([sample_folder()] if sample else ())]
    if not files:
        raise typer.BadParameter("name files or folders, or add the sample library with --sample", param_hint="PATHS")
    settings = settings_of(context)
    library = factory.open_library(settings, described_embedder(files, settings))
    with progress_bar() as progress:
        report = pipeline.ingest(files, library, progress)
    print_report(report, library.catalog)
    if report.failed:
        raise typer.Exit(1)


@app.command(rich_help_panel=_PANEL)
def add(
    context: typer.Context,
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="arxiv:ID, doi:DOI, arxiv-search:WORDS or zotero:")
    ],
    limit: Annotated[int, typer.Option(min=1, max=2000, help="Maximum papers of a search.")] = 50,
) -> None:
    """Add papers from arXiv or by DOI, which needs the network, or follow Zotero on this machine."""
    from ingest import adding
    from ingest.progress import progress_bar

    settings = settings_of(context)
    items = adding.fetch(names, settings, limit)  # completely, before the library is locked
    library = factory.open_library(settings)
    with progress_bar() as progress:
        report = adding.add(names, items, settings, library, progress)
    print_report(report, library.catalog)
    if report.failed:
        raise typer.Exit(1)


@app.command(rich_help_panel=_PANEL)
def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the library at a glance: papers, sources, size on disk, embedder, last ingest."""
    from ui import status

    summary = status.status(settings_of(context))
    typer.echo(dumps(status.status_json(summary)) if as_json else status.status_text(summary))


@app.command(rich_help_panel=_PANEL)
def libraries(context: typer.Context, as_json: AsJson = False) -> None:
    """List the libraries; --library NAME before a command selects one."""
    from ui import status

    entries = status.libraries(settings_of(context))
    if as_json:
        print_array(map(status.entry_json, entries))
        return
    for entry in entries:
        typer.echo(status.entry_line(entry))


@app.command(rich_help_panel=_PANEL)
def doctor(
    context: typer.Context,
    repair: Annotated[bool, typer.Option("--repair", help="Repair the indexes first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check settings, library and language model; exit with code 1 if there is a problem."""
    from ui import doctor

    settings = settings_of(context)
    if repair:
        _repair(settings)
    diagnosis = doctor.examine(settings)
    typer.echo(dumps(doctor.as_json(diagnosis)) if as_json else doctor.as_text(diagnosis))
    if diagnosis.problems:
        raise typer.Exit(1)


@app.command(rich_help_panel=_PANEL)
def reindex(context: typer.Context) -> None:
    """Rebuild the indexes from the catalog: for another embedder, or after damage."""
    from ingest import indexing
    from ingest.progress import progress_bar

    settings = settings_of(context)
    embedder = factory.open_embedder(settings)  # first, so that a wrong name leaves the indexes alone
    factory.reset_indexes(settings)
    library = factory.open_library(settings, embedder)
    with progress_bar() as progress, library.writing():
        count = indexing.update_indexes(library, progress)
    typer.echo(f"{count} papers indexed.")


@app.command("backup", rich_help_panel=_PANEL)
def write_backup(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Write the library and its conversations to one file, even while others read and ingest."""
    from ingest.maintenance import backup

    manifest = backup.backup(settings_of(context), file, force)
    typer.echo(f"{terminal.counted(manifest.papers, 'paper')} in {file}, {file.stat().st_size:,} bytes.")


@app.command(rich_help_panel=_PANEL)
def restore(
    context: typer.Context, file: Annotated[Path, typer.Argument(help="A file that backup wrote.")], yes: Yes = False
) -> None:
    """Replace the library and its conversations with a backup; a damaged file changes nothing."""
    from ingest.maintenance import backup
    from ingest.progress import progress_bar

    settings = settings_of(context)
    manifest = backup.inspect(file)
    typer.echo(
        f"{terminal.counted(manifest.papers, 'paper')} of {one_line(manifest.made)} will replace the library "
        f"in {settings.home} with its conversations.",
        err=True,
    )
    confirm(yes)
    with progress_bar() as progress:
        count = backup.restore(settings, file, progress)
    typer.echo(f"{terminal.counted(count, 'paper')} restored.")


def _repair(settings: Settings) -> None:
    from ingest.maintenance.repair import repair
    from ingest.progress import progress_bar

    with progress_bar() as progress:
        count = repair(settings, progress)
    typer.echo(f"{terminal.counted(count, 'paper')} indexed again.", err=True)
