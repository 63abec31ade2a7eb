"""The actions of the buttons at a paper: the papers that questions are restricted to, similar ones, its BibTeX."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from assistant.schema import EVERYTHING, Scope
from ui.export import bibliography
from ui.page import evidence
from ui.page.page_context import PageContext
from ui.page.session import PageUpdate

_MAX_SIMILAR_CHARACTERS = 1500
Updates = Iterator[PageUpdate]


def _pin(context: PageContext, value: str, text: str) -> Updates:
    scope = context.scope
    if value in scope.pinned:
        yield from _release(context, value, text)
    else:
        paper_id = context.backend.catalog.papers.find(value).id
        yield context.show_scope(
            replace(scope, pinned=(*scope.pinned, paper_id), excluded=_without(scope.excluded, paper_id))
        )


def _exclude(context: PageContext, value: str, text: str) -> Updates:
    scope = context.scope
    if value in scope.excluded:
        yield from _release(context, value, text)
    else:
        paper_id = context.backend.catalog.papers.find(value).id
        yield context.show_scope(
            replace(scope, pinned=_without(scope.pinned, paper_id), excluded=(*scope.excluded, paper_id))
        )


def _only(context: PageContext, value: str, text: str) -> Updates:
    yield context.show_scope(Scope((context.backend.catalog.papers.find(value).id,)))


def _release(context: PageContext, value: str, text: str) -> Updates:
    """Take a paper out of the pinned and excluded ones."""
    scope = context.scope
    pinned, excluded = _without(scope.pinned, value), _without(scope.excluded, value)
    yield context.show_scope(replace(scope, pinned=pinned, excluded=excluded))


def _everything(context: PageContext, value: str, text: str) -> Updates:
    yield context.show_scope(EVERYTHING)


def _similar(context: PageContext, value: str, text: str) -> Updates:
    paper = context.backend.catalog.papers.find(value)
    query = f"{paper.title or ''} {paper.abstract}"[:_MAX_SIMILAR_CHARACTERS]
    similar = context.backend.assistant(context.settings).similar(query, paper)
    cards = evidence.similar_html(paper, similar, context.scope)
    shown = context.evidence_html([stored.turn for stored in context.stored_turns()])
    yield PageUpdate(evidence=cards + shown, message={"kind": "top", "id": "evidence"})


def _cite(context: PageContext, value: str, text: str) -> Updates:
    catalog = context.backend.catalog
    paper = catalog.papers.find(value)
    entry = bibliography.bibtex([paper], catalog.annotations.of_papers([paper.id]))
    yield copy_text(entry, "The BibTeX entry is copied.")


def _without(paper_ids: tuple[str, ...], removed: str) -> tuple[str, ...]:
    return tuple(paper_id for paper_id in paper_ids if paper_id != removed)


def copy_text(text: str, notice: str) -> PageUpdate:
    """Return the update by which the browser copies a text and shows a notice."""
    return PageUpdate(message={"kind": "copy", "copied": text, "text": notice})


ACTIONS: dict[str, Callable[[PageContext, str, str], Updates]] = {
    "pin": _pin,
    "exclude": _exclude,
    "only": _only,
    "free": _release,
    "everything": _everything,
    "similar": _similar,
    "cite": _cite,
}
