"""The actions of the chat's buttons about collections: one as the scope, and the papers of an answer kept in one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from assistant.schema import Scope
from ui import collecting
from ui.page.collection_menu import added_text
from ui.page.page_context import PageContext
from ui.page.session import PageUpdate


def _within(context: PageContext, value: str, text: str) -> Iterator[PageUpdate]:
    """Look only at a collection."""
    name = context.backend.catalog.collections.find(value).name
    yield context.show_scope(Scope(excluded=context.scope.excluded, collections=(name,)))


def _outside(context: PageContext, value: str, text: str) -> Iterator[PageUpdate]:
    """Look at all papers again, not only at those of a collection."""
    remaining = tuple(name for name in context.scope.collections if name != value)
    yield context.show_scope(replace(context.scope, collections=remaining))


def _off_topic(context: PageContext, value: str, text: str) -> Iterator[PageUpdate]:
    """Look at all papers again, not only at those on a topic."""
    remaining = tuple(topic_id for topic_id in context.scope.topics if topic_id != value)
    yield context.show_scope(replace(context.scope, topics=remaining))


def _all_years(context: PageContext, value: str, text: str) -> Iterator[PageUpdate]:
    yield context.show_scope(replace(context.scope, since=None, until=None))


def _keep(context: PageContext, value: str, text: str) -> Iterator[PageUpdate]:
    """Put the papers of an answer into a collection."""
    turn_id, _, collection_id = value.partition(":")
    catalog, selected = context.backend.catalog, _answer_papers(context, turn_id)
    collection = catalog.collections.find(collection_id)
    added = catalog.collections.add(collection.id, selected)
    yield _annotated(context, added_text(added, len(selected), collection.name))


def _keep_new(context: PageContext, value: str, text: str) -> Iterator[PageUpdate]:
    """Create a collection of the papers of an answer."""
    selected = _answer_papers(context, value)
    created = context.backend.catalog.collections.create(text, selected)
    yield _annotated(context, added_text(len(selected), len(selected), created.name))


def _answer_papers(context: PageContext, turn_id: str) -> list[str]:
    return collecting.answer_ids(context.backend.catalog, context.find_turn(turn_id).turn.answer)


def _annotated(context: PageContext, message: str) -> PageUpdate:
    stored = context.stored_turns()
    shown = context.evidence_html([turn.turn for turn in stored])
    return PageUpdate(turns=context.turns_html(stored), evidence=shown, message={"kind": "notice", "text": message})


Action = Callable[[PageContext, str, str], Iterator[PageUpdate]]
SCOPE_ACTIONS: dict[str, Action] = {
    "within": _within,
    "outside": _outside,
    "offtopic": _off_topic,
    "allyears": _all_years,
}
LIBRARY_ACTIONS: dict[str, Action] = {"keep": _keep, "keepnew": _keep_new}
