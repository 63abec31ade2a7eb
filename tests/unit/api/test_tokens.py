"""Tokens are named and revocable, and only their hashes are stored."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assistant.errors import NotFoundError, SettingsError
from tests.conftest import Paperchat
from ui.api.tokens import Tokens
from ui.permissions import Permissions, Role


def test_a_token_is_found_by_its_secret_until_it_is_removed(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens")
    secret = tokens.add("notebook", Role.READ)
    found = tokens.find(secret)
    assert found
    assert (found.name, found.permissions) == ("notebook", Permissions(Role.READ))
    assert tokens.find(f"{secret}x") is tokens.find("") is tokens.find("x" * 10_000) is None
    tokens.remove("notebook")
    assert tokens.find(secret) is None
    with pytest.raises(NotFoundError, match="notebook"):
        tokens.remove("notebook")


def test_the_file_holds_no_secret_and_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens")
    secret = tokens.add("notebook", Role.WRITE)
    assert secret not in tokens.file.read_text()
    assert tokens.find(tokens.all()[0].digest) is None
    assert stat.S_IMODE(tokens.file.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["", "a:b", "a\nb", "x" * 65, "a b"])
def test_a_name_that_the_file_could_not_hold_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="not a valid name"):
        Tokens(tmp_path / "tokens").add(name, Role.READ)


def test_a_name_is_not_given_twice(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens")
    secret = tokens.add("notebook", Role.READ)
    with pytest.raises(SettingsError, match="already"):
        tokens.add("notebook", Role.WRITE)
    assert tokens.find(secret)


def test_tokens_that_are_made_at_once_are_all_kept(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        names = [f"n{number}" for number in range(16)]
        secrets = list(threads.map(lambda name: Tokens(tmp_path / "tokens").add(name, Role.READ), names))
    found = [Tokens(tmp_path / "tokens").find(secret) for secret in secrets]
    assert [token and token.name for token in found] == names


@pytest.mark.parametrize("content", ["nonsense", "a:admin:2026-01-01:00", "a:read:x"])
def test_a_damaged_file_is_an_error_and_not_an_open_door(tmp_path: Path, content: str) -> None:
    (tmp_path / "tokens").write_text(content)
    with pytest.raises(SettingsError, match="damaged"):
        Tokens(tmp_path / "tokens").find("x")


def test_tokens_are_made_listed_and_revoked_on_the_command_line(paperchat: Paperchat) -> None:
    secret = paperchat("token", "add", "notebook", "--scope", "write").out.strip()
    listed = paperchat("token", "list")
    assert "notebook" in listed.out
    assert secret not in listed.out
    assert paperchat("token", "list", "--json").json[0]["scope"] == "write"
    assert paperchat("token", "remove", "notebook").code == 0
    assert paperchat("token", "list").out == ""
    assert paperchat("token", "remove", "notebook").code == 1
