"""Tables that a chat is asked for, over the real stores."""

from __future__ import annotations

import pytest

from assistant.chat import Assistant
from assistant.schema import Answer, CellSource, Scope, Strength, Turn
from assistant.serialization import answer_from_json, answer_json
from assistant.tables import reading
from ui.cli.terminal import answer_text

ASKED = "compare these in a table: method, main result, year"


@pytest.fixture(autouse=True)
def every_cell_has_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "STATED_FROM", 0.0)


def ids(assistant: Assistant, count: int) -> tuple[str, ...]:
    return tuple(
        sorted(assistant.library.catalog.papers.present_ids([p.id for p in assistant.library.catalog.papers.all()]))
    )[:count]


def assert_cites_its_cells(answer: Answer) -> None:
    assert answer.table is not None
    passages = {citation.paper.id: citation.passages for citation in answer.citations}
    for row in answer.table.rows:
        for cell in row.cells:
            if cell.source is not CellSource.CATALOG and cell.passage:
                start, end = cell.passage.start, cell.passage.end
                assert row.paper.abstract[start:end] == cell.passage.text
                assert cell.passage in passages[row.paper.id]


def test_pinned_papers_are_compared_in_a_table_whose_cells_are_citations(assistant: Assistant) -> None:
    pinned = ids(assistant, 2)
    answer = assistant.ask(ASKED, scope=Scope(pinned=pinned))
    assert answer.table is not None
    assert answer.table.columns == ("method", "main result", "year")
    assert [row.paper.id for row in answer.table.rows] == list(pinned)
    assert answer.strength is Strength.FIRM
    assert_cites_its_cells(answer)
    assert any(citation.passages for citation in answer.citations)


def test_a_table_without_pinned_papers_has_those_of_the_answer_before(assistant: Assistant) -> None:
    before = assistant.ask("What do bees do?")
    answer = assistant.ask(ASKED, [Turn("What do bees do?", before)])
    assert answer.table is not None
    assert {row.paper.id for row in answer.table.rows} == {citation.paper.id for citation in before.citations}


def test_a_table_of_a_topic_has_papers_that_a_search_finds(assistant: Assistant) -> None:
    settings = assistant.settings.model_copy(update={"tentative_threshold": 0.0})
    willing = assistant.configured(settings, None)
    answer = willing.ask("make a table of method and main result for the papers about bees")
    assert answer.table is not None
    assert "bee" in answer.table.rows[0].paper.abstract.casefold()


def test_a_table_of_a_collection_has_its_papers(assistant: Assistant) -> None:
    of_collection = ids(assistant, 2)
    assistant.library.catalog.collections.create("thesis", of_collection)
    answer = assistant.ask("summary table of the papers in the collection thesis: method, dataset")
    assert answer.table is not None
    assert {row.paper.id for row in answer.table.rows} == set(of_collection)


def test_a_table_of_nothing_says_what_is_missing(assistant: Assistant) -> None:
    answer = assistant.ask(ASKED)
    assert not answer.answered
    assert answer.table is None
    assert "names no topic" in answer.text


def test_a_table_in_an_answer_survives_its_json_and_names_its_command(assistant: Assistant) -> None:
    answer = assistant.ask(ASKED, scope=Scope(pinned=ids(assistant, 1)))
    assert answer_from_json(answer_json(answer)).table == answer.table
    assert "paperchat table method 'main result' year --ids" in answer_text(answer)
