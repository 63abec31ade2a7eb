from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import SettingsError
from ui import users
from ui.users import Users

WORDS = "correct horse battery"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "users"


def test_a_user_enters_with_their_own_password_only(file: Path) -> None:
    users.add_user(file, "ann", WORDS)
    users.add_user(file, "bob", "another password")
    known = Users(file)
    assert known.authenticate("ann", WORDS)
    assert not known.authenticate("ann", "another password")
    assert not known.authenticate("ann", "")
    assert not known.authenticate("eve", WORDS)
    assert not known.authenticate("ann", "x" * 10_000)


def test_no_password_is_in_the_file_and_only_its_owner_reads_it(file: Path) -> None:
    users.add_user(file, "ann", WORDS)
    users.add_user(file, "bob", WORDS)
    ann, bob = file.read_text().splitlines()
    assert WORDS not in file.read_text()
    assert ann.split(":")[1:] != bob.split(":")[1:]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_new_password_counts_at_once_and_the_old_one_no_longer(file: Path) -> None:
    users.add_user(file, "ann", WORDS)
    known = Users(file)
    users.add_user(file, "ann", "a wholly new one")
    assert known.authenticate("ann", "a wholly new one")
    assert not known.authenticate("ann", WORDS)


@pytest.mark.parametrize("name", ["", "a:b", "a b", "a\nb", "x" * 65])
def test_a_name_that_would_break_the_file_is_refused(file: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="not a valid name"):
        users.add_user(file, name, WORDS)
    assert not file.exists()


def test_a_short_password_is_refused(file: Path) -> None:
    with pytest.raises(SettingsError, match="10 characters"):
        users.add_user(file, "ann", "short")


def test_a_file_that_is_missing_empty_or_damaged_lets_nobody_in(file: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        Users(file)
    file.write_text("")
    with pytest.raises(SettingsError, match="holds no user"):
        Users(file)
    file.write_text("ann:plain password\n")
    with pytest.raises(SettingsError, match="damaged"):
        Users(file)
