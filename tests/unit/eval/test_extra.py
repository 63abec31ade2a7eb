"""Without a library of the extra `eval` its commands end with one line that names the extra."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT

WITHOUT = "import runpy, sys; sys.modules[sys.argv.pop(1)] = None; runpy.run_module('eval', run_name='__main__')"


def run_without(module: str, *arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run `python -m eval` in a process in which the module cannot be imported."""
    command = [sys.executable, "-c", WITHOUT, module, *arguments]
    environment = os.environ | {"PAPERCHAT_HOME": str(home)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("ir_measures", ("selftest",)),
        ("jinja2", ("report", "one")),
        ("sklearn", ("calibrate",)),
        ("llama_index.vector_stores.chroma", ("bench",)),
    ],
)
def test_a_missing_library_ends_the_command_with_the_line_that_installs_it(
    module: str, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    process = run_without(module, *arguments, home=tmp_path / "home")
    assert (process.returncode, process.stdout) == (1, "")
    assert re.fullmatch(
        rf"eval: {re.escape(module)}[\w.]* is not installed; install it with: pip install 'paperchat\[eval\]'\n",
        process.stderr,
    )
    assert not (tmp_path / "home").exists()


def test_the_help_needs_no_library_of_the_extra(tmp_path: Path) -> None:
    assert run_without("ir_measures", "--help", home=tmp_path).returncode == 0


def test_developers_install_the_extra_too() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    names = {requirement.split(">")[0] for requirement in extras["eval"]}
    assert names >= {"bm25s", "ir-measures", "jinja2", "llama-index-vector-stores-chroma", "pystemmer"}
    assert "paperchat[eval]" in extras["dev"]
