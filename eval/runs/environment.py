"""The software that produced a figure: package versions and the git commit."""

from __future__ import annotations

import platform
import subprocess
from importlib import metadata
from pathlib import Path

_PACKAGES = ("paperchat", "chromadb", "llama-index-core", "sentence-transformers", "tantivy", "torch", "numpy")
_REPOSITORY = Path(__file__).parent.parent.parent


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that influence the figures."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in _PACKAGES}


def commit() -> str | None:
    """Return the git commit of the code, marked if files differ from it; None outside a repository."""
    try:
        process = subprocess.run(  # noqa: S603 - fixed arguments
            ["git", "-C", str(_REPOSITORY), "describe", "--always", "--dirty", "--abbrev=12"],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return process.stdout.strip()
