"""The documentation: its links, commands, settings, paths and code exist."""

from __future__ import annotations

import ast
import importlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from assistant.settings import RENAMED, Settings
from eval.__main__ import app as eval_app
from tests.conftest import ROOT
from tests.documentation.pages import DOCS, PAGES, README, blocks, named, text_of
from ui.cli.app import app

CODE_FOLDERS = "assistant|ingest|ui|eval|tests|seeds|docs"
PAPERS = """
@inproceedings{liu2020variance,
  title = {On the Variance of the Adaptive Learning Rate and Beyond},
  abstract = {The learning rate warmup heuristic stabilizes the training of Adam. We identify a problem of the adaptive
    learning rate: it has a large variance in the early stage. Warmup works as a variance reduction technique.}
}
@article{frisch1967dance,
  title = {The Dance Language of Bees},
  abstract = {Honey bees communicate the place of flowers by a waggle dance. Older bees dance longer than young ones.}
}
"""


def inline_code(text: str) -> list[str]:
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose)]


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub forms them."""
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def relative_links(text: str) -> list[str]:
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for link in relative_links(text_of(page)):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(text_of(target)), link


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    assert len(text_of(README).splitlines()) <= 150
    assert {f"docs/{page.name}" for page in DOCS.glob("*.md")} <= set(relative_links(text_of(README)))


def commands(text: str, program: str) -> Iterator[list[str]]:
    """Yield the arguments of each command of a program in the code of a page, without comments and redirections."""
    lines = [line for block in blocks(text) for line in block.code.splitlines()]
    for line in [*lines, *inline_code(text)]:
        for part in re.split(r"\s[|>]\s|[;:]\s+(?=paperchat)", line.removeprefix("$ ")):
            match = re.match(rf"(?:[A-Z_]+=\S+ )*{program}(?:\s+|$)(.*)", part)
            if match:
                yield shlex.split(re.sub(r"\[(--[^]]+)\]", r"\1", match[1]), comments=True)


def check_command(command: Any, arguments: list[str], name: str) -> None:
    """Parse a command line without running it: raise the parser's error if an option or argument is wrong."""
    if not hasattr(command, "commands"):
        command.make_context(name, list(arguments))
        return
    takes_value = {option: not part.is_flag and not part.count for part in command.params for option in part.opts}
    rest = list(arguments)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        assert option in takes_value or option == "--help", f"{name} has no option {option}"
        if takes_value.get(option):
            rest.pop(0)
    if rest:
        assert rest[0] in command.commands, f"{name} has no command {rest[0]}"
        check_command(command.commands[rest[0]], without_help(rest[1:]), f"{name} {rest[0]}")


def without_help(arguments: list[str]) -> list[str]:
    return [] if "--help" in arguments else arguments


def is_complete(arguments: list[str]) -> bool:
    """Return whether prose names more than a command: `paperchat ingest` alone is its name, not a command line."""
    return len(arguments) != 1 or arguments[0].startswith("-")


@pytest.mark.parametrize("page", PAGES, ids=named)
@pytest.mark.parametrize(("program", "group"), [("paperchat", app), (r"python -m eval", eval_app)])
def test_every_command_exists_with_its_options(page: Path, program: str, group: typer.Typer) -> None:
    command: Any = typer.main.get_command(group)
    for arguments in commands(text_of(page), program):
        if is_complete(arguments):
            check_command(command, arguments, program)
        else:
            assert arguments[0] in command.commands


def test_wrong_commands_are_noticed() -> None:
    command: Any = typer.main.get_command(app)
    for arguments in (
        ["asks", "x"],
        ["ask", "--fast", "x"],
        ["--fast", "ask"],
        ["list", "--sort", "size"],
        ["user"],
    ):
        with pytest.raises(Exception, match=r"(?i)no option|no command|no such option|invalid|missing|not one of"):
            check_command(command, arguments, "paperchat")


def test_every_command_is_documented() -> None:
    command: Any = typer.main.get_command(app)
    documented = {arguments[0] for arguments in commands(text_of(DOCS / "command-line.md"), "paperchat") if arguments}
    assert set(command.commands) <= documented


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_target_of_make_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), flags=re.MULTILINE))
    assert {arguments[0] for arguments in commands(text_of(page), "make") if arguments} <= targets


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_path_exists(page: Path) -> None:
    paths = [code for code in inline_code(text_of(page)) if re.fullmatch(rf"(?:{CODE_FOLDERS})/[\w./-]*", code)]
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_name_is_in_the_file_that_it_is_said_to_be_in(page: Path) -> None:
    prose = " ".join(text_of(page).split())
    for names, path in re.findall(rf"((?:`\w+`(?:, | or | and )?)+) in `((?:{CODE_FOLDERS})/[\w/]+\.py)`", prose):
        source = text_of(ROOT / path)
        assert [name for name in re.findall(r"\w+", names) if name not in ("or", "and") and name not in source] == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_variable_is_a_setting(page: Path) -> None:
    known = {f"PAPERCHAT_{name}".upper() for name in (*Settings.model_fields, *RENAMED)}
    assert set(re.findall(r"\bPAPERCHAT_[A-Z_]*[A-Z]\b", text_of(page))) <= known


def test_the_settings_are_listed_with_their_defaults_and_descriptions() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", text_of(DOCS / "settings.md"), flags=re.MULTILINE)
    assert rows == [
        (name, default_cell(name, field), field.description) for name, field in Settings.model_fields.items()
    ]


def default_cell(name: str, field: Any) -> str:
    return "(platform data directory)" if name == "home" else f"`{field.default}`"


def test_the_earlier_names_of_settings_are_listed() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|$", text_of(DOCS / "settings.md"), flags=re.MULTILINE)
    assert dict(rows) == RENAMED


def python_blocks(pages: Iterable[Path]) -> list[str]:
    return [block.code for page in pages for block in blocks(text_of(page), "python")]


def test_what_python_examples_import_exists() -> None:
    blocks = python_blocks(PAGES)
    assert len(blocks) >= 4
    imports = [node for block in blocks for node in ast.walk(ast.parse(block)) if isinstance(node, ast.ImportFrom)]
    for node in imports:
        module = importlib.import_module(node.module or "")
        assert all(hasattr(module, alias.name) for alias in node.names)


def test_the_first_lines_of_the_readme_fill_a_library_and_ask_it(tmp_path: Path) -> None:
    code = python_blocks([README])[0]
    assert len([line for line in code.splitlines() if line.strip()]) == 6
    assert text_of(README).splitlines().index("```python") < 15
    (tmp_path / "papers.bib").write_text(PAPERS, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PAPERCHAT_")}
    environment |= {"PYTHONPATH": str(ROOT), "PAPERCHAT_HOME": str(tmp_path / "home"), "PAPERCHAT_ENGINE": "float32"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert "stabilizes the training of Adam. [1]" in done.stdout
    assert "['On the Variance of the Adaptive Learning Rate and Beyond']" in done.stdout
    assert done.stderr == ""  # libraries were told not to show progress, and so also not to report their use
