"""The commands for assistants: the MCP server, and its entry in the configuration of a client."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.errors import InputError
from ui.cli.common import Model, settings_of

if TYPE_CHECKING:
    from ui.mcp.clients import McpClient

app = typer.Typer()
_PANEL = "Page and models"

mcp = typer.Typer(help="Serve the library to an assistant over standard input and output (MCP).")
app.add_typer(mcp, name="mcp", rich_help_panel=_PANEL)


@mcp.callback(invoke_without_command=True)
def serve(
    context: typer.Context,
    llm: Model = None,
    allow_add: Annotated[bool, typer.Option("--allow-add", help="Let the client add papers to the library.")] = False,
) -> None:
    """Serve the library to an assistant over standard input and output (Model Context Protocol)."""
    if context.invoked_subcommand:
        return
    settings = settings_of(context, llm=llm, mcp_add=allow_add or None)
    from ui.mcp.access import LibraryAccess
    from ui.mcp.server import create_server
    from ui.mcp.transports import serve_stdio

    access = LibraryAccess(settings)
    serve_stdio(create_server(access, lambda _: settings.mcp_add), access)


@mcp.command()
def install(
    context: typer.Context,
    client: Annotated[str, typer.Argument(metavar="CLIENT", help="claude, vscode, cursor, lmstudio or codex.")],
    write: Annotated[bool, typer.Option("--write", help="Write it into the client's file, after a backup.")] = False,
    file: Annotated[Path | None, typer.Option(help="The client's file; by default, where the client has it.")] = None,
    allow_add: Annotated[bool, typer.Option("--allow-add", help="Let the client add papers to the library.")] = False,
) -> None:
    """Print what makes a client start the server, or write it into the client's configuration."""
    from ui.mcp import clients

    chosen = clients.client_named(client)
    target = file or clients.configuration_file(chosen)
    # A client starts the server without the variables of this shell.
    home, library, embedder = (
        context.obj[name] or os.environ.get(f"PAPERCHAT_{name.upper()}") for name in ("home", "library", "embedder")
    )
    options = clients.options_of(Path(home) if home else None, library, embedder)
    command = clients.launch_command(options, ["--allow-add"] if allow_add else [])
    if not write:
        typer.echo(chosen.snippet(command))
        typer.echo(f"Nothing is written. This belongs into {target}; --write puts it there.", err=True)
        return
    _write(chosen, target, command)


def _write(client: McpClient, file: Path, command: list[str]) -> None:
    """Write the entry; where the file cannot be edited, print what to paste."""
    from ui.mcp import clients

    try:
        installation = clients.install(client, file, command)
    except InputError:
        typer.echo(client.snippet(command))
        typer.echo("Paste the above into the file yourself.", err=True)
        raise
    if not installation.changed:
        typer.echo(f"{file} has this entry already.")
        return
    typer.echo(f"Written to {file}; restart {client.title} to use it.")
    if installation.backup:
        typer.echo(f"The file as it was: {installation.backup}")


@mcp.command()
def skill() -> None:
    """Print SKILL.md, which tells an agent how to work with the library: paperchat mcp skill > SKILL.md."""
    from importlib.resources import files

    typer.echo(files("ui.mcp").joinpath("SKILL.md").read_text(encoding="utf-8"), nl=False)
