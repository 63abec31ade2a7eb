"""The buttons about collections: what a browser sends is untrusted, and a collection that is gone is no accident."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from assistant.chat import Assistant
from assistant.errors import InputError, NotFoundError
from assistant.schema import Annotation
from assistant.storage.catalog import Catalog
from ui.page.collection_buttons import chosen_collection, handle, listed_selection
from ui.page.table import TableState


@pytest.fixture
def catalog(assistant: Assistant) -> Catalog:
    return assistant.library.catalog


def press(catalog: Catalog, state: TableState, button: str, value: str = "", **sent: Any) -> tuple[TableState, str]:
    pressed = handle(catalog, state, button, value, json.dumps(sent))
    assert pressed
    return pressed


def ids(catalog: Catalog, words: str = "") -> list[str]:
    return [paper.id for paper in catalog.papers.all(listed_selection(catalog, TableState(words)))]


def test_all_listed_papers_are_added_where_none_is_ticked_and_else_the_ticked_ones(catalog: Catalog) -> None:
    state, message = press(catalog, TableState("glaciers"), "gather", name="Ice")
    assert message == "1 paper added to “Ice”."
    assert ids(catalog, "collection:ice") == ids(catalog, "glaciers")
    _, message = press(catalog, TableState(), "collect", state.collection, picked=ids(catalog, "bees"))
    assert message == "1 paper added to “Ice”."
    _, message = press(catalog, TableState(), "collect", state.collection, picked=[])
    assert message == "1 paper added to “Ice”; 2 were in it already."
    _, message = press(catalog, state, "uncollect", state.collection, picked=ids(catalog, "bees"))
    assert message == "1 paper removed from “Ice”."
    assert len(ids(catalog, "collection:ice")) == 2


def test_the_list_shows_the_chosen_collection_under_its_present_name_and_all_papers_once_it_is_deleted(
    catalog: Catalog,
) -> None:
    chosen, _ = press(catalog, replace(TableState(), page=3), "begin", name="Empty")
    assert chosen.page == 0
    assert list(catalog.papers.all(listed_selection(catalog, chosen))) == []
    press(catalog, chosen, "entitle", chosen.collection, name="Still empty")
    current = chosen_collection(catalog, chosen)
    assert current
    assert current.name == "Still empty"
    gone, _ = press(catalog, chosen, "discard", chosen.collection)
    assert gone.collection == ""
    assert len(list(catalog.papers.all(listed_selection(catalog, chosen)))) == 3


def test_only_the_changed_one_of_tags_and_note_is_saved(catalog: Catalog) -> None:
    [paper] = ids(catalog, "bees")
    catalog.annotations.set_tags(paper, ["a, with a comma"])
    press(catalog, TableState(), "annotate", paper, note="read")
    assert catalog.annotations.of(paper) == Annotation(("a, with a comma",), "read")
    press(catalog, TableState(), "annotate", paper, tags=" x, ,y ")
    assert catalog.annotations.of(paper) == Annotation(("x", "y"), "read")


@pytest.mark.parametrize(
    "text", ["{", "[]", "null", "3", '{"picked": 3}', '{"picked": ["zzzz"]}', '{"name": {}}', "[" * 9999]
)
@pytest.mark.parametrize(
    "name", ["begin", "collect", "gather", "uncollect", "entitle", "discard", "annotate", "choose"]
)
def test_what_no_page_sends_is_refused_and_changes_nothing(catalog: Catalog, name: str, text: str) -> None:
    kept = catalog.collections.create("Kept", ids(catalog))
    with pytest.raises((InputError, NotFoundError)):
        handle(catalog, TableState(), name, "nobody", text)
    assert catalog.collections.find("kept") == kept


def test_other_buttons_are_left_to_others(catalog: Catalog) -> None:
    assert handle(catalog, TableState(), "sort", "year", "no JSON") is None
