"""A table of papers is aligned plain text that fits a line and commands no terminal."""

from __future__ import annotations

from dataclasses import replace

from assistant.schema import Answer, Cell, Heading, Paper, Row, Sentence, Strength, Table, Verdict
from ui.cli.paper_table import table_text
from ui.cli.terminal import answer_text

COLUMNS = ("Authors", "Year", "Venue")


def row(title: str, *values: str | None) -> Row:
    return Row(Paper(title[:16], "Text.", title), tuple(Cell(value) for value in values))


def test_columns_are_aligned_and_empty_ones_named_below() -> None:
    table = Table(COLUMNS, (row("On bees", "K. Frisch", "1967", None), row("On ice and snow", None, "2024", None)), 7)
    assert table_text(table).splitlines() == [
        "Paper            Authors       Year",
        "---------------  ------------  ----",
        "On bees          K. Frisch     1967",
        "On ice and snow  not recorded  2024",
        "Not recorded for any of them: Venue.",
        "These are the first 2 of 7 papers.",
    ]


def test_no_line_is_longer_than_a_hundred_characters() -> None:
    long = "word " * 80
    table = Table(COLUMNS, (row(long, long, "2024", long),), 1)
    assert max(map(len, table_text(table).splitlines())) <= 100


def test_hostile_text_stays_in_its_line() -> None:
    hostile = "\x1b[31mred\n\n$\\alpha$ \u202eleft"
    lines = answer_text(replace(ANSWER, table=Table(COLUMNS, (row(hostile, hostile, "1", None),), 1)))
    assert "\x1b" not in lines
    assert "\u202e" not in lines
    assert len(table_text(Table(COLUMNS, (row(hostile, hostile, "1", None),), 1)).splitlines()) == 4


ANSWER = Answer(
    "q",
    "q",
    Strength.FIRM,
    1.0,
    "One. [1]\nTwo. [1]",
    sentences=tuple(Sentence(text, (1,), Verdict.SUPPORTED, 1.0) for text in ("One.", "Two.")),
    opening="From the catalog: 1 paper.",
    headings=(Heading("First", 0), Heading("Second", 1)),
    table=Table(COLUMNS, (row("On bees", "K. Frisch", None, None),), 1),
)


def test_an_answer_has_its_opening_its_headings_and_its_table() -> None:
    text = answer_text(ANSWER)
    assert text.startswith("From the catalog: 1 paper.\n\nFirst\nOne. [1]\n\nSecond\nTwo. [1]\n\nPaper")


def test_headings_of_a_text_that_is_not_one_line_a_sentence_are_left_out() -> None:
    assert "First" not in answer_text(replace(ANSWER, text="One and two. [1]"))
