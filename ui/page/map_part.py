"""The map in the library tab: drawn when it is opened; a click on it filters the list and scopes the chat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from assistant.errors import InputError, PaperchatError
from assistant.question.filters import format_filters, parse_selection
from assistant.schema import Filters, Scope, Selection
from assistant.storage.catalog import Catalog
from assistant.text.latex import to_text
from assistant.text.titles import display_title
from ui.page import render
from ui.page.backend import PageBackend
from ui.page.events import QUIET, permissions_of, request_owner, stamped, to_outputs
from ui.page.layout import ChatParts
from ui.page.map_view import MapChoice, map_html
from ui.page.page_context import PageContext
from ui.page.session import OpenConversation, TabSettings
from ui.page.table import PAGE_SIZE, TableState

RenderTable = Callable[[PageBackend, TableState], str]


@dataclass(frozen=True, slots=True)
class ListParts:
    """The parts of the list below the map: its state, its search, and its table."""

    state: gr.State
    query: gr.Textbox
    table: gr.HTML


def build() -> tuple[gr.Accordion, gr.HTML]:
    """Build the part that opens, and the drawing in it."""
    with gr.Accordion("Map of topics", open=False, elem_id="map-part") as opened:
        drawing = gr.HTML(elem_id="map")
    return opened, drawing


def bind(
    backend: PageBackend,
    chat: ChatParts,
    listed: ListParts,
    opened: gr.Accordion,
    drawing: gr.HTML,
    render_table: RenderTable,
) -> None:
    """Draw the map when it is opened, heed what is clicked on it, and show what the search chooses of it."""
    # What is chosen on the map that is shown; None while it is not.
    shown = gr.State(None)

    def press(
        state: TableState,
        conversation: OpenConversation,
        scope: Scope,
        settings: TabSettings,
        event: gr.EventData,
        request: gr.Request,
    ) -> list[Any]:
        context = PageContext(backend, request_owner(request), conversation, scope, settings, permissions_of(request))
        try:
            name, value = (str(event._data.get(key) or "") for key in ("name", "value"))
            state = handle_click(backend.catalog, state, name, value)
            drawn, choice = draw_map(backend, state.query)
            update = to_outputs(context.show_scope(scope_of(choice, scope)))
            update[-1] = stamped({"kind": "notice", "text": ""})
            return [state, state.query, render_table(backend, state), drawn, choice, *update]
        except PaperchatError as error:
            update = [gr.skip()] * len(chat.outputs)
            update[-1] = stamped({"kind": "notice", "text": str(error), "is_error": True})
            return [*[gr.skip()] * 5, *update]

    def redraw(query: str, before: MapChoice | None) -> list[Any]:
        is_same = before is None or chosen(backend.catalog, query) == before
        return [gr.skip(), gr.skip()] if is_same else list(draw_map(backend, query))

    inputs = [listed.state, chat.conversation, chat.scope, chat.settings]
    outputs = [listed.state, listed.query, listed.table, drawing, shown, *chat.outputs]
    chat.bridge.chart(press, inputs, outputs, trigger_mode="multiple", concurrency_limit=2, **QUIET)
    waiting = '<p class="quiet">The map is being drawn ...</p>'
    opening = opened.expand(lambda: waiting, None, drawing, **QUIET)
    drawn = [drawing, shown]
    opening.then(lambda query: draw_map(backend, query), listed.query, drawn, concurrency_limit=2, **QUIET)
    listed.query.change(redraw, [listed.query, shown], drawn, trigger_mode="always_last", **QUIET)


def handle_click(catalog: Catalog, state: TableState, name: str, value: str) -> TableState:
    """Return the state of the list after a topic, a year or a point was clicked; what was chosen is released.

    Raises InputError for what is no part of the map.
    """
    choice = chosen(catalog, state.query)
    if name == "topic":
        choice = replace(choice, topic=None if choice.topic == value else value)
    elif name == "in-year" and value.isdecimal():
        choice = replace(choice, year=None if choice.year == int(value[:4]) else int(value[:4]))
    elif name == "point":
        return _open_paper(catalog, state, choice, value)
    else:
        raise InputError("page", f"there is no part {name!r} of the map")
    return replace(state, query=_query(catalog, state.query, choice), page=0, open_id=None)


def chosen(catalog: Catalog, query: str) -> MapChoice:
    """Return what of the map a query of the list chooses; nothing for a query that cannot be understood."""
    try:
        filters = parse_selection(query, catalog.papers.has_author).filters
        catalog.topics.require(filters.topics)
    except InputError:
        return MapChoice()
    year = filters.since if filters.since == filters.until else None
    return MapChoice(filters.topics[0] if len(filters.topics) == 1 else None, year)


def scope_of(choice: MapChoice, scope: Scope) -> Scope:
    """Return a scope with the topic and the year that are chosen in place of those before."""
    topics = (choice.topic,) if choice.topic else ()
    return replace(scope, topics=topics, since=choice.year, until=choice.year)


def draw_map(backend: PageBackend, query: str) -> tuple[str, MapChoice]:
    """Return the map as HTML, or why there is none, and what a query of the list chooses of it."""
    try:
        topic_map = backend.topic_map()
    except PaperchatError as error:
        return render.error_html(str(error)), MapChoice()
    papers = backend.catalog.papers.get([point.paper_id for point in topic_map.points])
    titles = {paper.id: to_text(display_title(paper)) for paper in papers}
    choice = chosen(backend.catalog, query)
    return map_html(topic_map, choice, titles), choice


def _open_paper(catalog: Catalog, state: TableState, choice: MapChoice, value: str) -> TableState:
    """Return the state that lists the topic of a paper, at its page and with its details open."""
    topic, _, paper_id = value.partition(":")
    paper = catalog.papers.find(paper_id)
    year = choice.year if choice.year == paper.year else None
    query = _query(catalog, state.query, MapChoice(topic, year), without_words=True)
    state = replace(state, query=query, collection="")
    selection = parse_selection(query, catalog.papers.has_author)
    position = catalog.papers.position(paper.id, selection, state.sort, reverse=state.reverse)
    if position is None:
        raise InputError("page", "the map is older than the library: close it and open it again")
    return replace(state, page=position // PAGE_SIZE, open_id=paper.id)


def _query(catalog: Catalog, query: str, choice: MapChoice, *, without_words: bool = False) -> str:
    """Return the query of the list with the topic and the year that are chosen in place of those before."""
    try:
        before = Selection() if without_words else parse_selection(query, catalog.papers.has_author)
    except InputError:
        before = Selection()
    topics = (choice.topic,) if choice.topic else ()
    filters: Filters = replace(before.filters, topics=topics, since=choice.year, until=choice.year)
    return " ".join([*before.words, format_filters(filters)]).strip()
