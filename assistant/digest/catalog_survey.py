"""Describe the library as a whole from the catalog: what is in it, what was added, how many papers of each kind."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from assistant.digest import catalog_text
from assistant.digest.catalog_lists import limits_of, list_reply, mentioning
from assistant.digest.catalog_papers import CatalogSearch
from assistant.digest.catalog_text import CatalogReply, counted, joined, quoted, stated
from assistant.question.catalog_question import CatalogQuestion
from assistant.schema import Filters, Selection, Sort
from assistant.text.matching import words

if TYPE_CHECKING:
    from assistant.storage.catalog import Catalog

# Years, venues and authors that a breakdown names.
_MAX_GROUPS = 12
# Words for what papers are counted by.
_BY_VENUE = re.compile(r"\b(?:venue|journal|conference|proceedings)", re.IGNORECASE)
_BY_AUTHOR = re.compile(r"\b(?:author|people|person|who\b|wrote|written)", re.IGNORECASE)
_BY_SOURCE = re.compile(r"\b(?:source|file)", re.IGNORECASE)


def contents(catalog: Catalog, search: CatalogSearch) -> CatalogReply:
    """Return the size of the library, what is recorded of its papers, and where they come from."""
    listed, counts = search.listed(Filters(), sort=Sort.TITLE), catalog.papers.count_recorded()
    names = ("abstract", "title", "authors", "year", "venue")
    fields = joined(
        [f"the {name} of {counts[name] or 'none':,}" if counts[name] else f"the {name} of none" for name in names]
    )
    sources = sorted(catalog.records.sources(), key=lambda source: -source.papers)
    files = joined([f"{quoted(source.name)} ({source.papers:,})" for source in sources[:_MAX_GROUPS]])
    reply = list_reply(listed)
    facts = (
        stated(f"The library has {counted(listed.total)}."),
        stated(f"Recorded are {fields}."),
        stated(f"They come from {counted(len(sources), 'source')}: {files}."),
    )
    return replace(reply, sentences=facts, papers=())


def breakdown(asked: CatalogQuestion, catalog: Catalog, search: CatalogSearch) -> CatalogReply:
    """Return the number of papers for each year, venue, author or source, all or those that mention a topic."""
    by, counts = _groups(asked, catalog, search)
    groups = [(name, count) for name, count in counts.items() if name is not None]
    groups.sort(key=lambda group: (group[0],) if by == "year" else (-group[1], str(group[0])))
    shown = groups[-_MAX_GROUPS:] if by == "year" else groups[:_MAX_GROUPS]
    parts = [f"{quoted(str(name))}: {count:,}" for name, count in shown]
    missing = counts.get(None, 0)
    parts += [f"{catalog_text.NOT_RECORDED}: {missing:,}"] if missing and groups else []
    more = f" (the first {_MAX_GROUPS} of {len(groups):,})" if len(groups) > _MAX_GROUPS else ""
    about = " ".join(filter(None, [by, mentioning(asked.subject)]))
    text = f"Papers by {about}{more}: {'; '.join(parts)}." if groups else _no_group(by, missing)
    listed = search.listed(limits_of(asked, search), asked.subject)
    table = catalog_text.table(listed.papers, listed.total) if listed.papers else None
    return CatalogReply(f"From the catalog: papers by {about}.", (stated(text),), (), table)


def _no_group(by: str, missing: int) -> str:
    return f"The {by} is {catalog_text.NOT_RECORDED} for any of the {counted(missing)}."


def _groups(asked: CatalogQuestion, catalog: Catalog, search: CatalogSearch) -> tuple[str, dict[str | int | None, int]]:
    """Return what the papers are grouped by, and the number of papers of each group."""
    if _BY_AUTHOR.search(asked.text):
        missing = catalog.papers.count() - catalog.papers.count_recorded()["authors"]
        authors: dict[str | int | None, int] = {None: missing}
        authors.update(catalog.papers.author_names().items())
        return "author", authors
    if _BY_SOURCE.search(asked.text):
        return "source", {source.name: source.papers for source in catalog.records.sources()}
    by = "venue" if _BY_VENUE.search(asked.text) else "year"
    selection = Selection(search.query.filters, tuple(words(asked.subject)))
    return by, catalog.papers.count_by(by, selection)


def added(catalog: Catalog, search: CatalogSearch) -> CatalogReply:
    """Return the papers that were added last, and when that was."""
    listed, last = search.listed(Filters(), sort=Sort.ADDED), catalog.records.last_ingest
    day = f"The last ingest was completed on {last.day} {last:%B %Y}" if last else "When papers were added is unknown"
    note = stated(f"{day}; the catalog records the order of additions, but no date for each paper.")
    reply = list_reply(listed, "the latest addition first")
    opening = "From the catalog: the papers that were added last."
    return replace(reply, opening=opening, sentences=(note, *reply.sentences))
