"""The commands that serve the page and the API, and make tokens for programs: serve, token."""

from __future__ import annotations

from typing import Annotated

import typer

from assistant.serialization import Json
from ui.api.tokens import Token, open_tokens
from ui.cli.common import AsJson, IfEmpty, Libraries, Model, ingest_if_empty, print_array, settings_of
from ui.permissions import Role

app = typer.Typer()
_PANEL = "Page and models"
token_app = typer.Typer(help="Make, list or revoke the tokens by which programs use the API.", no_args_is_help=True)
app.add_typer(token_app, name="token", rich_help_panel=_PANEL)


@app.command(rich_help_panel=_PANEL)
def serve(
    context: typer.Context,
    port: Annotated[int | None, typer.Option(help="Port to serve at; if it is taken, the next free one.")] = None,
    llm: Model = None,
    if_empty: IfEmpty = None,
    page: Annotated[bool, typer.Option(help="Serve the chat page beside the API.")] = True,
    watch_hours: Annotated[
        float | None, typer.Option(help="Look at the watched sources every so many hours meanwhile; 0 for never.")
    ] = None,
) -> None:
    """Serve the chat page, the API and the MCP server on this machine."""
    settings = settings_of(context, port=port, llm=llm, watch_hours=watch_hours)
    if if_empty:
        ingest_if_empty(settings, if_empty)
    from ui.mcp.mounting import mount_mcp

    if page:
        from ui.page import server as page_server

        page_server.serve(settings, announce=typer.echo, mounts=mount_mcp)
    else:
        from ui.api import server as api_server

        api_server.serve(settings, announce=typer.echo, mounts=mount_mcp)


@token_app.command("add")
def add_token(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The name of the program or person that gets it.")],
    role: Annotated[
        Role, typer.Option("--role", "--scope", help="read: ask and search; write: change the library, too.")
    ] = Role.READ,
    libraries: Libraries = None,
) -> None:
    """Make a token and print it; it cannot be shown again."""
    typer.echo(open_tokens(settings_of(context)).add(name, role, libraries or ()))
    typer.echo(f"{name} may {role}: Authorization: Bearer TOKEN", err=True)


@token_app.command("list")
def list_tokens(context: typer.Context, as_json: AsJson = False) -> None:
    """List the tokens, without their secrets."""
    tokens = open_tokens(settings_of(context)).all()
    if as_json:
        print_array(map(_token_json, tokens))
        return
    for token in tokens:
        limits = ", ".join(token.permissions.libraries)
        typer.echo(f"{token.name:30}  {token.permissions.role:5}  {token.created}  {limits}".rstrip())


@token_app.command("remove")
def remove_token(context: typer.Context, name: Annotated[str, typer.Argument(help="The name of the token.")]) -> None:
    """Revoke a token; it is refused from now on."""
    open_tokens(settings_of(context)).remove(name)
    typer.echo(f"{name} is revoked.")


def _token_json(token: Token) -> Json:
    role, libraries = token.permissions.role, list(token.permissions.libraries)
    return {"name": token.name, "scope": role, "role": role, "libraries": libraries, "created": token.created}
