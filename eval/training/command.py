"""Run a training as a command."""

from __future__ import annotations

import sys
from collections.abc import Callable

import typer

from assistant.errors import PaperchatError


def run(main: Callable[..., None]) -> None:
    """Run a function with the options of the command line; an error in the data ends it with one line."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    try:
        app()
    except PaperchatError as error:
        sys.exit(f"training: {error}")
