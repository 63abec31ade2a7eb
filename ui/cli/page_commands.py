"""The commands that set the page up: user, models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ui.cli.common import AsJson, Libraries, dumps, print_array, settings_of
from ui.permissions import UNLIMITED, Role, checked_libraries

app = typer.Typer()
_PANEL = "Page and models"


@app.command(rich_help_panel=_PANEL)
def user(
    file: Annotated[Path, typer.Argument(help="The file of users; it is created if it does not exist.")],
    name: Annotated[str | None, typer.Argument(help="The name to log in with; without one, list the users.")] = None,
    role: Annotated[
        Role | None, typer.Option(help="read: ask and search; write: change the library, too. A new user may write.")
    ] = None,
    libraries: Libraries = None,
    every_library: Annotated[
        bool, typer.Option("--every-library", help="Lift the limit to certain libraries.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add a user of a server that requires a login, change a password, or change what a user may do."""
    if name is None:
        _list_users(file, as_json)
        return
    from ui import users

    before = users.find_user(file, name)
    permissions = before.permissions if before else UNLIMITED
    permissions = replace(permissions, role=role) if role else permissions
    permissions = replace(permissions, libraries=checked_libraries(libraries or ())) if libraries else permissions
    permissions = replace(permissions, libraries=()) if every_library else permissions
    if before and permissions != before.permissions:
        users.set_permissions(file, before, permissions)
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        users.add_user(file, name, password, permissions)
    typer.echo(f"{name} may log in where PAPERCHAT_AUTH is {file} ({permissions}).")


def _list_users(file: Path, as_json: bool) -> None:
    from ui import users

    listed = users.all_users(file)
    if as_json:
        print_array(
            {"name": user.name, "role": user.permissions.role, "libraries": list(user.permissions.libraries)}
            for user in listed
        )
        return
    for user in listed:
        limits = ", ".join(user.permissions.libraries)
        typer.echo(f"{user.name:30}  {user.permissions.role:5}  {limits}".rstrip())


@app.command("models", rich_help_panel=_PANEL)
def list_models(context: typer.Context, as_json: AsJson = False) -> None:
    """List the providers of language models, and the models of the servers that are configured."""
    from assistant.llm import providers
    from ui.cli import models

    settings, statuses = settings_of(context), providers.list_models()
    typer.echo(dumps(models.as_json(statuses)) if as_json else models.as_text(statuses, settings.llm))
