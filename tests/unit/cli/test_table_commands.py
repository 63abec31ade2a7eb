from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from assistant.tables import reading
from tests.conftest import Paperchat


@pytest.fixture(autouse=True)
def every_cell_has_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "STATED_FROM", 0.0)


def test_a_table_is_printed_with_the_sentence_behind_each_value(filled: Paperchat) -> None:
    done = filled("table", "How many glaciers?", "year", "--filter", "glaciers")
    assert done.code == 0
    assert "year: not recorded" in done.out
    assert "How many glaciers?: " in done.out


def test_an_abstract_that_does_not_say_is_named_as_such(filled: Paperchat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "STATED_FROM", 1.1)
    assert "funding: the abstract does not say" in filled("table", "funding", "--limit", 1).out


@pytest.mark.parametrize("ending", ["csv", "md", "tex", "bib", "json"])
def test_a_table_is_written_to_a_file_of_each_format(filled: Paperchat, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"table.{ending}"
    done = filled("table", "dataset", "year", "--to", file)
    assert done.code == 0
    text = file.read_text(encoding="utf-8")
    assert {"csv": "dataset", "md": "| Paper |", "tex": r"\toprule", "bib": "@", "json": '"rows"'}[ending] in text
    assert "3 of 3 papers" in done.err
    assert not list(tmp_path.glob("*.part"))


def test_csv_with_sentences_has_them_beside_their_cells(filled: Paperchat, tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    filled("table", "dataset", "--to", file, "--sentences")
    heads, *rows = csv.reader(file.read_text(encoding="utf-8-sig").splitlines())
    assert heads[-1] == "dataset: sentence"
    assert all(row[-1] for row in rows)


def test_a_cell_is_corrected_kept_and_forgotten(filled: Paperchat) -> None:
    [paper] = filled("list", "glaciers", "--json").json
    assert filled("correct", paper["id"], "dataset", "laser scans").code == 0
    shown = filled("table", "Dataset", "--ids", paper["id"]).out
    assert "Dataset: laser scans (corrected by hand)" in shown
    assert filled("correct", paper["id"], "dataset", "--undo").out.strip() == "The correction is forgotten."
    assert "corrected by hand" not in filled("table", "dataset", "--ids", paper["id"]).out
    assert filled("correct", paper["id"], "dataset", "--nothing").code == 0
    [row] = filled("table", "dataset", "--ids", paper["id"], "--json").json["rows"]
    assert (row["cells"][0]["value"], row["cells"][0]["source"]) == (None, "person")


def test_corrections_are_part_of_a_backup(filled: Paperchat, tmp_path: Path) -> None:
    [paper] = filled("list", "glaciers", "--json").json
    filled("correct", paper["id"], "dataset", "laser scans")
    assert filled("backup", tmp_path / "library.backup").code == 0
    filled("correct", paper["id"], "dataset", "--undo")
    assert filled("restore", tmp_path / "library.backup", "--yes").code == 0
    [row] = filled("table", "dataset", "--ids", paper["id"], "--json").json["rows"]
    assert row["cells"][0]["value"] == "laser scans"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["!!!"], "asks nothing"),
        (["a" * 10_000], "10,000 characters"),
        (["dataset", "--filter", "topic:bees"], "topic"),
        (["dataset", "--ids", "nothing"], "no paper has the id"),
        (["dataset", "--filter", "bees", "--question", "bees?"], "several"),
        (["dataset", "--limit", "10001"], "10,000 rows"),
        (["dataset", "--to", "table.xlsx"], ".csv"),
        (["dataset", "--to", "missing/folder/table.csv"], "cannot be written"),
    ],
)
def test_what_cannot_be_a_table_is_refused_in_one_line(filled: Paperchat, arguments: list[str], reason: str) -> None:
    done = filled("table", *arguments)
    assert done.code == 1
    assert reason in done.err
    assert done.err.count("\n") == 1


def test_no_paper_matches_is_said(filled: Paperchat) -> None:
    assert filled("table", "dataset", "--filter", "zzqy").out.strip() == "No paper matches."
    assert json.loads(filled("table", "dataset", "--filter", "zzqy", "--json").out)["rows"] == []


def test_a_correction_needs_exactly_one_value(filled: Paperchat) -> None:
    assert filled("correct", "x", "dataset").code != 0
    assert filled("correct", "x", "dataset", "y", "--nothing").code != 0
    assert "comes from the catalog" in filled("correct", "x", "year", "1999").err
