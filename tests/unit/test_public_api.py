"""What `import assistant` gives, what it costs, and from where it comes."""

from __future__ import annotations

import importlib.metadata
import json
import statistics
import subprocess
import sys

import pytest

import assistant
from tests.conftest import ROOT

HEAVY = [
    "chromadb",
    "gradio",
    "llama_index",
    "numpy",
    "pydantic",
    "sentence_transformers",
    "sqlalchemy",
    "tantivy",
    "torch",
    "transformers",
]


def run(script: str, cwd: str = str(ROOT)) -> str:
    """What a fresh interpreter prints."""
    command = [sys.executable, "-c", script]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True).stdout.strip()


def test_every_public_name_can_be_imported() -> None:
    assert all(getattr(assistant, name) is not None for name in assistant.__all__)


def test_the_list_of_public_names_is_complete_and_in_order() -> None:
    script = """
import assistant, json, types
print(json.dumps([name for name, value in vars(assistant).items()
                  if not name.startswith("_") and not isinstance(value, types.ModuleType)]))
"""
    assert sorted(json.loads(run(script))) == assistant.__all__ == sorted(set(assistant.__all__))


def test_the_import_loads_no_heavy_library() -> None:
    loaded = run("import sys, assistant; print(*{name.split('.')[0] for name in sys.modules})")
    assert set(loaded.split()) & set(HEAVY) == set()
    assert "assistant" in loaded.split()


def test_the_import_costs_less_than_three_numpy_imports() -> None:
    timed = "import time; started = time.perf_counter(); import {}; print(time.perf_counter() - started)"
    ours, numpys = [], []
    for _ in range(5):
        ours.append(float(run(timed.format("assistant"))))
        numpys.append(float(run(timed.format("numpy"))))
    assert statistics.median(ours) < 3 * statistics.median(numpys)


def test_from_anywhere_the_packages_come_from_this_checkout() -> None:
    try:
        importlib.metadata.distribution("paperchat")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("paperchat is not installed in this interpreter")
    names = ["assistant", "ingest", "ui", "eval"]
    found = run(f"import {', '.join(names)}\nfor each in ({', '.join(names)}): print(each.__file__)", cwd="/")
    assert found.splitlines() == [str(ROOT / name / "__init__.py") for name in names]
