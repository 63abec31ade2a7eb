"""What an installation brings: nothing that no code imports, and one version that everything says."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from assistant.settings import Settings
from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RUNTIME = [canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]]


def imported_modules(*packages: str) -> Iterator[str]:
    """Yield the top-level modules that the packages import, also where a function does."""
    for file in (file for package in packages for file in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """Return the normalized names of the distributions that a user's code needs."""
    owners = packages_distributions()
    modules = set(imported_modules("assistant", "ingest", "ui"))
    return {canonicalize_name(name) for module in modules for name in owners.get(module, ())}


@pytest.mark.parametrize("name", RUNTIME)
def test_every_requirement_of_the_runtime_is_imported_by_it(name: str, imported: set[str]) -> None:
    assert name in imported


def test_every_requirement_has_a_lower_bound() -> None:
    lines = [*PROJECT["dependencies"], *(line for extra in PROJECT["optional-dependencies"].values() for line in extra)]
    unbounded = [line for line in lines if ">=" not in line and not line.startswith("paperchat[")]
    assert unbounded == []


def test_the_changelog_begins_with_the_version_of_the_project() -> None:
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert headings[0] == PROJECT["version"]


@pytest.mark.parametrize("file", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda file: file.name)
def test_workflows_run_targets_that_the_makefile_has(file: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))
    used = set(re.findall(r"run: make (\w+)", file.read_text(encoding="utf-8")))
    assert used
    assert used <= targets | {"docs"}


@pytest.mark.parametrize("file", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda file: file.name)
def test_every_action_is_pinned_to_one_commit_whose_version_is_named(file: Path) -> None:
    used = re.findall(r"uses:\s*(.+)", file.read_text(encoding="utf-8"))
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", action)] == []


def test_one_action_has_one_version_in_all_workflows() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in (ROOT / ".github" / "workflows").glob("*.yml"))
    pinned = set(re.findall(r"uses:\s*(\S+)@(\S+)", text))
    assert len({action for action, _ in pinned}) == len(pinned)


def test_the_container_copies_what_the_ignore_file_lets_in() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    assert names == {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert all((ROOT / name).exists() for name in names)


def test_the_container_runs_as_no_superuser_with_a_health_check_and_one_volume() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    users = re.findall(r"^USER (\d+)$", text, flags=re.MULTILINE)
    assert users[-1:] not in ([], ["0"])
    assert text.count("\nVOLUME ") == 1
    assert "/healthz" in text, "what restarts a container asks whether it is alive"
    assert "/readyz" in (ROOT / "compose.yaml").read_text(encoding="utf-8"), "what waits for it, whether it can answer"


def test_what_compose_runs_is_pinned_awaited_and_given_time_to_stop() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    images = [service["image"] for name, service in services.items() if name != "paperchat"]
    assert all(re.search(r":v?\d+\.\d+", image) for image in images), images
    assert all(service["restart"] == "unless-stopped" for service in services.values())
    server = services["paperchat"]
    awaited = {name for name, service in services.items() if "healthcheck" in service} - {"paperchat"}
    assert awaited == {"chroma", "postgres"}
    assert all(server["depends_on"][name] == {"condition": "service_healthy", "required": False} for name in awaited)
    assert int(server["stop_grace_period"].removesuffix("s")) > Settings.model_fields["shutdown_seconds"].default
    passed_on = {variable for variable in server["environment"] if variable.startswith("PAPERCHAT_")}
    assert passed_on <= {f"PAPERCHAT_{name}".upper() for name in Settings.model_fields}
