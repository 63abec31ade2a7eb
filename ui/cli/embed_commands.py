"""The command that encodes papers apart from a library, by this machine's processes or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.text.printable import one_line
from ui.cli.common import settings_of
from ui.cli.terminal import counted

if TYPE_CHECKING:
    from ingest.encoded.embed import EmbedReport
    from ingest.encoded.workers import Workers

app = typer.Typer()
_PANEL = "Library"
# What a shell reports of a command that Ctrl+C has ended.
_INTERRUPTED = 130


@app.command(rich_help_panel=_PANEL)
def embed(
    context: typer.Context,
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUT...", help="Files and folders, as ingest takes; - is standard input.")
    ],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Directory for the encoded papers.")],
    ray: Annotated[
        str | None,
        typer.Option(metavar="CLUSTER", help="Encode on Ray: auto, local, or the address of a cluster, host:port."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=100_000, help="Number of workers; by default one a processor or GPU.")
    ] = None,
) -> None:
    """Encode papers into a directory that ingest takes in without a model; run it again to go on after a stop."""
    from ingest.encoded.embed import embed as run
    from ingest.progress import progress_bar

    settings = settings_of(context)
    try:
        with _workers(ray, workers) as running, progress_bar() as progress:
            report = run(inputs, to, settings, running, progress)
    except KeyboardInterrupt:
        typer.echo(f"Stopped. What was encoded is in {to}; the same command goes on from there.", err=True)
        raise typer.Exit(_INTERRUPTED) from None
    _print(report, to)
    if report.reading.failed:
        raise typer.Exit(1)


@contextmanager
def _workers(ray: str | None, count: int | None) -> Iterator[Workers]:
    if ray is None:
        from ingest.encoded.processes import ProcessWorkers

        yield ProcessWorkers(count)
        return
    from ingest.encoded import ray_cluster

    with ray_cluster.connected(ray, count) as workers:
        yield workers


def _print(report: EmbedReport, folder: Path) -> None:
    """Print what was encoded and, on standard error, what could not be read."""
    for problem in report.reading.problems:
        typer.echo(f"paperchat: {'' if problem.lost else 'warning: '}{one_line(str(problem))}", err=True)
    typer.echo(
        f"{counted(report.reading.records, 'record')} read, {report.reading.skipped} skipped: "
        f"{counted(report.papers, 'paper')} with an abstract, {report.encoded} of them encoded now. "
        f"Take them in by: paperchat ingest {folder}"
    )
