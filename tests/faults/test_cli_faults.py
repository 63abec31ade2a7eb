"""The command line when something is broken: one line that says what and how to cure it, or carrying on."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from assistant import factory
from assistant.settings import Settings
from tests.conftest import BEES, ROOT, Paperchat, Run
from tests.fakes import ScriptedLLM
from tests.libraries import lock


def assert_one_line(done: Run, *parts: str) -> None:
    """An error of paperchat's: one printable line on standard error, nothing on standard output, exit code 1."""
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("paperchat: ")
    assert done.err.endswith("\n")
    assert done.err[:-1].isprintable()
    assert [part for part in parts if part not in done.err] == []


def verbs(papers_file: Path) -> list[tuple[object, ...]]:
    return [("ingest", papers_file), ("search", BEES), ("ask", BEES), ("verify", BEES), ("delete", "0"), ("reindex",)]


READING = [("list",), ("show", "0")]


# A library that cannot serve


def test_a_home_that_is_a_file_is_one_line(paperchat: Paperchat, papers_file: Path) -> None:
    for verb in [*verbs(papers_file), *READING]:
        assert_one_line(paperchat("--home", papers_file, *verb), str(papers_file))


def test_a_catalog_that_is_no_database_is_one_line(filled: Paperchat, papers_file: Path, settings: Settings) -> None:
    for suffix in ("", "-wal", "-shm"):
        (settings.home / f"catalog.db{suffix}").unlink(missing_ok=True)
    (settings.home / "catalog.db").write_bytes(b"this is no database" * 100)
    for verb in [*verbs(papers_file), *READING]:
        assert_one_line(filled(*verb), "catalog.db", "cannot be opened")


def test_a_damaged_lexicon_is_one_line_with_the_cure_that_works(filled: Paperchat, settings: Settings) -> None:
    (settings.home / factory.LEXICON_FOLDER / "meta.json").write_text("{", encoding="utf-8")
    assert_one_line(filled("search", BEES), "lexicon", "paperchat reindex")
    assert len(filled("list").out.splitlines()) == 3, "reading the catalog needs no index"
    assert filled("reindex").out == "3 papers indexed.\n"
    assert "waggle dance" in filled("ask", BEES).out


def test_a_damaged_store_is_one_line_with_the_cure_that_works(filled: Paperchat, settings: Settings) -> None:
    for file in (settings.home / factory.STORE_FOLDER).rglob("*"):
        if file.is_file():
            file.write_bytes(b"this is no database" * 100)
    assert_one_line(filled("search", BEES), "store", "paperchat reindex")
    assert filled("reindex").out == "3 papers indexed.\n"
    assert "waggle dance" in filled("ask", BEES).out


def lose(table: str, settings: Settings) -> None:
    with closing(sqlite3.connect(settings.home / factory.STORE_FOLDER / "chroma.sqlite3")) as database, database:
        database.execute(f"DROP TABLE {table}")


def test_a_store_damaged_within_is_one_line_with_the_cure_that_works(filled: Paperchat, settings: Settings) -> None:
    lose("embeddings", settings)
    for verb in ("search", "ask"):
        assert_one_line(filled(verb, BEES), "store", "cannot be read", "paperchat reindex")
    assert filled("reindex").out == "3 papers indexed.\n"
    assert "waggle dance" in filled("ask", BEES).out


def test_a_store_that_lost_the_fields_of_its_chunks_still_finds_papers_and_takes_more_after_a_reindex(
    filled: Paperchat, settings: Settings, tmp_path: Path
) -> None:
    lose("embedding_metadata", settings)
    assert "waggle dance" in filled("ask", BEES).out
    more = tmp_path / "more.txt"
    more.write_text("Abstract: Ice floats on water because it is light.", encoding="utf-8")
    assert_one_line(filled("ingest", more), "store", "cannot be written")
    assert filled("reindex").out == "4 papers indexed.\n"
    assert filled("ingest", more).code == 0


@pytest.mark.parametrize("index", [factory.STORE_FOLDER, factory.LEXICON_FOLDER])
def test_an_index_that_was_deleted_is_one_line_with_the_cure_that_works(
    filled: Paperchat, settings: Settings, index: str
) -> None:
    shutil.rmtree(settings.home / index)
    assert_one_line(filled("ask", BEES), "paperchat reindex")
    assert filled("reindex").out == "3 papers indexed.\n"
    assert "waggle dance" in filled("ask", BEES).out


def test_while_another_writes_the_library_can_be_read_and_writing_is_refused_in_one_line(
    filled: Paperchat, papers_file: Path, settings: Settings
) -> None:
    with lock(settings.home):
        for verb in (("ingest", papers_file), ("delete", filled("list").out.split()[0]), ("reindex",)):
            assert_one_line(filled(*verb), "another process is writing", "try again")
        assert "waggle dance" in filled("ask", BEES).out
    assert filled("ingest", papers_file).code == 0


# Batches


def replies(done: Run) -> list[Any]:
    return [json.loads(line) for line in done.out.splitlines()]


@pytest.mark.parametrize(
    "bad",
    [
        "[" * 100_000,
        '{"id": 1, "question": "cut off',
        '{"question": ' + "9" * 5000 + "}",
        "\0",
        '{"questions": {}}',
        "null",
        '"text"',
    ],
)
def test_a_line_that_is_no_request_does_not_stop_a_batch(filled: Paperchat, bad: str) -> None:
    done = filled("ask", "--batch", "-", stdin=f"{bad}\n{json.dumps({'id': 2, 'question': BEES})}\n")
    first, second = replies(done)
    assert done.code == 1
    assert first["error"].startswith("line 1: ")
    assert second["id"] == 2
    assert second["answered"]


def test_a_line_that_is_not_utf_8_is_read_as_well_as_it_can_be(filled: Paperchat, tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_bytes(b'{"id": 1, "question": "caf\xe9 bees"}\n' + json.dumps({"id": 2, "question": BEES}).encode())
    done = filled("ask", "--batch", file)
    assert done.code == 0
    assert [reply["id"] for reply in replies(done)] == [1, 2]


@pytest.mark.parametrize("verb", ["ask", "search"])
@pytest.mark.parametrize(
    "request_line", ['{"id": 1, "question": "bees \\ud83d"}', '{"id": "\\ud83d", "question": "bees"}']
)
def test_half_a_character_does_not_stop_a_batch(filled: Paperchat, verb: str, request_line: str) -> None:
    done = filled(verb, "--batch", "-", stdin=f"{request_line}\n{json.dumps({'id': 2, 'question': BEES})}\n")
    assert (done.code, done.err) == (0, "")
    assert [reply["id"] for reply in replies(done)] == [json.loads(request_line)["id"], 2]


def test_where_a_model_fails_the_abstracts_are_quoted_and_the_answer_says_why(
    filled: Paperchat, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ScriptedLLM("Bees dance", " [1].", fails_after=1)
    monkeypatch.setattr(factory, "open_llm", lambda _: model)
    monkeypatch.setenv("PAPERCHAT_TENTATIVE_THRESHOLD", "0")
    asked = "".join(json.dumps({"id": number, "question": BEES}) + "\n" for number in range(3))
    done = filled("ask", "--batch", "-", stdin=asked)
    assert done.code == 0
    withdrawn = {"text": "Bees dance", "reason": "the scripted model broke off", "failed": True}
    assert [reply["withdrawn"] for reply in replies(done)] == [withdrawn] * 3
    assert "(the scripted model broke off; the abstracts are quoted instead)" in filled("ask", BEES).out


# Names and streams


@pytest.mark.parametrize("name", ["two\nlines.jsonl", "\x1b[31mred.jsonl", "carriage\rreturn.jsonl"])
def test_a_name_that_could_command_a_terminal_is_shown_in_one_plain_line(paperchat: Paperchat, name: str) -> None:
    assert_one_line(paperchat("ask", "--batch", name), "cannot be read")


def test_a_file_whose_name_has_a_line_break_is_reported_in_one_line(paperchat: Paperchat) -> None:
    done = paperchat("ingest", "no\nsuch")
    assert done.code == 1
    assert len(done.err.splitlines()) == 1


def command(*arguments: str, home: Path, out: int = subprocess.PIPE, **variables: str) -> subprocess.Popen[bytes]:
    """The command in a process of its own, for what needs no embedder."""
    environment = os.environ | {"PAPERCHAT_HOME": str(home)} | variables
    line = [sys.executable, "-m", "ui.cli", *arguments]
    return subprocess.Popen(line, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.PIPE)


@pytest.mark.usefixtures("filled")
def test_a_reader_that_goes_away_is_no_error_message(settings: Settings) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with command("list", "--json", home=settings.home, out=writing) as process:
        os.close(writing)
        _, complaint = process.communicate()
    assert complaint == b""


@pytest.mark.parametrize("verb", [("list",), ("list", "--json")])
def test_a_stream_of_another_encoding_gets_every_paper(
    paperchat: Paperchat, papers_file: Path, settings: Settings, verb: tuple[str, ...]
) -> None:
    papers_file.write_text("Abstract: ∇·E = ρ/ε₀ holds everywhere. " + "We measure it. " * 20, encoding="utf-8")
    assert paperchat("ingest", papers_file).code == 0
    with command(*verb, home=settings.home, PYTHONIOENCODING="cp1252", PYTHONUTF8="0") as process:
        out, complaint = process.communicate()
    assert (process.returncode, complaint) == (0, b"")
    assert "∇·E = ρ/ε₀" in (json.loads(out)[0]["abstract"] if "--json" in verb else out.decode())
