"""What a command loads: with the packaged model no command imports PyTorch or what is built on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow

PYTORCH = {"torch", "transformers", "sentence_transformers"}
HEAVY = PYTORCH | {"sklearn", "scipy", "pandas", "llama_index", "gradio"}
# Needed to answer, and not to list what there is.
MODELS = {"numpy", "onnxruntime", "openvino", "tokenizers", "chromadb"}
# Prints the modules that are loaded when the command has run, in a line of their own.
SCRIPT = "import atexit, json, sys; atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr)); "
PAPERS = [
    {"title": "How bees dance", "abstract": "Honey bees communicate the place of flowers by a waggle dance."},
    {"title": "Alpine ice", "abstract": "Glaciers in the Alps lost a third of their ice. Small glaciers shrink most."},
]


def loaded(home: Path, *arguments: str) -> set[str]:
    """Return the top-level modules that a command loads in a process of its own."""
    completed = subprocess.run(
        [sys.executable, "-c", f"{SCRIPT}from ui.cli import main; main()", "--home", str(home), *arguments],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("PAPERCHAT_")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    return {name.partition(".")[0] for name in json.loads(completed.stderr.splitlines()[-1])}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a library that was filled with the packaged model."""
    folder = tmp_path_factory.mktemp("light")
    (folder / "papers.jsonl").write_text("".join(f"{json.dumps(paper)}\n" for paper in PAPERS), encoding="utf-8")
    assert not loaded(folder / "home", "ingest", str(folder / "papers.jsonl")) & PYTORCH
    return folder / "home"


@pytest.mark.parametrize(
    "arguments",
    [
        ("ask", "How do bees communicate the place of flowers?"),
        ("ask", "How do bees communicate?", "--json", "--no-save"),
        ("search", "glaciers"),
        ("verify", "Small glaciers shrink most."),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_question_is_answered_without_pytorch(home: Path, arguments: tuple[str, ...]) -> None:
    modules = loaded(home, *arguments)
    assert not modules & HEAVY
    assert "onnxruntime" in modules
    assert "openvino" not in modules


@pytest.mark.parametrize("arguments", [("--help",), ("ask", "--help"), ("list",), ("show", "--help")])
def test_a_command_that_needs_no_model_loads_none(home: Path, arguments: tuple[str, ...]) -> None:
    assert not loaded(home, *arguments) & (HEAVY | MODELS)


def test_embedded_papers_are_taken_in_without_a_model(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="needs pyarrow: pip install 'paperchat[parquet]'")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "paperchat.toml").write_text('engine = "float32"', encoding="utf-8")  # not timed first
    (tmp_path / "papers.jsonl").write_text("".join(f"{json.dumps(paper)}\n" for paper in PAPERS), encoding="utf-8")
    arguments = ("--to", str(tmp_path / "embedded"), "--workers", "1")
    modules = loaded(tmp_path / "home", "embed", str(tmp_path / "papers.jsonl"), *arguments)
    assert not modules & (PYTORCH | {"onnxruntime", "openvino", "ray"})
    modules = loaded(tmp_path / "home", "ingest", str(tmp_path / "embedded"))
    assert not modules & (PYTORCH | {"onnxruntime", "openvino", "tokenizers", "pandas", "ray"})


def test_the_help_loads_neither_the_settings_nor_a_database(home: Path) -> None:
    assert not loaded(home, "--help") & {"pydantic", "pydantic_settings", "sqlalchemy"}


def test_the_page_starts_without_pytorch_and_what_only_an_ingest_needs() -> None:
    script = "import json, sys; import ui.page.server; print(json.dumps(sorted(sys.modules)))"
    completed = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    modules = {name.partition(".")[0] for name in json.loads(completed.stdout)}
    assert not modules & ((HEAVY | {"datasketch"}) - {"gradio", "pandas"})
