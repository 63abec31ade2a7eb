"""The command `paperchat`: its options, its groups of commands, and how it reports errors."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated

import typer

from assistant.errors import PaperchatError
from assistant.text.printable import one_line
from ui.cli import (
    collection_commands,
    conversation_commands,
    draft_commands,
    embed_commands,
    library_commands,
    mcp_commands,
    page_commands,
    paper_commands,
    question_commands,
    serve_commands,
    table_commands,
    topic_commands,
    watch_commands,
)

app = typer.Typer(
    help="Ask questions of a library of research-paper abstracts and get answers with a citation behind each claim.",
    context_settings={"help_option_names": ["--help", "-h"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
# The order of the groups in the help.
_GROUPS = (
    question_commands,
    draft_commands,
    table_commands,
    conversation_commands,
    paper_commands,
    collection_commands,
    topic_commands,
    library_commands,
    embed_commands,
    watch_commands,
    serve_commands,
    mcp_commands,
    page_commands,
)
for commands in _GROUPS:
    app.add_typer(commands.app)


def main() -> None:
    """Run the command; report an error of paperchat's in one line on standard error, with exit code 1."""
    # Abstracts hold characters that a terminal's encoding may lack; in JSON, their escapes mean the same.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        _command()()
    except PaperchatError as error:
        sys.stderr.write(f"paperchat: {one_line(str(error))}\n")
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of the output has gone


@cache
def _command() -> Callable[[], object]:
    """Return the command with its options and groups, which take longer to build than most commands to run."""
    return typer.main.get_command(app)


@app.callback(invoke_without_command=True)
def options(
    context: typer.Context,
    home: Annotated[Path | None, typer.Option(help="Directory of the library, its conversations and models.")] = None,
    library: Annotated[str | None, typer.Option(metavar="NAME", help="Use the library of this name.")] = None,
    embedder: Annotated[str | None, typer.Option(help="Sentence-transformers model: a name or a folder.")] = None,
    verbose: Annotated[
        int,
        typer.Option("--verbose", "-v", count=True, show_default=False, help="Log to standard error; -vv logs more."),
    ] = 0,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Collect the settings that come before the command."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"paperchat {installed('paperchat')}")
        raise typer.Exit
    log = {0: None, 1: "info"}.get(verbose, "debug")
    context.obj = {"home": home, "library": library, "embedder": embedder, "log": log}
