"""The log: silent by default, on standard error where it is asked for, and without the text of questions."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from assistant import factory
from assistant.chat import Assistant
from assistant.errors import SettingsError
from assistant.retry import Backoff, retrying
from assistant.settings import Settings, load
from tests.conftest import Paperchat
from tests.fakes import ScriptedLLM
from ui import logs
from ui.page.asking import ask
from ui.page.backend import PageBackend
from ui.page.page_context import PageContext

QUESTION = "Which glaciers shrink the fastest?"
LINE = re.compile(r"\d{4}-\d\d-\d\d [\d:,]+ (DEBUG|INFO) (assistant|ingest|ui)\.[\w.]+: .+")
MakeAssistant = Callable[..., Assistant]


@pytest.fixture(autouse=True)
def _silent_afterwards() -> Iterator[None]:
    yield
    logs.configure(None)


def lines(text: str) -> list[str]:
    """The lines of a log, each of which must be one of ours."""
    found = text.splitlines()
    assert all(map(LINE.fullmatch, found)), found
    return found


def questions(text: str) -> list[dict[str, str]]:
    """The lines of a log that are about a question, by their names."""
    told = [line for line in lines(text) if ": question id=" in line]
    return [dict(re.findall(r"(\w+)=(\S+)", line)) for line in told]


def test_nothing_is_logged_unless_asked_for(filled: Paperchat, papers_file: Path) -> None:
    assert filled("ask", QUESTION).err == filled("ingest", papers_file).err == filled("search", QUESTION).err == ""


def test_the_packages_are_silent_in_other_programs(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    for package in logs.PACKAGES:
        logging.getLogger(f"{package}.anything").error("not shown")
        assert any(isinstance(handler, logging.NullHandler) for handler in logging.getLogger(package).handlers)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("option", ["-v", "--verbose", "-vv"])
def test_a_question_is_logged_with_its_id_its_outcome_and_its_timings(filled: Paperchat, option: str) -> None:
    done = filled(option, "ask", QUESTION)
    [told] = questions(done.err)
    [conversation] = filled("conversations", "--json").json
    assert told["id"].startswith(f"{conversation['id']}-")
    assert (told["outcome"], told["model"]) == ("firm", "extractive")
    assert int(told["citations"]) >= 1
    assert int(told["total_ms"]) >= int(told["retrieve_ms"]) >= 0
    assert "glaciers" not in done.err.lower()


def test_the_variable_says_the_level_as_well(
    filled: Paperchat, papers_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERCHAT_LOG", "info")
    assert filled("ingest", papers_file).err == ""
    monkeypatch.setenv("PAPERCHAT_LOG", "debug")
    told = "\n".join(lines(filled("ingest", papers_file).err))
    assert f"reading {papers_file}" in told
    assert "3 of them unchanged" in told
    assert "glaciers" not in filled("ask", QUESTION).err.lower()
    monkeypatch.setenv("PAPERCHAT_LOG", "loud")
    with pytest.raises(SettingsError, match="PAPERCHAT_LOG"):
        load()


def test_the_text_is_logged_only_where_that_is_asked_for(filled: Paperchat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAPERCHAT_LOG_QUESTIONS", "true")
    assert filled("ask", QUESTION).err == ""
    [line] = lines(filled("-v", "ask", f"{QUESTION}\nINFO ui.logs: forged \x1b[2J").err)
    assert f"question='{QUESTION}" in line


def test_a_question_that_fails_is_logged_without_the_message_that_quotes_it(filled: Paperchat) -> None:
    done = filled("-v", "ask", "auther:glacier")
    logged, told = done.err.splitlines()
    [facts] = questions(logged)
    assert (facts["id"], facts["outcome"]) == ("unsaved", "failed:InputError")
    assert "auther" not in logged
    assert "auther" in told


def test_another_command_without_the_option_is_silent_again(filled: Paperchat) -> None:
    assert len(questions(filled("-v", "ask", QUESTION).err)) == 1
    assert len(questions(filled("-v", "ask", QUESTION).err)) == 1, "one handler, however often it is configured"
    assert filled("ask", QUESTION).err == ""


def test_no_other_library_becomes_noisy(capsys: pytest.CaptureFixture[str]) -> None:
    before = {name: logging.getLogger(name).getEffectiveLevel() for name in ("httpx", "gradio", "chromadb", "urllib3")}
    handlers = list(logging.root.handlers)
    logs.configure("debug")
    assert logging.root.handlers == handlers
    assert {name: logging.getLogger(name).getEffectiveLevel() for name in before} == before
    logging.getLogger("httpx").info("GET https://example.org")
    assert capsys.readouterr().err == ""


def test_a_retry_is_logged_without_the_message_of_the_error(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("debug")

    def fail() -> None:
        raise OSError(QUESTION)

    with pytest.raises(OSError, match="glaciers"):
        retrying(Backoff(attempts=2, pause=0.5), lambda _: True, sleep=lambda _: None)(fail)
    [line] = lines(capsys.readouterr().err)
    assert line.endswith("attempt 1 failed with OSError; the next follows in 0.5 s")


# The page


@pytest.fixture
def page(make_assistant: MakeAssistant) -> Iterator[Callable[..., PageContext]]:
    """Opens a page over the library of the three papers."""
    opened: list[PageBackend] = []

    def open_page(llm: Any = None, **changes: Any) -> PageContext:
        assistant = make_assistant(llm)
        loaded: Future[Assistant] = Future()
        loaded.set_result(assistant)
        opened.append(PageBackend(assistant.settings.model_copy(update=changes), loaded))
        return PageContext(opened[-1], "")

    yield open_page
    for backend in opened:
        backend.close()


@pytest.mark.parametrize("level", ["info", "debug"])
def test_the_page_logs_one_line_a_question(
    page: Callable[..., PageContext], level: str, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = page()
    list(ask(desk, QUESTION))
    assert capsys.readouterr().err == ""
    logs.configure(level)
    for question in (QUESTION, "auther:nonsense", "?"):
        list(ask(desk, question))
    with closing(ask(desk, QUESTION)) as stopped:
        while not (update := next(stopped)).conversation or not update.conversation.pending:
            pass
    told = capsys.readouterr().err
    answered, failed, blank, broken_off = questions(told)
    assert (answered["outcome"], int(answered["citations"]) >= 1) == ("firm", True)
    assert re.fullmatch(r"\w+-\d+", answered["id"])
    assert (failed["id"], failed["outcome"]) == ("unsaved", "failed:InputError")
    assert (blank["outcome"], blank["citations"]) == ("none", "0")
    assert (broken_off["id"], broken_off["outcome"]) == ("unsaved", "stopped")
    assert "glaciers" not in told.lower()
    assert "nonsense" not in told


def test_the_page_logs_the_text_of_a_question_where_that_is_asked_for(
    page: Callable[..., PageContext], capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("info")
    list(ask(page(ScriptedLLM("Small glaciers shrink the fastest [1]."), log_questions=True), QUESTION))
    [line] = lines(capsys.readouterr().err)
    assert f"question={QUESTION!r}" in line
    assert factory.EXTRACTIVE not in line
