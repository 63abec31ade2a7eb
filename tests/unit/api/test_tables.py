from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from assistant.tables import reading


@pytest.fixture(autouse=True)
def every_cell_has_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "STATED_FROM", 0.0)


def fill(api: httpx.Client, **body: Any) -> Any:
    reply = api.post("/api/v1/tables", json={"columns": ["dataset", "year"], **body})
    assert reply.status_code == 200, reply.text
    return reply.json()


def events_of(text: str) -> list[tuple[str, Any]]:
    blocks = [block.split("\n") for block in text.strip().split("\n\n") if block.startswith("event:")]
    return [(lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))) for lines in blocks]


def test_a_table_has_the_documented_json(api: httpx.Client) -> None:
    table = fill(api)
    assert (table["columns"], table["total"], len(table["rows"])) == (["dataset", "year"], 3, 3)
    for row in table["rows"]:
        asked, year = row["cells"]
        passage = asked["passage"]
        assert row["paper"]["abstract"][passage["start"] : passage["end"]] == passage["text"]
        assert (asked["source"], year["source"], year["value"]) == ("abstract", "catalog", None)


def test_a_table_is_streamed_row_by_row(api: httpx.Client) -> None:
    reply = api.post("/api/v1/tables", json={"columns": ["dataset"], "stream": True, "limit": 2})
    events = events_of(reply.text)
    assert [name for name, _ in events] == ["columns", "row", "row", "done"]
    assert events[0][1] == {"columns": ["dataset"], "count": 2, "total": 3}
    assert events[1][1] == fill(api, columns=["dataset"], limit=2)["rows"][0]


def test_rows_are_chosen_by_a_question_a_filter_or_ids(api: httpx.Client) -> None:
    bees = fill(api, question="How do honey bees communicate?", limit=1)["rows"][0]["paper"]["id"]
    assert fill(api, filter="waggle")["rows"][0]["paper"]["id"] == bees
    assert [row["paper"]["id"] for row in fill(api, ids=[bees])["rows"]] == [bees]


def test_a_corrected_cell_is_kept_and_can_be_forgotten(api: httpx.Client) -> None:
    paper_id = fill(api)["rows"][0]["paper"]["id"]
    body = {"paper_id": paper_id, "column": "dataset", "value": "412 glaciers"}
    cell = api.put("/api/v1/tables/cells", json=body).json()
    assert (cell["value"], cell["source"], cell["outdated"]) == ("412 glaciers", "person", False)
    assert fill(api)["rows"][0]["cells"][0]["value"] == "412 glaciers"
    where = {"paper_id": paper_id, "column": "dataset"}
    assert api.delete("/api/v1/tables/cells", params=where).status_code == 204
    assert fill(api)["rows"][0]["cells"][0]["source"] == "abstract"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"columns": []}, "columns"),
        ({"columns": ["!!!"]}, "asks nothing"),
        ({"columns": ["a" * 10_000]}, "10,000 characters"),
        ({"columns": ["dataset"], "filter": "topic:bees"}, "topic"),
        ({"columns": ["dataset"], "filter": "bees", "question": "bees?"}, "several"),
        ({"columns": ["dataset"], "limit": 10_001}, "limit"),
        ({"columns": ["dataset"], "rows": 3}, "rows"),
    ],
)
def test_a_bad_table_is_refused_with_the_reason(api: httpx.Client, body: dict[str, Any], problem: str) -> None:
    reply = api.post("/api/v1/tables", json=body)
    assert reply.status_code in (400, 422)
    assert problem in reply.text


def test_a_bad_table_is_refused_before_a_stream_begins(api: httpx.Client) -> None:
    assert api.post("/api/v1/tables", json={"columns": ["?"], "stream": True}).status_code in (400, 422)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"paper_id": "nothing", "column": "dataset", "value": "x"}, 404),
        ({"paper_id": "", "column": "dataset", "value": "x"}, 404),
        ({"paper_id": "nothing", "column": "year", "value": "1999"}, 422),
        ({"paper_id": "nothing", "column": "dataset", "value": "x" * 3000}, 422),
        ({"paper_id": "nothing", "column": "dataset", "value": "  "}, 422),
    ],
)
def test_a_bad_correction_is_refused(api: httpx.Client, body: dict[str, Any], status: int) -> None:
    reply = api.put("/api/v1/tables/cells", json=body)
    assert reply.status_code in (status, 400), reply.text
