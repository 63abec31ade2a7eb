"""Locate the sample library: abstracts of 278 papers on machine learning that come with the program."""

from __future__ import annotations

from pathlib import Path

from assistant.errors import InputError

# In an installed package, and in a checkout.
_FOLDERS = (Path(__file__).parent / "seeds", Path(__file__).parents[1] / "seeds")


def sample_folder() -> Path:
    """Return the folder of the sample library's files. Raises InputError where the installation lacks it."""
    for folder in _FOLDERS:
        if folder.is_dir():
            return folder
    raise InputError("sample library", "is not part of this installation: reinstall paperchat")
