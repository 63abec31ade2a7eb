"""The command line: `paperchat` and its commands."""

from ui.cli.app import main

__all__ = ["main"]
