"""The library tab: a table of its papers, the details of one, and files to add."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from assistant.errors import InputError, PaperchatError
from assistant.schema import Paper, Sort
from assistant.storage.catalog import Catalog
from assistant.text.latex import to_text
from assistant.text.titles import display_title
from ingest import indexing, merging
from ui.page import collection_buttons, ingest_view, map_part, render, write_controls
from ui.page.backend import PageBackend
from ui.page.collection_menu import annotation_form_html, bar_html
from ui.page.events import QUIET, permissions_of, stamped
from ui.page.layout import ChatParts
from ui.page.table import PAGE_SIZE, TableState, detail_html, refused_html, table_html
from ui.page.turns import button
from ui.permissions import ForbiddenError

_REINDEX = button("reindex", "", "Index again", "Index every paper of the library again, if searches miss some")
_ZOTERO = button("zotero", "", "Read Zotero", "Add what is new in Zotero on this machine, and follow what has changed")


@dataclass(frozen=True, slots=True)
class _TabParts:
    """What the tab's events read and change. `bridge` passes pressed buttons on, and messages to the page's script."""

    bridge: gr.HTML
    state: gr.State
    files: gr.File
    status: gr.HTML
    query: gr.Textbox
    table: gr.HTML


def build(backend: PageBackend, chat: ChatParts, tab: gr.Tab) -> None:
    """Build the content of the tab with its events; the table is filled whenever the tab is opened."""
    state = gr.State(TableState())
    files = gr.File(label="Add papers: drop files here", file_count="multiple", height=130, elem_id="files")
    status = gr.HTML(elem_id="adding")
    opened, drawing = map_part.build()
    with gr.Row(elem_id="finding"):
        query = gr.Textbox(
            label="Search papers", show_label=False, container=False, placeholder="Search", elem_id="find"
        )
        gr.HTML(_ZOTERO + _REINDEX, elem_id="again")
    parts = _TabParts(chat.bridge, state, files, status, query, gr.HTML(elem_id="library"))
    _bind_ingest(backend, parts)
    _bind_table(backend, parts)
    map_part.bind(backend, chat, map_part.ListParts(state, query, parts.table), opened, drawing, render_table)
    tab.select(lambda state: render_table(backend, state), parts.state, parts.table, **QUIET)


def _bind_ingest(backend: PageBackend, parts: _TabParts) -> None:
    """Add the files that are dropped, read Zotero, and index the library again, both on request."""

    def upload(files: list[str] | None, state: TableState, request: gr.Request) -> Iterator[list[Any]]:
        paths = [Path(file) for file in files or ()]
        for status in permitted(request, ingest_view.add_papers(backend.library, paths)):
            yield [gr.skip(), status, gr.skip()]
        for path in paths:  # the browser's copies, each in a folder of its own
            shutil.rmtree(path.parent, ignore_errors=True)
        yield [None, gr.skip(), render_table(backend, state)]

    def reindex(state: TableState, request: gr.Request) -> Iterator[list[Any]]:
        yield from shown(ingest_view.reindex(backend.library), state, request)

    def zotero(state: TableState, request: gr.Request) -> Iterator[list[Any]]:
        yield from shown(ingest_view.add_zotero(backend.library, backend.settings), state, request)

    def shown(statuses: Iterator[str], state: TableState, request: gr.Request) -> Iterator[list[Any]]:
        for status in permitted(request, statuses):
            yield [status, gr.skip()]
        yield [gr.skip(), render_table(backend, state)]

    outputs = [parts.status, parts.table]
    inputs = [parts.files, parts.state]
    parts.files.upload(upload, inputs, [parts.files, *outputs], concurrency_limit=1, **QUIET)
    parts.bridge.reindex(reindex, parts.state, outputs, **QUIET)
    parts.bridge.zotero(zotero, parts.state, outputs, **QUIET)


def permitted(request: gr.Request, statuses: Iterator[str]) -> Iterator[str]:
    """Yield the statuses of work that changes the library, or, without doing any of it, why the visitor may not."""
    try:
        permissions_of(request).require_write()
    except ForbiddenError as error:
        yield render.error_html(str(error))
        return
    yield from statuses


def _bind_table(backend: PageBackend, parts: _TabParts) -> None:
    """Sort, search and page the table, and open the details of its papers."""

    def press(state: TableState, event: gr.EventData, request: gr.Request) -> list[Any]:
        try:
            name, value, text = (str(event._data.get(key) or "") for key in ("name", "value", "text"))
            write_controls.require(name, write_controls.SHELF_READS, permissions_of(request))
            if pressed := collection_buttons.handle(backend.catalog, state, name, value, text):
                state, message = pressed
                return [state, render_table(backend, state), stamped({"kind": "notice", "text": message})]
            state = handle_table_button(backend, state, name, value)
            return [state, render_table(backend, state), gr.skip()]
        except PaperchatError as error:
            notice = stamped({"kind": "notice", "text": str(error), "is_error": True})
            return [state, gr.skip(), notice]

    def search(query: str, state: TableState) -> list[Any]:
        if query == state.query:  # a click on the map has set both, and may have opened a paper
            return [gr.skip(), gr.skip()]
        state = TableState(query, state.sort, state.reverse, collection=state.collection)
        return [state, render_table(backend, state)]

    outputs = [parts.state, parts.table]
    parts.bridge.shelf(press, parts.state, [*outputs, parts.bridge], trigger_mode="multiple", **QUIET)
    parts.query.change(search, [parts.query, parts.state], outputs, trigger_mode="always_last", **QUIET)


def handle_table_button(backend: PageBackend, state: TableState, name: str, value: str) -> TableState:
    """Return the state of the table after a button was pressed. Raises PaperchatError."""
    if name == "sort" and value in set(Sort):
        is_same = value == state.sort
        return replace(state, sort=Sort(value), reverse=is_same and not state.reverse, page=0, open_id=None)
    if name == "turn" and value.isdecimal():
        return replace(state, page=int(value[:9]), open_id=None)
    if name == "show":
        return replace(state, open_id=None if state.open_id == value else value)
    if name == "remove":
        _delete(backend, value)
        return replace(state, open_id=None)
    if name == "unmerge":
        library = backend.library()
        merging.unmerge(library, library.catalog.papers.find(value).id)
        return replace(state, open_id=None)
    raise InputError("page", f"there is no button {name!r}")


def render_table(backend: PageBackend, state: TableState) -> str:
    """Return the menu of collections with the table as HTML, or with why its query cannot be understood."""
    catalog = backend.catalog
    collections, chosen = catalog.collections.all(), collection_buttons.chosen_collection(catalog, state)
    offset = state.page * PAGE_SIZE
    try:
        selection = collection_buttons.listed_selection(catalog, state)
        page = catalog.papers.page(selection, state.sort, reverse=state.reverse, offset=offset, limit=PAGE_SIZE)
    except InputError as error:
        return bar_html(collections, chosen, 0) + refused_html(str(error))
    opened = next((paper for paper in page.papers if paper.id == state.open_id), None)
    detail = _detail(catalog, opened) if opened else ""
    return bar_html(collections, chosen, page.total) + table_html(page.papers, state, page.total, detail)


def _detail(catalog: Catalog, paper: Paper) -> str:
    added = annotation_form_html(paper.id, catalog.annotations.of(paper.id), to_text(display_title(paper))[:60])
    return detail_html(paper, catalog.records.of_papers([paper.id]), added)


def _delete(backend: PageBackend, paper_id: str) -> None:
    library = backend.library()
    with library.writing():
        library.catalog.delete([library.catalog.papers.find(paper_id).id])
        indexing.update_indexes(library)
