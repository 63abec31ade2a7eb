"""The buttons of the library tab that change collections, tags and notes. What a browser sends is untrusted."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from assistant.errors import InputError, NotFoundError
from assistant.question.filters import parse_selection
from assistant.schema import EVERYTHING, PaperCollection, Scope, Selection
from assistant.storage.catalog import Catalog
from ui.cli.terminal import counted
from ui.page.collection_menu import added_text
from ui.page.table import TableState

_MAX_PICKED = 1000
Pressed = tuple[TableState, str]


def handle(catalog: Catalog, state: TableState, name: str, value: str, text: str) -> Pressed | None:
    """Return the state of the table and a message after a button; None for a button of others.

    Raises InputError, NotFoundError and LibraryWriteError.
    """
    action = _ACTIONS.get(name)
    return action(catalog, state, value, _sent(text)) if action else None


def chosen_collection(catalog: Catalog, state: TableState) -> PaperCollection | None:
    """Return the collection that the table shows; None for all papers, and where it is gone."""
    try:
        return catalog.collections.find(state.collection) if state.collection else None
    except NotFoundError:
        return None


def listed_selection(catalog: Catalog, state: TableState) -> Selection:
    """Return what selects the papers that are listed. Raises InputError for a query that cannot be understood."""
    selection = parse_selection(state.query, catalog.papers.has_author)
    chosen = chosen_collection(catalog, state)
    scope = Scope(collections=(chosen.name,)) if chosen else EVERYTHING
    return replace(selection, filters=selection.filters.within(scope))


def _choose(catalog: Catalog, state: TableState, value: str, sent: dict[str, Any]) -> Pressed:
    collection = catalog.collections.find(value).id if value else ""
    return replace(state, collection=collection, page=0, open_id=None), ""


def _begin(catalog: Catalog, state: TableState, value: str, sent: dict[str, Any]) -> Pressed:
    created = catalog.collections.create(_name(sent))
    return replace(state, collection=created.id, page=0, open_id=None), f"The collection “{created.name}” is empty yet."


def _collect(catalog: Catalog, state: TableState, value: str, sent: dict[str, Any]) -> Pressed:
    """Put the ticked papers into a collection, or all that are listed where none is ticked."""
    collection, selected = catalog.collections.find(value), _picked_or_listed(catalog, state, sent)
    added = catalog.collections.add(collection.id, selected)
    return state, added_text(added, len(selected), collection.name)


def _gather(catalog: Catalog, state: TableState, value: str, sent: dict[str, Any]) -> Pressed:
    """Create a collection of the ticked papers, or of all that are listed, and show it."""
    selected = _picked_or_listed(catalog, state, sent)
    created = catalog.collections.create(_name(sent), selected)
    chosen = replace(state, collection=created.id, page=0, open_id=None)
    return chosen, added_text(len(selected), len(selected), created.name)


def _uncollect(catalog: Catalog, state: TableState, value: str, sent: dict[str, Any]) -> Pressed:
    collection, picked = catalog.collections.find(value), _picked(catalog, sent)
    if not picked:
        raise InputError("page", "tick the papers that are to leave this collection")
    removed = catalog.collections.remove(collection.id, picked)
    return replace(state, page=0), f"{counted(removed, 'paper')} removed from “{collection.name}”."


def _entitle(catalog: Catalog, state: TableState, value: str, sent: dict[str, Any]) -> Pressed:
    catalog.collections.rename(catalog.collections.find(value).id, _name(sent))
    return state, ""


def _discard(catalog: Catalog, state: TableState, value: str, sent: dict[str, Any]) -> Pressed:
    collection = catalog.collections.find(value)
    catalog.collections.delete(collection.id)
    return replace(state, collection="", page=0), f"“{collection.name}” is deleted; its papers are still here."


def _annotate(catalog: Catalog, state: TableState, value: str, sent: dict[str, Any]) -> Pressed:
    """Set the tags and the note of a paper, those of the two that were changed."""
    paper, tags, note = catalog.papers.find(value), sent.get("tags"), sent.get("note")
    if isinstance(tags, str):
        catalog.annotations.set_tags(paper.id, [tag for tag in tags.split(",") if tag.strip()])
    if isinstance(note, str):
        catalog.annotations.set_note(paper.id, note)
    return state, "Tags and note are saved."


def _name(sent: dict[str, Any]) -> str:
    name = sent.get("name")
    return name if isinstance(name, str) else ""


def _picked_or_listed(catalog: Catalog, state: TableState, sent: dict[str, Any]) -> list[str]:
    picked = _picked(catalog, sent)
    return picked or [paper.id for paper in catalog.papers.all(listed_selection(catalog, state))]


def _picked(catalog: Catalog, sent: dict[str, Any]) -> list[str]:
    picked = sent.get("picked")
    paper_ids = picked[:_MAX_PICKED] if isinstance(picked, list) else []
    return catalog.papers.resolve(list(map(str, paper_ids)))


def _sent(text: str) -> dict[str, Any]:
    """Return what the page's script sends with a button. Raises InputError where it is no JSON object."""
    try:
        sent = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise InputError("page", "sent something that is no JSON") from error
    if not isinstance(sent, dict):
        raise InputError("page", "sent something that is no JSON object")
    return sent


_ACTIONS: dict[str, Callable[[Catalog, TableState, str, dict[str, Any]], Pressed]] = {
    "choose": _choose,
    "begin": _begin,
    "collect": _collect,
    "gather": _gather,
    "uncollect": _uncollect,
    "entitle": _entitle,
    "discard": _discard,
    "annotate": _annotate,
}
