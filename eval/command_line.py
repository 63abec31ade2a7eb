"""What the commands of `python -m eval` share: options, settings, and figures as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from assistant import factory
from assistant.settings import Settings, load

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def settings_of(llm: str | None = None, strategy: str | None = None) -> Settings:
    """Return the settings, with the network restricted as they say. Raises SettingsError."""
    settings = load(llm=llm, strategy=strategy)
    factory.restrict_network_access(settings)
    return settings


def print_figures(figures: Mapping[str, Any], as_json: bool) -> None:
    """Print figures as JSON, or as indented lines."""
    from eval import terminal

    typer.echo(json.dumps(figures) if as_json else terminal.format_nested(figures))
