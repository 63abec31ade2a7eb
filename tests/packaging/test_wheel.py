"""The built wheel, installed without the extras of developers: what a user gets answers questions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import BEES, ROOT, SEEDS
from tests.packaging.environments import Environment, create

PACKAGES = ("assistant", "ingest", "ui", "eval")
DATA = [
    "assistant/generation/templates/forms.txt",
    "assistant/generation/templates/full/rules.txt",
    "assistant/generation/templates/small/example.txt",
    "assistant/py.typed",
    "eval/floors.toml",
    "eval/py.typed",
    "eval/report.html",
    "eval/suites/seeds/single.jsonl",
    "ingest/py.typed",
    "ui/export/transcript.css",
    "ui/page/page.css",
    "ui/page/page.js",
    "ui/py.typed",
]
# More papers than the fewest that a self-test needs.
SEED_FILES = [SEEDS / "000_917dde31eefbba1f.txt", SEEDS / "004_18424ad33afb765c.txt"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built as a package index would get it."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ["pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", *build, "--wheel-dir", str(folder), str(ROOT)], check=True)
    (wheel,) = folder.iterdir()
    return wheel


@pytest.fixture(scope="module")
def plain(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Return an environment with the wheel and what it requires, without extras."""
    return create(tmp_path_factory.mktemp("plain"), wheel)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs Python in an environment away from the checkout, with a home of its own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PAPERCHAT_", "PYTHON"))}

    def run_python(environment: Environment, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [environment.bin / "python", *arguments],
            cwd=tmp_path,
            env=inherited | {"HOME": str(tmp_path), "PAPERCHAT_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            check=False,
        )

    return run_python


Runner = Callable[..., subprocess.CompletedProcess[str]]


def test_the_wheel_has_each_file_of_the_packages(plain: Environment) -> None:
    expected = {
        str(file.relative_to(ROOT))
        for package in PACKAGES
        for file in (ROOT / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert expected >= set(DATA)
    assert {name for name in expected if not (plain.site_packages / name).is_file()} == set()


def test_the_wheel_carries_the_sample_library(plain: Environment) -> None:
    packed = plain.site_packages / "ingest" / "seeds"
    assert {file.name: file.read_bytes() for file in packed.iterdir()} == {
        file.name: file.read_bytes() for file in SEEDS.iterdir()
    }


def test_one_command_fills_an_installed_copy_with_the_sample_library_and_nothing_else_does(
    plain: Environment, run: Runner
) -> None:
    paperchat = str(plain.bin / "paperchat")
    assert "no paper yet" in run(plain, paperchat, "ask", BEES).stdout
    ingested = run(plain, paperchat, "ingest", "--sample")
    assert ingested.returncode == 0, ingested.stderr
    assert "278 papers added" in ingested.stdout
    asked = run(plain, paperchat, "ask", "What do papers here say about learning rate warmup?", "--json")
    assert json.loads(asked.stdout)["citations"], asked.stderr


def test_the_packages_come_from_the_wheel_and_what_developers_install_is_not_there(
    plain: Environment, run: Runner
) -> None:
    names = ", ".join(PACKAGES)
    script = f"import {names}\nprint(*(package.__file__ for package in ({names})))"
    process = run(plain, "-I", "-c", script)
    assert process.stderr == ""
    assert process.stdout.split() == [str(plain.site_packages / name / "__init__.py") for name in PACKAGES]
    for module in ("pytest", "hypothesis", "openvino", "playwright", "ir_measures", "bm25s"):
        assert "ModuleNotFoundError" in run(plain, "-I", "-c", f"import {module}").stderr, module


def test_the_version_is_the_projects(plain: Environment, run: Runner) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert run(plain, str(plain.bin / "paperchat"), "--version").stdout == f"paperchat {project['version']}\n"


def test_a_library_is_filled_and_answers_a_question_with_a_citation(
    plain: Environment, run: Runner, papers_file: Path
) -> None:
    ingested = run(plain, str(plain.bin / "paperchat"), "ingest", str(papers_file))
    assert ingested.returncode == 0, ingested.stderr
    assert "3 papers added" in ingested.stdout
    asked = run(plain, str(plain.bin / "paperchat"), "ask", BEES, "--json")
    assert asked.returncode == 0, asked.stderr
    answer = json.loads(asked.stdout)
    assert answer["answered"]
    assert answer["citations"][0]["paper"]["abstract"].startswith("Honey bees communicate")


def test_the_self_test_names_the_extra_that_it_needs(plain: Environment, run: Runner) -> None:
    process = run(plain, "-m", "eval", "selftest")
    assert process.returncode == 1
    assert process.stdout == ""
    assert process.stderr.count("\n") == 1
    assert "pip install 'paperchat[eval]'" in process.stderr


def test_with_the_extra_the_self_test_measures_the_library(
    wheel: Path, run: Runner, tmp_path_factory: pytest.TempPathFactory
) -> None:
    measuring = create(tmp_path_factory.mktemp("measuring"), wheel, "eval")
    ingested = run(measuring, str(measuring.bin / "paperchat"), "ingest", *map(str, SEED_FILES))
    assert ingested.returncode == 0, ingested.stderr
    process = run(measuring, "-m", "eval", "selftest", "--questions", "3", "--json")
    assert process.returncode == 0, process.stderr
    assert json.loads(process.stdout)
