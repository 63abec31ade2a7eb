"""The public names of `assistant`, the modules that its import loads, and the location of the packages."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys

import pytest

import assistant
from tests.conftest import ROOT


def run(script: str, cwd: str = str(ROOT)) -> str:
    """Return what a script prints in a new interpreter."""
    command = [sys.executable, "-c", script]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True).stdout.strip()


def test_every_public_name_can_be_imported() -> None:
    assert all(getattr(assistant, name) is not None for name in assistant.__all__)


def test_the_list_of_public_names_is_complete_and_in_order() -> None:
    script = """
import assistant, json, types
from assistant import *
print(json.dumps([name for name, value in vars(assistant).items()
                  if not name.startswith("_") and not isinstance(value, types.ModuleType)]))
"""
    assert sorted(json.loads(run(script))) == assistant.__all__ == sorted(set(assistant.__all__))


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'unknown'"):
        _ = assistant.unknown


def test_the_import_loads_nothing_but_the_standard_library() -> None:
    names = "print(*sys.modules)"
    bare, loaded = (set(line.split()) for line in run(f"import sys; {names}; import assistant; {names}").splitlines())
    ours = {name.partition(".")[0] for name in loaded - bare}
    assert ours - set(sys.stdlib_module_names) == {"assistant"}


def test_from_anywhere_the_packages_come_from_this_checkout() -> None:
    try:
        importlib.metadata.distribution("paperchat")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("paperchat is not installed in this interpreter")
    names = ["assistant", "ingest", "ui", "eval"]
    printed = run(f"import {', '.join(names)}\nfor package in ({', '.join(names)}): print(package.__file__)", cwd="/")
    assert printed.splitlines() == [str(ROOT / name / "__init__.py") for name in names]
