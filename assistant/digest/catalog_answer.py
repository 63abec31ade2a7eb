"""Answer questions about papers from the catalog, without their abstracts and without a model.

What the catalog does not record is said to be not recorded; a paper or an author that is not there is said to be
unknown, with what is nearest to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from assistant.answering.answerability import HOW_TO_FILL
from assistant.citations import build_citations, cited_text
from assistant.digest import catalog_lists, catalog_survey, catalog_text
from assistant.digest.catalog_lists import MAX_NAMED
from assistant.digest.catalog_papers import MAX_LISTED, CatalogSearch, Reference
from assistant.digest.catalog_text import CatalogReply, UnknownReply, counted, joined, quoted, stated
from assistant.question.catalog_question import CATALOG, CatalogKind, CatalogQuestion
from assistant.schema import Answer, Hit, Paper, Sentence, Strength

if TYPE_CHECKING:
    from assistant.storage.catalog import Catalog

_GUESS = "no title in the library has these words, so this is about the paper that a search finds first"


def answer_from_catalog(draft: Answer, asked: CatalogQuestion, catalog: Catalog, search: CatalogSearch) -> Answer:
    """Return the finished answer to what is asked of the catalog. Raises LibraryError and ModelError."""
    reply = _empty(catalog) or _reply(asked, catalog, search)
    draft = replace(draft, model=CATALOG, prompt=None, hits=(), searched=catalog.papers.count(), done=True)
    if isinstance(reply, UnknownReply):
        draft = replace(draft, strength=Strength.NONE, confidence=0.0)
        return replace(draft, text=reply.text, reason=reply.reason, nearest=reply.nearest)
    hits = [Hit(rank, 1.0, paper) for rank, paper in enumerate(reply.papers, start=1)]
    return replace(
        draft,
        strength=Strength.TENTATIVE if reply.doubt else Strength.FIRM,
        confidence=0.5 if reply.doubt else 1.0,
        reason=reply.doubt,
        opening=reply.opening,
        text=cited_text(reply.sentences),
        sentences=reply.sentences,
        citations=build_citations(hits),
        table=reply.table,
    )


def _empty(catalog: Catalog) -> UnknownReply | None:
    if catalog.papers.count():
        return None
    text = f"The catalog has no papers yet; {HOW_TO_FILL}."
    return UnknownReply("the library has no papers yet", text)


def _reply(asked: CatalogQuestion, catalog: Catalog, search: CatalogSearch) -> CatalogReply | UnknownReply:
    if asked.kind is CatalogKind.BY_AUTHOR:
        return catalog_lists.by_author(asked, search)
    if asked.kind is CatalogKind.ADDED:
        return catalog_survey.added(asked, catalog, search)
    if asked.kind is CatalogKind.BREAKDOWN:
        return catalog_survey.breakdown(asked, catalog, search)
    if asked.kind in (CatalogKind.NEWEST, CatalogKind.OLDEST):
        return catalog_lists.by_year(asked, search)
    is_part = asked.kind is CatalogKind.COUNT and (
        catalog_lists.topic_of(asked, search) or search.known_names(asked.names)
    )
    if asked.kind in (CatalogKind.COUNT, CatalogKind.CONTENTS) and (is_part or catalog_lists.limits_of(asked, search)):
        return catalog_lists.count_reply(asked, search)
    if asked.kind in (CatalogKind.COUNT, CatalogKind.CONTENTS):
        return catalog_survey.contents(catalog, search)
    return _about(asked, search.referred(asked))


# One paper, or a few


def _about(asked: CatalogQuestion, reference: Reference) -> CatalogReply | UnknownReply:
    """Return what is recorded of the papers that the question means."""
    if not reference.papers:
        return _unknown_paper(reference)
    papers = reference.papers
    several = len(papers) > 1
    named = papers[:MAX_NAMED]
    parts: list[Sentence] = []
    if reference.is_guess:
        parts.append(stated(f"The question is taken to be about {catalog_text.quoted_title(papers[0])}.", 1))
    elif several:
        called = f" that “{quoted(reference.text)}” may mean" if reference.text else ""
        parts.append(stated(f"There are {counted(len(papers))}{called}:"))
    for number, paper in enumerate(named, start=1):
        parts += _of_paper(asked, paper, number, is_only=not several)
    has_table = several or len(asked.fields) > 1
    table = catalog_text.table(papers[:MAX_LISTED], len(papers)) if has_table else None
    return CatalogReply("From the catalog.", tuple(parts), named, table, _GUESS if reference.is_guess else None)


def _of_paper(asked: CatalogQuestion, paper: Paper, number: int, *, is_only: bool) -> Iterator[Sentence]:
    """Yield what the catalog records of one paper, first what is asked for."""
    if asked.kind is CatalogKind.HOLDING:
        yield stated(f"The library has {catalog_text.entry(paper)}.", number)
    elif asked.kind is CatalogKind.UNRECORDED:
        yield stated(
            f"Of {catalog_text.quoted_title(paper)} the catalog records authors, year, venue and identifiers at most; "
            "citation counts, pages, publishers and the like are not recorded.",
            number,
        )
    for field in asked.fields:
        yield catalog_text.field_sentence(paper, field, number)
    if is_only:
        yield from catalog_text.further_sentence(paper, asked.fields, number)


def _unknown_paper(reference: Reference) -> UnknownReply:
    if not reference.text:
        return UnknownReply("the question names no paper", "Which paper? The question names none: add its title.")
    called = quoted(reference.text)
    titles = [catalog_text.quoted_title(paper) for paper in reference.nearest]
    nearest = f" The nearest titles are {joined(titles)}." if titles else ""
    text = f"The catalog has no paper called “{called}”.{nearest}"
    return UnknownReply(f"no paper in the library is called “{called}”", text, reference.nearest)
