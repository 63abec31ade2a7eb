"""A directory with a library and files, in which the commands of the documentation are run as they stand there."""

from __future__ import annotations

import gzip
import json
import re
import shlex
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.conftest import ROOT, SEEDS, Run

# The address that pages name, in place of which a free port of this machine is used.
DOCUMENTED_ADDRESS = "http://127.0.0.1:7860"
# The conversation that pages name.
DOCUMENTED_CONVERSATION = "040ef6bc62c5"
PASSWORD = "correct horse battery"  # noqa: S105 - of a user who exists in a test
# What is typed where a command asks.
_TYPED = {"chat": "Does warmup help Adam?\n\n", "restore": "y\n"}
_DRAFT = "Warmup stabilizes the training of Adam{citation}. Larger models are better calibrated.\n"
_LATEX = "\\documentclass{{article}}\n\\begin{{document}}\n{}\n\\end{{document}}\n"
Runner = Callable[..., Run]


@dataclass(frozen=True, slots=True)
class Workspace:
    """The working directory of the commands, and how each program is run in it."""

    folder: Path
    programs: Mapping[str, Runner]
    monkeypatch: pytest.MonkeyPatch

    def run(self, line: str) -> list[Run]:
        """Run a line of a page: variables, commands, pipes, and `>` to a file. Return what each command did."""
        runs: list[Run] = []
        with self.monkeypatch.context() as variables:
            for part in _split(words_of(line), "|"):
                words, target = _redirected(part)
                words = self._set_variables(words, variables)
                runs += [self._run(words, runs[-1].out if runs else "")] if words else []
                if target:
                    (self.folder / target).write_text(runs[-1].out, encoding="utf-8")
        return runs

    def _set_variables(self, words: list[str], line: pytest.MonkeyPatch) -> list[str]:
        """Set the variables before a command, for its line or, with `export`, for the page; return the command."""
        variables = self.monkeypatch if words[0] == "export" else line
        words = words[words[0] == "export" :]
        while words and "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            variables.setenv(name, value)
        return words

    def _run(self, words: list[str], piped: str) -> Run:
        program, *arguments = words
        if program == "python":
            program, arguments = " ".join(words[:3]), words[3:]
        typed = "".join(_TYPED.get(argument, "") for argument in arguments)
        return self.programs[program](*arguments, stdin=piped or typed)


def words_of(line: str) -> list[str]:
    """Return the words of a line without the comment at its end. Within a word, as in `ID#2`, # begins none."""
    return shlex.split(re.sub(r"\s# .*$", "", line))


def _split(words: list[str], separator: str) -> Iterator[list[str]]:
    """Yield the words between separators."""
    part: list[str] = []
    for word in words:
        if word == separator:
            yield part
            part = []
        else:
            part.append(word)
    yield part


def _redirected(words: list[str]) -> tuple[list[str], str | None]:
    """Return the words of a command, and the file that its output goes to."""
    return (words[:-2], words[-1]) if words[-2:-1] == [">"] else (words, None)


def fill(folder: Path, bibliography: str) -> None:
    """Write the files that pages name; those in BibTeX have this bibliography."""
    (folder / "seeds").symlink_to(SEEDS)
    (folder / "exports").mkdir()
    shutil.copy(ROOT / "tests" / "formats" / "export.ris", folder / "exports")
    for name in ("papers.bib", "refs.bib", "ice.bib", "old-export.bib"):
        (folder / name).write_text(bibliography, encoding="utf-8")
    (folder / "more.jsonl.gz").write_bytes(gzip.compress((ROOT / "tests/formats/arxiv_snapshot.jsonl").read_bytes()))
    _write_lines(folder / "questions.jsonl", {"id": 1, "question": "Does warmup help Adam?"})
    _write_lines(folder / "claims.jsonl", {"id": 1, "claim": "Warmup stabilizes the training of Adam."})
    key = bibliography.partition("{")[2].partition(",")[0]
    cited = _DRAFT.format(citation=rf" \cite{{{key}}}")
    (folder / "draft.tex").write_text(_LATEX.format(cited), encoding="utf-8")
    (folder / "draft.md").write_text(_DRAFT.format(citation=f" [@{key}]"), encoding="utf-8")


def _write_lines(file: Path, *values: Mapping[str, Any]) -> None:
    file.write_text("".join(f"{json.dumps(value)}\n" for value in values), encoding="utf-8")


@contextmanager
def conversation_id(name: str) -> Iterator[None]:
    """Give conversations that begin meanwhile this id."""
    with patch("assistant.storage.conversations.secrets.token_hex", lambda _: name):
        yield


def curl(address: str) -> Runner:
    """Return a function that runs curl on a server in place of the one that pages name."""

    def run(*arguments: str, stdin: str = "") -> Run:
        sent = [argument.replace(DOCUMENTED_ADDRESS, address) for argument in arguments]
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--fail", *sent],  # noqa: S607 - the curl of the machine
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return Run(done.returncode, done.stdout, done.stderr)

    return run


class _Registry(BaseHTTPRequestHandler):
    """Answers like arXiv and a registrar of DOIs, about papers of any id, and serves a file of papers."""

    def do_GET(self) -> None:
        """Send the papers that are asked for."""
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/api/query":
            body = _atom(asked.get("id_list", "2101.00001").split(","))
        else:
            item = {
                "DOI": url.path[1:],
                "title": "On dances",
                "abstract": "Bees dance to find flowers.",
                "type": "article",
            }
            body = json.dumps(item)
        self.send_response(200)
        self.send_header("Content-Type", "application/atom+xml" if body.startswith("<") else "application/json")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


def _atom(ids: list[str]) -> str:
    entries = "".join(
        f"<entry><id>http://arxiv.org/abs/{arxiv_id}v1</id><title>Paper {arxiv_id}</title>"
        f"<published>2017-06-12T17:57:34Z</published><summary>Bees dance in {arxiv_id} ways.</summary></entry>"
        for arxiv_id in ids
    )
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Query</title>{entries}</feed>'


@contextmanager
def registry() -> Iterator[int]:
    """Run a server that answers like arXiv and a registrar of DOIs; yield its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Registry) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
