"""The tab of the library: a table of its papers, what is known of one, and files to add."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from assistant import filters
from assistant.errors import InputError, PaperchatError
from assistant.schema import Sort
from ingest import merging, pipeline
from ui.page.adding import add
from ui.page.backend import Backend
from ui.page.events import QUIETLY, stamped
from ui.page.session import UNCHANGED
from ui.page.table import SIZE, Shelf, detail_html, refused_html, table_html


def build(backend: Backend, bridge: gr.HTML) -> gr.HTML:
    """The parts of the tab with their events; returns the table, which whoever opens the tab fills."""
    shelf = gr.State(Shelf())
    files = gr.File(label="Add papers: drop files here", file_count="multiple", height=130, elem_id="files")
    status = gr.HTML(elem_id="adding")
    words = gr.Textbox(label="Search papers", show_label=False, container=False, placeholder="Search", elem_id="find")
    table = gr.HTML(elem_id="library")

    def added(given: list[str] | None, kept: Shelf) -> Iterator[list[Any]]:
        paths = [Path(each) for each in given or ()]
        for news in add(backend.assistant(UNCHANGED).library, paths):
            yield [gr.skip(), news, gr.skip()]
        for path in paths:  # the browser's copies, each in a folder of its own
            shutil.rmtree(path.parent, ignore_errors=True)
        yield [None, gr.skip(), shown(backend, kept)]

    def pressed(kept: Shelf, event: gr.EventData) -> list[Any]:
        try:
            moved = press(backend, kept, str(event._data.get("name")), str(event._data.get("value")))
            return [moved, shown(backend, moved), gr.skip()]
        except PaperchatError as error:
            return [kept, gr.skip(), stamped({"kind": "said", "text": str(error), "is_error": True})]

    def searched(text: str, kept: Shelf) -> list[Any]:
        found = Shelf(text, kept.sort, kept.backwards)
        return [found, shown(backend, found)]

    files.upload(added, [files, shelf], [files, status, table], concurrency_limit=1, **QUIETLY)
    bridge.shelf(pressed, shelf, [shelf, table, bridge], trigger_mode="multiple", **QUIETLY)
    words.change(searched, [words, shelf], [shelf, table], trigger_mode="always_last", **QUIETLY)
    return table


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
        library = backend.assistant(UNCHANGED).library
        merging.unmerge(library, library.catalog.find(value).id)
        return replace(shelf, paper=None)
    raise InputError("page", f"there is no button {name!r}")


def shown(backend: Backend, shelf: Shelf) -> str:
    """The table as HTML; a filter that does not exist is told in its place."""
    catalog = backend.catalog
    try:
        wanted = filters.selection(shelf.words, catalog.is_author)
    except InputError as error:
        return refused_html(str(error))
    found = catalog.page(wanted, shelf.sort, backwards=shelf.backwards, offset=shelf.page * SIZE, limit=SIZE)
    opened = next((paper for paper in found.papers if paper.id == shelf.paper), None)
    detail = detail_html(opened, catalog.records_of([opened.id])) if opened else ""
    return table_html(found.papers, shelf, found.total, detail)


def _delete(backend: Backend, paper_id: str) -> None:
    library = backend.assistant(UNCHANGED).library
    with library.writing():
        library.catalog.delete([library.catalog.find(paper_id).id])
        pipeline.synchronise(library)
