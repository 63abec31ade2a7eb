from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import InputError
from assistant.schema import Cell, CellSource, Paper, Passage, Row, Table
from ui.export.tables import TableFormat, format_of, write_table

PAPER = Paper("ab12", "We use MNIST & 5% noise.", "A <b>title</b> | of_it", ("Ann Lin",), 2020, url="https://x.org/a")
PASSAGE = Passage("We use MNIST & 5% noise.", 0, 24)
STATED = Cell("MNIST & 5%_x", PASSAGE, 0.9, CellSource.ABSTRACT)
TABLE = Table(
    ("dataset", "year", "=1+1"),
    (Row(PAPER, (STATED, Cell(None), Cell("@SUM(A1)", None, 1.0, CellSource.PERSON))),),
    1,
)


def cells_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def test_csv_has_a_row_for_each_paper_and_the_sentences_on_request() -> None:
    heads, row = cells_of(write_table(TABLE, TableFormat.CSV))
    assert heads == ["Paper", "Id", "dataset", "year", "'=1+1"]
    assert row == ["A <b>title</b> | of_it", "ab12", "MNIST & 5%_x", "not recorded", "'@SUM(A1)"]
    heads, row = cells_of(write_table(TABLE, TableFormat.CSV, sentences=True))
    assert heads[3] == "dataset: sentence"
    assert row[3] == PASSAGE.text


@given(st.text(max_size=40))
def test_no_cell_of_csv_begins_a_formula(value: str) -> None:
    table = Table((f"a{value}",), (Row(PAPER, (Cell(value, None, 1.0, CellSource.PERSON),)),), 1)
    for row in cells_of(write_table(table, TableFormat.CSV)):
        for cell in row:
            assert not cell.lstrip().startswith(("=", "@", "\t", "\r", "＝", "＋", "－", "＠"))
            assert not cell.startswith(("+", "-")) or cell[1:2].isdigit()


@pytest.mark.parametrize("value", ["-3.5", "-3.5%", "+12"])
def test_a_plain_number_stays_one_in_csv(value: str) -> None:
    table = Table(("a",), (Row(PAPER, (Cell(value, None, 1.0, CellSource.PERSON),)),), 1)
    assert cells_of(write_table(table, TableFormat.CSV))[1][2] == value


def test_markdown_escapes_everything_and_says_what_was_corrected() -> None:
    text = write_table(TABLE, TableFormat.MARKDOWN)
    assert r"A \<b\>title\</b\> \| of\_it" in text
    assert text.splitlines()[2].count(" | ") == 3
    assert text.endswith("\\* corrected by hand\n")


def test_latex_is_a_booktabs_table_that_cites_the_bibtex_of_its_rows() -> None:
    text, bibliography = write_table(TABLE, TableFormat.LATEX), write_table(TABLE, TableFormat.BIBTEX)
    assert all(rule in text for rule in (r"\toprule", r"\midrule", r"\bottomrule"))
    assert r"MNIST \& 5\%\_x" in text
    key = text.split(r"\cite{")[1].split("}")[0]
    assert f"{{{key}," in bibliography


def test_json_is_the_documented_one() -> None:
    written = json.loads(write_table(TABLE, TableFormat.JSON))
    assert written["columns"] == list(TABLE.columns)
    first, empty, corrected = written["rows"][0]["cells"]
    assert first["passage"] == {"text": PASSAGE.text, "start": 0, "end": 24}
    assert (empty["value"], corrected["source"], first["source"]) == (None, "person", "abstract")
    assert written["rows"][0]["paper"]["id"] == "ab12"


def test_a_file_is_named_with_the_ending_of_its_format() -> None:
    assert format_of(Path("a.TEX")) is TableFormat.LATEX
    with pytest.raises(InputError, match=r"\.csv, \.md"):
        format_of(Path("table.xlsx"))
