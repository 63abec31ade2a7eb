"""Every command and snippet of the documentation is run, or says why it is not."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import yaml

from assistant import factory
from assistant.chat import Assistant
from assistant.settings import Settings, load
from ingest import pipeline
from tests import loopback
from tests.conftest import ROOT, SEEDS, Paperchat, Run
from tests.documentation import workspace as workspaces
from tests.documentation.pages import PAGES, Block, blocks, named, reasons, text_of
from tests.documentation.workspace import DOCUMENTED_ADDRESS, DOCUMENTED_CONVERSATION, Workspace
from tests.fakes import WordHashEmbedder
from ui.api import server
from ui.mcp.mounting import mount_mcp

PROGRAMS = ("paperchat", "curl", "cat", "python -m eval", "export")
DOCUMENTED_PAPER = 'title:"On the Variance of the Adaptive Learning Rate"'
WITH_SHELL = [page for page in PAGES if any(block.language == "sh" for block in blocks(text_of(page)))]


def is_served(command: str) -> bool:
    """Return whether a command serves until it is interrupted: another test starts it."""
    return "paperchat serve" in command


def is_slow(command: str) -> bool:
    """Return whether a command is run by a slow test."""
    return is_served(command) or "python -m eval" in command


def runnable(page: Path) -> list[str]:
    """Return the commands of a page that are not marked as impossible to run."""
    shell = [block for block in blocks(text_of(page), "sh") if not block.reason]
    return [command for block in shell for command in block.commands()]


@pytest.fixture(scope="session")
def seeded_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a library of the seeds with the conversation that pages name; it is copied for each."""
    home = tmp_path_factory.mktemp("documented") / "home"
    with closing(factory.open_library(load(home=home), WordHashEmbedder())) as library:
        pipeline.ingest([SEEDS], library)
    return home


@pytest.fixture
def home(seeded_home: Path, paperchat: Paperchat, settings: Settings) -> Path:
    """Return the directory of a library that a page may change."""
    shutil.copytree(seeded_home, settings.home, dirs_exist_ok=True)
    with workspaces.conversation_id(DOCUMENTED_CONVERSATION):
        assert paperchat("ask", "Does warmup help Adam?").code == 0
    assert paperchat("ask", "-c", "Which optimizers need less memory?").code == 0
    return settings.home


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let commands reach servers of this machine in place of arXiv, registrars and Ollama."""
    with workspaces.registry() as port, loopback.serving() as ollama:
        ollama.models = ["llama3.2"]
        monkeypatch.setenv("PAPERCHAT_ARXIV_URL", f"http://127.0.0.1:{port}/api/query")
        monkeypatch.setenv("PAPERCHAT_DOI_URL", f"http://localhost:{port}")
        monkeypatch.setenv("OLLAMA_HOST", ollama.address)
        for name in ("OPENAI_API_BASE", "OPENAI_API_KEY"):
            monkeypatch.delenv(name, raising=False)
        yield


@pytest.fixture
def workspace(
    home: Path,
    paperchat: Paperchat,
    evaluate: Callable[..., Run],
    servers: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Workspace:
    """Return a directory with the files that pages name, a library of the seeds, and a server over another copy."""
    exported = paperchat("export", "--format", "bibtex", "--filter", DOCUMENTED_PAPER)
    workspaces.fill(tmp_path, exported.out)
    assert paperchat("ingest", "old-export.bib").code == 0
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("getpass.getpass", lambda *_: workspaces.PASSWORD)

    def run_curl(*arguments: str, stdin: str = "") -> Run:
        with api_over(home) as address:
            return workspaces.curl(address)(*arguments, stdin=stdin)

    def run_cat(*files: str, stdin: str = "") -> Run:
        return Run(0, stdin + "".join((tmp_path / file).read_text(encoding="utf-8") for file in files), "")

    def run_eval(*arguments: str, stdin: str = "") -> Run:
        return evaluate(*arguments)

    programs = {"paperchat": paperchat, "curl": run_curl, "cat": run_cat, "python -m eval": run_eval}
    return Workspace(tmp_path, programs, monkeypatch)


@contextmanager
def api_over(home: Path) -> Iterator[str]:
    """Serve the API over a library meanwhile; yield its address."""
    settings = load(home=home, port=0)
    loaded: Future[Assistant] = Future()
    loaded.set_result(factory.open_assistant(settings, factory.open_library(settings, WordHashEmbedder())))
    with closing(server.start(settings, loaded, mount_mcp)) as served:
        yield served.address


def check_runs(workspace: Workspace, commands: list[str]) -> None:
    for command in commands:
        for run in workspace.run(command):
            assert run.code == 0, f"{command}: {run.err or run.out}"
            assert "Traceback" not in run.err


@pytest.mark.parametrize("page", WITH_SHELL, ids=named)
def test_the_commands_of_a_page_run(page: Path, workspace: Workspace) -> None:
    check_runs(workspace, [command for command in runnable(page) if not is_slow(command)])


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in WITH_SHELL if any(map(is_served, runnable(page)))], ids=named)
def test_the_servers_of_a_page_start(page: Path, workspace: Workspace, home: Path) -> None:
    """Start them over an empty library, with the tokens and users that the page has made before."""
    empty = home.with_name("empty")
    empty.mkdir()
    workspace.monkeypatch.setenv("PAPERCHAT_HOME", str(empty))
    workspace.monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for command in runnable(page):
        if not is_served(command):
            check_runs(workspace, [command] if command.split()[1] in ("token", "user") or "export" in command else [])
            continue
        words = workspaces.words_of(command)
        variables = dict(word.split("=", 1) for word in words[: words.index("paperchat")])
        arguments = words[words.index("paperchat") + 1 :]
        with subprocess.Popen(
            [sys.executable, "-m", "ui.cli", *arguments],
            env=os.environ | variables,
            stdout=subprocess.PIPE,
            text=True,
        ) as serving:
            assert serving.stdout
            announced = serving.stdout.readline()
            serving.kill()
        assert "http://" in announced, command


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in WITH_SHELL if "python -m eval" in str(runnable(page))], ids=named)
def test_the_evaluations_of_a_page_run(page: Path, workspace: Workspace) -> None:
    check_runs(workspace, [command for command in runnable(page) if "python -m eval" in command])


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if any(blocks(text_of(page), "console"))], ids=named)
def test_the_output_that_a_page_shows_is_what_the_seeds_give(page: Path, tmp_path: Path) -> None:
    environment = os.environ | {"PAPERCHAT_HOME": str(tmp_path), "PAPERCHAT_ENGINE": "float32", "PYTHONPATH": str(ROOT)}

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "ui.cli", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    run("ingest", str(SEEDS))
    for block in blocks(text_of(page), "console"):
        command, _, shown = block.code.removeprefix("$ ").partition("\n")
        assert run(*workspaces.words_of(command)[1:]).split() == shown.split()


@pytest.mark.parametrize("page", [page for page in PAGES if any(blocks(text_of(page), "python"))], ids=named)
def test_the_python_of_a_page_runs(page: Path, workspace: Workspace, home: Path) -> None:
    with api_over(home) as address:
        for block in blocks(text_of(page), "python"):
            if not block.reason:
                exec(compile(block.code.replace(DOCUMENTED_ADDRESS, address), named(page), "exec"), {})  # noqa: S102


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_the_data_of_a_page_is_well_formed(page: Path) -> None:
    for block in blocks(text_of(page)):
        if block.language == "json":
            assert all(map(json.loads, block.code.splitlines()))
        elif block.language == "toml":
            assert tomllib.loads(block.code)
        elif block.language == "yaml":
            assert yaml.safe_load(block.code)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_nothing_is_skipped_without_a_reason(page: Path) -> None:
    text = text_of(page)
    found = list(blocks(text))
    assert [block.reason for block in found if block.reason] == reasons(text)  # each stands before a block
    assert all(len(reason.split()) >= 2 for reason in reasons(text))
    assert {block.language for block in found} <= {"", "sh", "console", "python", "json", "toml", "yaml"}
    for block in found:
        if block.language == "":
            assert [line for line in block.commands() if program_of(line)] == [], (
                "a diagram or output: write sh before it"
            )
    assert [command for command in runnable(page) if not program_of(command)] == []


def program_of(command: str) -> str | None:
    """Return the program that a command runs, of those that the tests run."""
    words = command.split()
    while words and re.fullmatch(r"[A-Z_]+=\S+", words[0]):
        words.pop(0)
    return next((program for program in PROGRAMS if words[: len(program.split())] == program.split()), None)


def test_a_command_that_nobody_runs_is_noticed() -> None:
    page = "```sh\nPAPERCHAT_LOG=info paperchat ask x\nmake chat\n```\n"
    (block,) = blocks(page)
    assert [program_of(command) for command in block.commands()] == ["paperchat", None]


def test_a_reason_belongs_to_the_block_below_it() -> None:
    page = "<!-- not run: needs a key -->\n```sh\nother\n```\n\n```sh\nmore \\\n  words\n\n# a remark\n```\n"
    assert list(blocks(page)) == [
        Block("sh", "other\n", "needs a key"),
        Block("sh", "more \\\n  words\n\n# a remark\n", None),
    ]
    assert [block.commands() for block in blocks(page)] == [["other"], ["more    words"]]
