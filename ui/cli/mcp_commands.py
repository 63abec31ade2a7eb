"""The commands for assistants: the MCP server, and its entry in the configuration of a client."""

from __future__ import annotations

from typing import Annotated

import typer

from ui.cli.common import Model, settings_of

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

    serve_stdio(create_server(LibraryAccess(settings), lambda _: settings.mcp_add))
