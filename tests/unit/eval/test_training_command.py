"""The trainings as commands: options are parsed, and wrong data end them with one line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import pytest
import typer

from eval.training import command
from eval.training.examples import read_annotated


def read(data: Annotated[Path, typer.Option()]) -> None:
    """Read the annotated abstracts of a folder."""
    read_annotated(data)


def test_data_that_cannot_be_read_end_a_training_with_one_line_that_names_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", ["train", "--data", str(tmp_path)])
    with pytest.raises(SystemExit, match=r"^training: .*annotated\.jsonl\.gz: cannot be read") as ended:
        command.run(read)
    assert "\n" not in str(ended.value)
