"""Describe the library as a whole from the catalog: what is in it, what was added, how many papers of each kind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from assistant.digest import catalog_text
from assistant.digest.catalog_lists import MAX_NAMED, limits_of, list_reply, mentioning, topic_of
from assistant.digest.catalog_papers import CatalogSearch
from assistant.digest.catalog_text import CatalogReply, counted, joined, quoted, stated
from assistant.question.catalog_question import CatalogQuestion
from assistant.question.time_range import time_range, without_time, written_day
from assistant.schema import Filters, Paper, Selection, Sentence, Sort
from assistant.text.matching import words

if TYPE_CHECKING:
    from assistant.storage.catalog import Catalog

# Years, venues and authors that a breakdown names.
_MAX_GROUPS = 12
# Words for what papers are counted by.
_BY_VENUE = re.compile(r"\b(?:venue|journal|conference|proceedings)", re.IGNORECASE)
_BY_AUTHOR = re.compile(r"\b(?:author|people|person|who\b|wrote|written)", re.IGNORECASE)
_BY_SOURCE = re.compile(r"\b(?:source|file)", re.IGNORECASE)
_WHEN = re.compile(r"\bwhen\b", re.IGNORECASE)


def contents(catalog: Catalog, search: CatalogSearch) -> CatalogReply:
    """Return the size of the library, what is recorded of its papers, and where they come from."""
    listed, counts = search.listed(Filters(), sort=Sort.TITLE), catalog.papers.count_recorded()
    names = ("abstract", "title", "authors", "year", "venue")
    fields = joined([f"the {name} of {f'{counts[name]:,}' if counts[name] else 'none'}" for name in names])
    facts = (stated(f"The library has {counted(listed.total)}."), stated(f"Recorded are {fields}."))
    return replace(list_reply(listed), sentences=(*facts, *_sources(catalog)), papers=())


def _sources(catalog: Catalog) -> Iterator[Sentence]:
    """Yield where the papers come from; nothing for papers that were put into the catalog without a source."""
    sources = sorted(catalog.records.sources(), key=lambda source: -source.papers)
    if sources:
        files = joined(
            [f"{quoted(source.label or source.name)} ({source.papers:,})" for source in sources[:_MAX_GROUPS]]
        )
        yield stated(f"They come from {counted(len(sources), 'source')}: {files}.")


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
    listed = search.listed(limits_of(asked, search), asked.subject)
    about = " ".join(filter(None, [by, mentioning(asked.subject, listed.total)]))
    text = f"Papers by {about}{more}: {'; '.join(parts)}." if groups else _no_group(by, missing)
    table = catalog_text.table(listed.papers, listed.total) if listed.papers else None
    return CatalogReply("From the catalog.", (stated(text),), (), table)


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
        return "source", {source.label or source.name: source.papers for source in catalog.records.sources()}
    by = "venue" if _BY_VENUE.search(asked.text) else "year"
    filters = search.query.filters.within(search.query.scope)
    selection = Selection(filters, tuple(words(asked.subject)))
    return by, catalog.papers.count_by(by, selection)


def added(asked: CatalogQuestion, catalog: Catalog, search: CatalogSearch) -> CatalogReply:
    """Return the papers that were added in the time that the question names, or last; or when a paper was added."""
    if _WHEN.search(asked.text) and (papers := search.referred(asked).papers):
        return _days_of(papers[:MAX_NAMED], catalog)
    named, topic = time_range(asked.text, datetime.now().astimezone()), _topic(asked, search)
    among = catalog.records.added_within(named.start, named.end) if named else None
    listed = search.listed(Filters(), topic, Sort.ADDED, among=among)
    when = f"added {named}" if named else "by the day of addition, the latest first"
    reply = list_reply(listed, mentioning(topic, listed.total), when)
    days = _days(listed.papers[:MAX_NAMED], catalog)
    entries = [replace(each, text=f"{each.text}, {days[rank]}") for rank, each in enumerate(reply.sentences[1:])]
    return replace(reply, sentences=(*reply.sentences[:1], *entries, *_last_ingest(catalog)))


def _topic(asked: CatalogQuestion, search: CatalogSearch) -> str:
    """Return the subject of the question without the words for a time, which the subject may have taken in."""
    return topic_of(replace(asked, subject=without_time(asked.subject)), search)


def _days_of(papers: Sequence[Paper], catalog: Catalog) -> CatalogReply:
    """Return when each of the papers was added."""
    days = _days(papers, catalog)
    sentences = [
        stated(f"{catalog_text.quoted_title(paper)}: {day}.", number)
        for number, (paper, day) in enumerate(zip(papers, days, strict=True), start=1)
    ]
    return CatalogReply("From the catalog.", tuple(sentences), tuple(papers))


def _days(papers: Sequence[Paper], catalog: Catalog) -> list[str]:
    """Return the day on which each paper was added, in words."""
    moments = catalog.records.added_at([paper.id for paper in papers])
    return [
        f"added on {written_day(moments[paper.id].astimezone())}"
        if paper.id in moments
        else f"day of addition {catalog_text.NOT_RECORDED}"
        for paper in papers
    ]


def _last_ingest(catalog: Catalog) -> Iterator[Sentence]:
    if last := catalog.records.last_ingest:
        yield stated(f"The last ingest was completed on {written_day(last.astimezone())}.")
