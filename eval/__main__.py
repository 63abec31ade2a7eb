"""`python -m eval`: scripted evaluation runs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from assistant import wiring
from assistant.errors import PaperchatError
from assistant.settings import Settings, load

app = typer.Typer(help="How good the assistant is, in figures.", add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    split: Annotated[str | None, typer.Option(help="dev or test; both where not given.")] = None,
    suite: Annotated[
        list[str] | None, typer.Option(help="single, multi, unanswerable, dialogs, claims, or a folder.")
    ] = None,
    answers: Annotated[bool, typer.Option(help="Ask for answers; without, only search, which is much faster.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Ask the questions of the seeds' suites, or of a collection in a folder."""
    from eval import run as running

    figures = running.run(_settings(), split, suite or (), answers)
    typer.echo(json.dumps(figures) if as_json else running.as_text(figures))


@app.command()
def calibrate(
    suite: Annotated[Path | None, typer.Option(help="Folder of a collection; the seeds where not given.")] = None,
) -> None:
    """Fit the weights of evidence, abstention and, over the seeds, claim checks on the dev half, and print them."""
    from eval.calibrate import calibrate as fit

    typer.echo(fit(_settings(), suite))


@app.command()
def bench() -> None:
    """Measure parts against what else could stand in their place, and the speed of the whole."""
    from eval.bench import bench as measure

    typer.echo(measure(_settings()))


def _settings() -> Settings:
    settings = load()
    wiring.stay_local(settings)
    return settings


if __name__ == "__main__":
    try:
        app()
    except PaperchatError as error:
        sys.exit(f"eval: {error}")
