"""The shell completes commands and options."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conftest import Paperchat

Complete = Callable[..., list[str]]


@pytest.fixture
def complete(paperchat: Paperchat, monkeypatch: pytest.MonkeyPatch) -> Complete:
    """Return a function that runs the command as bash does when the tab key is pressed behind these words."""

    def run(*words: str) -> list[str]:
        monkeypatch.setenv("_PAPERCHAT_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", " ".join(["paperchat", *words]))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        return paperchat().out.split()

    return run


def test_commands_are_completed(complete: Complete) -> None:
    assert complete("as") == ["ask"]
    assert {"create", "add", "export"} <= set(complete("collection", ""))


def test_options_are_completed(complete: Complete) -> None:
    assert complete("ask", "--strat") == ["--strategy"]


def test_the_script_for_a_shell_calls_the_command(paperchat: Paperchat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_PAPERCHAT_COMPLETE", "source_bash")
    assert "_PAPERCHAT_COMPLETE=complete_bash" in paperchat().out


def test_the_help_says_how_to_switch_it_on(paperchat: Paperchat) -> None:
    assert "--install-completion" in paperchat("--help").out
