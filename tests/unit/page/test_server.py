from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import pytest

from assistant.chat import Assistant
from assistant.errors import SettingsError
from assistant.settings import Settings
from tests.conftest import Paperchat
from ui.page import server
from ui.users import Users


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "lab.example"])  # noqa: S104
def test_nobody_else_reaches_the_page_unless_they_log_in(settings: Settings, host: str) -> None:
    with pytest.raises(SettingsError, match="PAPERCHAT_AUTH"):
        server.start(settings.model_copy(update={"host": host}), Future[Assistant]())
    assert not (settings.home / "uploads").exists()


def test_a_file_of_users_that_is_missing_is_an_error_and_not_an_open_door(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        server.start(settings.model_copy(update={"auth": tmp_path / "none"}), Future[Assistant]())


def test_a_user_is_added_on_the_command_line(
    paperchat: Paperchat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "correct horse battery")
    assert "ann may log in" in paperchat("user", tmp_path / "users", "ann").out
    assert Users(tmp_path / "users").authenticate("ann", "correct horse battery")
    refused = paperchat("user", tmp_path / "users", "a:b")
    assert refused.code == 1
    assert "not a valid name" in refused.err
