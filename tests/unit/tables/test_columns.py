from __future__ import annotations

import pytest

from assistant.errors import InputError
from assistant.schema import Paper
from assistant.tables.columns import MAX_COLUMNS, parse_column, parse_columns

PAPER = Paper("a", "Bees dance.", "On bees", ("Ann Lin", "Bo Ray"), 2020, "Nature", "10.1/x", "2001.00001")


def test_a_topic_becomes_a_question_and_a_question_stays_one() -> None:
    assert parse_column("dataset").question == "What is the dataset?"
    assert parse_column("How many bees took part?").question == "How many bees took part?"
    assert parse_column("how many bees took part").question == "how many bees took part?"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Year", "2020"),
        ("authors", "Ann Lin, Bo Ray"),
        ("Author", "Ann Lin, Bo Ray"),
        ("venue", "Nature"),
        ("DOI", "10.1/x"),
        ("arXiv id", "2001.00001"),
        ("title", "On bees"),
    ],
)
def test_a_field_of_the_catalog_is_taken_from_it_and_never_asked(name: str, value: str) -> None:
    column = parse_column(name)
    assert (column.question, column.recorded(PAPER)) == ("", value)


def test_a_field_that_is_not_recorded_has_no_value() -> None:
    assert parse_column("year").recorded(Paper("a", "Bees.")) is None


@pytest.mark.parametrize("name", ["!!!", "", "   ", "42 %", "?", "\u200b"])
def test_a_column_that_asks_nothing_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="asks nothing"):
        parse_column(name)


def test_a_column_of_10_000_characters_is_refused() -> None:
    with pytest.raises(InputError, match="10,000 characters"):
        parse_column("a" * 10_000)


def test_no_columns_and_too_many_are_refused_and_repeated_ones_count_once() -> None:
    with pytest.raises(InputError, match="name at least one"):
        parse_columns([])
    with pytest.raises(InputError, match=f"at most {MAX_COLUMNS}"):
        parse_columns([f"column {number}" for number in range(MAX_COLUMNS + 1)])
    assert [column.name for column in parse_columns(["Dataset", "dataset", "year"])] == ["dataset", "year"]


def test_control_characters_of_a_column_vanish() -> None:
    assert parse_column("data\x1b[31m\nset").name == "data[31m set"
