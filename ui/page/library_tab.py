"""The tab of the library: a table of its papers, what is known of one, and files to add."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from assistant.errors import InputError, PaperchatError
from assistant.question import filters
from assistant.schema import Sort
from ingest import indexing, merging
from ui.page import ingest_view
from ui.page.backend import Backend
from ui.page.events import QUIETLY, stamped
from ui.page.table import SIZE, Shelf, detail_html, refused_html, table_html
from ui.page.turns import button

_AGAIN = button("reindex", "", "Index again", "Read every paper of the library again, where searches miss some")


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the tab's events read and change. `bridge` hands pressed buttons on, and messages to the page's script."""

    bridge: gr.HTML
    shelf: gr.State
    files: gr.File
    status: gr.HTML
    words: gr.Textbox
    table: gr.HTML


def build(backend: Backend, bridge: gr.HTML) -> gr.HTML:
    """The parts of the tab with their events; returns the table, which whoever opens the tab fills."""
    shelf = gr.State(Shelf())
    files = gr.File(label="Add papers: drop files here", file_count="multiple", height=130, elem_id="files")
    status = gr.HTML(elem_id="adding")
    with gr.Row(elem_id="finding"):
        words = gr.Textbox(
            label="Search papers", show_label=False, container=False, placeholder="Search", elem_id="find"
        )
        gr.HTML(_AGAIN, elem_id="again")
    parts = _Parts(bridge, shelf, files, status, words, gr.HTML(elem_id="library"))
    _bind_reading(backend, parts)
    _bind_table(backend, parts)
    return parts.table


def _bind_reading(backend: Backend, parts: _Parts) -> None:
    """What is dropped is read into the library, and what is in the library can be read again."""

    def added(given: list[str] | None, kept: Shelf) -> Iterator[list[Any]]:
        paths = [Path(each) for each in given or ()]
        for news in ingest_view.add(backend.library, paths):
            yield [gr.skip(), news, gr.skip()]
        for path in paths:  # the browser's copies, each in a folder of its own
            shutil.rmtree(path.parent, ignore_errors=True)
        yield [None, gr.skip(), shown(backend, kept)]

    def reindexed(kept: Shelf) -> Iterator[list[Any]]:
        for news in ingest_view.index_again(backend.library):
            yield [news, gr.skip()]
        yield [gr.skip(), shown(backend, kept)]

    read, read_again = [parts.files, parts.shelf], [parts.status, parts.table]
    parts.files.upload(added, read, [parts.files, *read_again], concurrency_limit=1, **QUIETLY)
    parts.bridge.reindex(reindexed, parts.shelf, read_again, **QUIETLY)


def _bind_table(backend: Backend, parts: _Parts) -> None:
    """The table is turned, sorted and searched, and its papers are looked at."""

    def pressed(kept: Shelf, event: gr.EventData) -> list[Any]:
        try:
            moved = press(backend, kept, str(event._data.get("name")), str(event._data.get("value")))
            return [moved, shown(backend, moved), gr.skip()]
        except PaperchatError as error:
            return [kept, gr.skip(), stamped({"kind": "said", "text": str(error), "is_error": True})]

    def searched(text: str, kept: Shelf) -> list[Any]:
        found = Shelf(text, kept.sort, kept.backwards)
        return [found, shown(backend, found)]

    table = [parts.shelf, parts.table]
    parts.bridge.shelf(pressed, parts.shelf, [*table, parts.bridge], trigger_mode="multiple", **QUIETLY)
    parts.words.change(searched, [parts.words, parts.shelf], table, trigger_mode="always_last", **QUIETLY)


def press(backend: Backend, shelf: Shelf, name: str, value: str) -> Shelf:
    """What is on the screen after a button of the table was pressed. Raises PaperchatError."""
    if name == "sort" and value in set(Sort):
        again = value == shelf.sort
        return Shelf(shelf.words, Sort(value), again and not shelf.backwards)
    if name == "turn" and value.isdecimal():
        return replace(shelf, page=int(value[:9]), paper=None)
    if name == "show":
        return replace(shelf, paper=None if shelf.paper == value else value)
    if name == "remove":
        _delete(backend, value)
        return replace(shelf, paper=None)
    if name == "unmerge":
        library = backend.library()
        merging.unmerge(library, library.catalog.papers.find(value).id)
        return replace(shelf, paper=None)
    raise InputError("page", f"there is no button {name!r}")


def shown(backend: Backend, shelf: Shelf) -> str:
    """The table as HTML; a filter that does not exist is told in its place."""
    catalog = backend.catalog
    try:
        wanted = filters.parse_selection(shelf.words, catalog.papers.has_author)
    except InputError as error:
        return refused_html(str(error))
    found = catalog.papers.page(wanted, shelf.sort, reverse=shelf.backwards, offset=shelf.page * SIZE, limit=SIZE)
    opened = next((paper for paper in found.papers if paper.id == shelf.paper), None)
    detail = detail_html(opened, catalog.records.of_papers([opened.id])) if opened else ""
    return table_html(found.papers, shelf, found.total, detail)


def _delete(backend: Backend, paper_id: str) -> None:
    library = backend.library()
    with library.writing():
        library.catalog.delete([library.catalog.papers.find(paper_id).id])
        indexing.update_indexes(library)
