from __future__ import annotations

import pytest

from assistant.schema import Query
from assistant.tables.request import TableRequest, read_request


def read(text: str) -> TableRequest | None:
    return read_request(Query(text, text))


def names(request: TableRequest | None) -> list[str]:
    return [column.name for column in request.columns] if request else []


@pytest.mark.parametrize(
    ("message", "columns", "topic"),
    [
        ("compare these in a table: metric, dataset, main result", ["metric", "dataset", "main result"], ""),
        (
            "make a table of dataset, metric and main result for the papers about speculative decoding",
            ["dataset", "metric", "main result"],
            "speculative decoding",
        ),
    ],
)
def test_a_request_for_a_table_names_columns_and_topic(message: str, columns: list[str], topic: str) -> None:
    request = read(message)
    assert names(request) == columns
    assert request is not None
    assert request.topic == topic


def test_a_request_without_columns_has_the_usual_ones() -> None:
    assert names(read("compare these papers in a table")) == ["method", "dataset", "main result"]


@pytest.mark.parametrize(
    "message",
    [
        "Which methods work best for tabular data?",
        "What does table 2 of the paper show?",
        "Compare the papers on speculative decoding",
        "How are tables understood by language models?",
        "",
        "???",
        "🙂 | | |",
    ],
)
def test_other_messages_ask_for_no_table(message: str) -> None:
    assert read(message) is None


def test_a_field_of_the_catalog_is_a_column_that_is_not_read() -> None:
    request = read("compare these in a table by year and method")
    assert request is not None
    assert [column.field for column in request.columns] == ["year", ""]


def test_at_most_twenty_columns_are_read_each_once() -> None:
    listed = ", ".join(["dataset", "Dataset", *(f"score {number}" for number in range(25))])
    assert len(names(read(f"compare these in a table: {listed}"))) <= 20
