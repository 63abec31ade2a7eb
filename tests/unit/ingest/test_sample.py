from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import InputError
from ingest import sample
from tests.conftest import SEEDS, Paperchat


def test_in_a_checkout_the_sample_library_is_the_seeds() -> None:
    assert sample.sample_folder() == SEEDS


def test_an_installation_without_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sample, "_FOLDERS", (tmp_path / "seeds",))
    with pytest.raises(InputError, match="reinstall paperchat"):
        sample.sample_folder()


def test_one_command_adds_it_and_the_same_command_again_adds_nothing(paperchat: Paperchat) -> None:
    first, again = paperchat("ingest", "--sample"), paperchat("ingest", "--sample")
    assert first.code == again.code == 0
    assert "278 papers added" in first.out
    assert " 0 papers added" in again.out


def test_an_answer_about_an_empty_library_names_the_command(paperchat: Paperchat) -> None:
    assert "paperchat ingest --sample" in paperchat("ask", "Does warmup help Adam?").out
