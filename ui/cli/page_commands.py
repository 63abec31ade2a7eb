"""The commands that set the page up: user, models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ui.cli.common import AsJson, dumps, settings_of

app = typer.Typer()
_PANEL = "Page and models"


@app.command(rich_help_panel=_PANEL)
def user(
    file: Annotated[Path, typer.Argument(help="The file of users; it is created if it does not exist.")],
    name: Annotated[str, typer.Argument(help="The name to log in with.")],
) -> None:
    """Add a user of a page that requires a login, or change a password."""
    from ui import users

    users.add_user(file, name, typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    typer.echo(f"{name} may log in where PAPERCHAT_AUTH is {file}.")


@app.command("models", rich_help_panel=_PANEL)
def list_models(context: typer.Context, as_json: AsJson = False) -> None:
    """List the providers of language models, and the models of the servers that are configured."""
    from assistant.llm import providers
    from ui.cli import models

    settings, statuses = settings_of(context), providers.list_models()
    typer.echo(dumps(models.as_json(statuses)) if as_json else models.as_text(statuses, settings.llm))
