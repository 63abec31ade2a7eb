"""The map of the library tab: what a click filters the list by and scopes the chat to, and what is drawn."""

from __future__ import annotations

import re

import pytest

from assistant.chat import Assistant
from assistant.errors import InputError, NotFoundError
from assistant.schema import Paper, Passage, Scope
from assistant.storage.catalog import Catalog
from assistant.topic_map import MapPoint, Topic, TopicMap, TopicQuote
from ui.page.collection_buttons import listed_selection
from ui.page.map_part import chosen, handle_click, scope_of
from ui.page.map_view import MapChoice, map_html
from ui.page.table import TableState

ICE, BEES = Paper("a", "Ice melts.", "On <b>ice</b>", year=2020), Paper("b", "Bees dance.", "On bees", year=2021)
TOPICS = (
    Topic(
        "t1",
        "<i>ice</i>, snow",
        ("<i>ice</i>", "snow"),
        (TopicQuote(ICE, Passage("Ice melts.", 0, 10)),),
        ("a",),
        {2020: 1},
    ),
    Topic("t2", "bees", ("bees",), (TopicQuote(BEES, Passage("Bees dance.", 0, 11)),), ("b",), {2021: 1}),
)
POINTS = (MapPoint("a", "t1", 2020, -1.0, 0.5), MapPoint("b", "t2", 2021, 1.0, -0.5))
MAP = TopicMap(TOPICS, 2, ("2 papers are few",), POINTS)
TITLES = {"a": "On <b>ice</b>", "b": "On bees"}


@pytest.fixture
def catalog(assistant: Assistant) -> Catalog:
    """A catalog in which the paper on glaciers is on topic t1, and all others are on t2."""
    catalog = assistant.library.catalog
    topics = {paper.id: "t1" if "glaciers" in paper.abstract else "t2" for paper in catalog.papers.all()}
    catalog.topics.replace({"t1": "ice, snow", "t2": "bees"}, topics)
    return catalog


def listed(catalog: Catalog, state: TableState) -> list[str]:
    return [paper.id for paper in catalog.papers.all(listed_selection(catalog, state))]


def test_a_topic_filters_the_list_and_is_released_by_a_second_click(catalog: Catalog) -> None:
    state = handle_click(catalog, TableState("water", page=2), "topic", "t1")
    assert (state.query, state.page) == ('water topic:"t1"', 0)
    assert chosen(catalog, state.query) == MapChoice("t1")
    assert handle_click(catalog, state, "topic", "t2").query == 'water topic:"t2"'
    assert handle_click(catalog, state, "topic", "t1").query == "water"
    one = listed(catalog, handle_click(catalog, TableState(), "topic", "t1"))
    assert [catalog.papers.find(paper_id).abstract for paper_id in one] != []
    assert all("glaciers" in catalog.papers.find(paper_id).abstract for paper_id in one)


def test_a_year_is_chosen_beside_a_topic(catalog: Catalog) -> None:
    state = handle_click(catalog, TableState('topic:"t1"'), "in-year", "2020")
    assert chosen(catalog, state.query) == MapChoice("t1", 2020)
    assert chosen(catalog, handle_click(catalog, state, "in-year", "2020").query) == MapChoice("t1")


def test_a_point_lists_its_topic_with_its_paper_open(catalog: Catalog) -> None:
    paper = next(paper for paper in catalog.papers.all() if "glaciers" in paper.abstract)
    state = handle_click(catalog, TableState("zzqy"), "point", f"t1:{paper.id}")
    assert (state.query, state.open_id) == ('topic:"t1"', paper.id)
    with pytest.raises(InputError, match="older than the library"):
        handle_click(catalog, TableState(), "point", f"t2:{paper.id}")
    with pytest.raises(NotFoundError):
        handle_click(catalog, TableState(), "point", "t1:zzqy")


def test_what_is_no_part_of_the_map_is_refused(catalog: Catalog) -> None:
    for name, value in (("in-year", "x"), ("drop", "t1")):
        with pytest.raises(InputError, match="no part"):
            handle_click(catalog, TableState(), name, value)
    unknown = handle_click(catalog, TableState(), "topic", "t9")
    with pytest.raises(InputError, match="no topic 't9'"):
        listed(catalog, unknown)
    assert chosen(catalog, unknown.query) == MapChoice()


def test_the_chat_looks_at_what_is_chosen_in_place_of_what_was_before(catalog: Catalog) -> None:
    scope = Scope(excluded=("x",), topics=("t2",), since=2001, until=2001)
    assert scope_of(MapChoice("t1", 2020), scope) == Scope(excluded=("x",), topics=("t1",), since=2020, until=2020)
    assert scope_of(MapChoice(), scope) == Scope(excluded=("x",))


def test_a_question_scoped_to_a_topic_searches_its_papers_alone(assistant: Assistant, catalog: Catalog) -> None:
    answer = assistant.ask("How do bees dance?", scope=Scope(topics=("t1",)))
    assert {hit.paper.id for hit in answer.hits} <= set(listed(catalog, TableState("topic:t1")))
    with pytest.raises(InputError, match="no topic"):
        assistant.ask("How do bees dance?", scope=Scope(topics=("t9",)))


def test_a_map_has_a_point_for_each_paper_a_button_for_each_topic_and_a_bar_for_each_year() -> None:
    drawn = map_html(MAP, MapChoice(), TITLES)
    assert drawn.count('class="point ') == 2
    assert re.findall(r'name="topic" value="(\w+)"', drawn) == ["t1", "t2"]
    assert re.findall(r'name="in-year" value="(\d+)"', drawn) == ["2021", "2020"]
    assert "2 papers are few." in drawn
    assert "faint" not in drawn


def test_what_is_not_chosen_is_faint_and_the_chosen_topic_is_described() -> None:
    drawn = map_html(MAP, MapChoice("t2", 2021), TITLES)
    assert drawn.count("faint") == 1
    assert "Bees dance." in drawn
    assert "Ice melts." not in drawn
    assert drawn.count('aria-pressed="true"') == 2


def test_markup_in_terms_and_titles_stays_text() -> None:
    drawn = map_html(MAP, MapChoice("t1"), TITLES)
    assert "<i>" not in drawn
    assert "<b>" not in drawn
    assert "&lt;i&gt;ice&lt;/i&gt;" in drawn


def test_a_library_without_papers_or_years_says_so() -> None:
    assert "Nothing here." in map_html(TopicMap((), 0, ("nothing here",)), MapChoice(), {})
    undated = TopicMap((Topic("t1", "ice", ("ice",), (), ("a",), {}),), 1, ("no paper has a year",), POINTS[:1])
    assert "years" not in map_html(undated, MapChoice(), TITLES)
