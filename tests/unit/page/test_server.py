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


class Unstarted:
    """A page whose server does not come up within gradio's five seconds, which gradio blames on the port."""

    def queue(self, **_: object) -> Unstarted:
        return self

    def launch(self, **_: object) -> None:
        raise OSError("Cannot find empty port in range: 45351-45351.")


def test_a_page_that_does_not_start_in_time_says_so_and_not_only_that_no_port_is_free(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "build", lambda _: Unstarted())
    with pytest.raises(SettingsError, match="within five seconds"):
        server.start(settings.model_copy(update={"port": 0}), Future[Assistant]())
