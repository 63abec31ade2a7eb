"""The papers of the catalog: found by id, listed, and filtered.

A paper is shown once it is indexed, so that a search can find whatever a list shows. Papers without an abstract are
shown at once and never indexed, since there is nothing in them to answer a question from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from assistant.errors import NotFoundError
from assistant.schema import ALL_PAPERS, Filters, Page, Paper, Scope, Selection, Sort
from assistant.storage.catalog_schema import HAS_ABSTRACT, IS_INDEXED, IS_SHOWN, aliases, paper_of, papers
from assistant.storage.collections import Collections
from assistant.storage.database import Database, QueryCache
from assistant.storage.notices import Notices
from assistant.storage.paper_queries import conditions, contains, has_word, order
from assistant.storage.paper_topics import PaperTopics
from assistant.storage.title_index import Analyze, TitleIndex

# An order of 80,000 papers takes 6 MB.
_MAX_CACHED = 8
# Characters of an abstract that stand for a missing title.
_MAX_BEGINNING = 100
_LAST_CHARACTER = "\U0010ffff"
_SHOWN = sa.select(papers).where(IS_SHOWN)


class Papers:
    """Reads papers; the catalog writes them. Every method raises LibraryError where the file cannot be read.

    Methods that take filters raise InputError where these name an unknown collection or topic.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._collections, self._topics = Collections(database), PaperTopics(database)
        self._notices = Notices(database)
        self._cache = QueryCache(database, _MAX_CACHED)

    def get(self, paper_ids: Sequence[str]) -> list[Paper]:
        """Return the papers of these ids in their order, without those that are unknown or not shown."""
        by_id = {row.id: row for row in self._database.select_in(_SHOWN, papers.c.id, paper_ids)}
        return self._convert(by_id[paper_id] for paper_id in paper_ids if paper_id in by_id)

    def find(self, paper_id: str) -> Paper:
        """Return the paper of an id, a former id, or the beginning of an id. Raises NotFoundError."""
        with self._database.reading() as connection:
            current = connection.scalar(sa.select(aliases.c.paper_id).where(aliases.c.id == paper_id))
            prefix = current or paper_id
            # LIKE would scan every paper.
            begins = (papers.c.id >= prefix) & (papers.c.id <= prefix + _LAST_CHARACTER)
            rows = connection.execute(_SHOWN.where(begins).order_by(papers.c.id).limit(2)).all()
        # A whole id comes first, and may be the beginning of another one.
        if not paper_id or not rows or (len(rows) > 1 and rows[0].id != prefix):
            raise NotFoundError(f"{'several papers have' if rows else 'no paper has'} the id {paper_id!r}")
        return self._convert(rows[:1])[0]

    def resolve(self, paper_ids: Sequence[str]) -> list[str]:
        """Return the present ids of papers, by ids as `find` takes them. Raises NotFoundError."""
        shown = {row.id for row in self._database.select_in(_SHOWN, papers.c.id, paper_ids)}
        return [paper_id if paper_id in shown else self.find(paper_id).id for paper_id in paper_ids]

    def present_ids(self, paper_ids: Sequence[str]) -> list[str]:
        """Return the present ids of papers that may have had other ones, without papers that are gone."""
        rows = self._database.select_in(sa.select(aliases), aliases.c.id, paper_ids)
        current = {row.id: row.paper_id for row in rows}
        present = list(dict.fromkeys(current.get(paper_id, paper_id) for paper_id in paper_ids))
        shown = {row.id for row in self._database.select_in(_SHOWN, papers.c.id, present)}
        return [paper_id for paper_id in present if paper_id in shown]

    def all(self, selection: Selection = ALL_PAPERS) -> Iterator[Paper]:
        """Yield every selected paper that is shown, by id."""
        query = self._selected(selection).order_by(papers.c.id)
        with self._database.snapshot() as connection:
            for rows in connection.execution_options(yield_per=1000).execute(query).partitions():
                yield from self._convert(rows)

    def page(
        self,
        selection: Selection = ALL_PAPERS,
        sort: Sort = Sort.ID,
        *,
        reverse: bool = False,
        offset: int = 0,
        limit: int = 20,
    ) -> Page:
        """Return a page of the selected papers that are shown, in a reproducible order.

        Years and dates of addition begin with the latest, everything else with the first; `reverse` turns this round.
        """
        # Sorting looks at every paper; turning to the next page should not.
        ids = self._cache.get((selection, sort, reverse), lambda: self._ordered_ids(selection, sort, reverse))
        return Page(tuple(self.get(ids[offset : offset + limit])), offset, len(ids))

    def position(
        self, paper_id: str, selection: Selection = ALL_PAPERS, sort: Sort = Sort.ID, *, reverse: bool = False
    ) -> int | None:
        """Return the position of a paper in the list that `page` shows a part of; None where it is not in it."""
        ids = self._cache.get((selection, sort, reverse), lambda: self._ordered_ids(selection, sort, reverse))
        return ids.index(paper_id) if paper_id in ids else None

    def years(self, selection: Selection = ALL_PAPERS) -> dict[str, int | None]:
        """Return the year of every selected paper that is shown and has an abstract, by its id, in the order of ids."""
        query = self._selected(selection).where(HAS_ABSTRACT).with_only_columns(papers.c.id, papers.c.year)
        with self._database.reading() as connection:
            return dict(map(tuple, connection.execute(query.order_by(papers.c.id))))

    def count(self) -> int:
        """Return the number of papers that are shown."""
        return self._cache.get("count", lambda: self._database.count(_SHOWN))

    def count_without_abstract(self) -> int:
        """Return the number of papers that have no abstract."""
        return self._database.count(sa.select(papers).where(~HAS_ABSTRACT))

    def count_missing(self, filters: Filters) -> dict[str, int]:
        """Return, for each field that is filtered by, the number of shown papers in which it is empty."""
        years = (filters.since, filters.until) != (None, None)
        used = {"authors": filters.authors, "title": filters.titles, "venue": filters.venues, "year": years}
        empty = {name: papers.c.authors == [] if name == "authors" else papers.c[name].is_(None) for name in used}
        return {name: self._database.count(_SHOWN.where(empty[name])) for name, value in used.items() if value}

    def allowed_ids(self, filters: Filters, scope: Scope) -> Set[str] | None:
        """Return the ids of the indexed papers that filters and scope let through; None where that is all of them."""
        if not filters and not scope:
            return None
        filters = filters.within(scope)
        if not scope.pinned:
            return self._cache.get(filters, lambda: self._matching_ids(filters)).difference(scope.excluded)
        query = sa.select(papers.c.id).where(IS_INDEXED, *self._conditions(filters))
        candidates = sorted(set(scope.pinned) - set(scope.excluded))
        return frozenset(row.id for row in self._database.select_in(query, papers.c.id, candidates))

    def newest(self, allowed_ids: Collection[str], limit: int) -> list[Paper]:
        """Return the newest of these papers; those without a year come last."""
        query = sa.select(papers.c.id).where(IS_INDEXED).order_by(papers.c.year.desc().nulls_last(), papers.c.id)
        ids = [paper_id for paper_id in self._database.scalars(query) if paper_id in allowed_ids]
        return self.get(ids[:limit])

    def first_of(self, ids: Collection[str], sort: Sort, *, reverse: bool = False, limit: int = 20) -> list[Paper]:
        """Return the first of these papers in the order of a list."""
        key = (ALL_PAPERS, sort, reverse)
        ordered = self._cache.get(key, lambda: self._ordered_ids(ALL_PAPERS, sort, reverse))
        return self.get([paper_id for paper_id in ordered if paper_id in ids][:limit])

    def has_author(self, name: str) -> bool:
        """Tell whether an indexed paper has an author of this name."""
        query = sa.select(papers.c.id).where(IS_INDEXED, *conditions(Filters(authors=(name,)))).limit(1)
        return self._database.scalar(query) is not None

    def titles(self, analyze: Analyze) -> TitleIndex:
        """Return the index of the titles of the papers that are shown; `analyze` returns the terms of a text."""
        return self._cache.get("titles", lambda: TitleIndex(self.display_titles(), analyze))

    def author_names(self) -> Mapping[str, int]:
        """Return the names of all authors, with the numbers of their papers."""
        return self._cache.get("authors", self._author_names)

    def with_identifier(self, identifier: str, limit: int) -> list[Paper]:
        """Return the papers with this DOI or arXiv id, whatever their case and whatever stands before it."""
        ends = [papers.c[name].iendswith(identifier, autoescape=True) for name in ("doi", "arxiv_id")]
        with self._database.reading() as connection:
            return self._convert(connection.execute(_SHOWN.where(sa.or_(*ends)).limit(limit)))

    def count_recorded(self) -> dict[str, int]:
        """Return for each field of a description the number of shown papers that have it."""
        names = ("title", "year", "venue", "doi", "arxiv_id", "url")
        recorded: dict[str, sa.ColumnElement[bool]] = {name: papers.c[name].is_not(None) for name in names}
        recorded |= {"authors": papers.c.authors != [], "abstract": HAS_ABSTRACT}
        return {name: self._database.count(_SHOWN.where(condition)) for name, condition in recorded.items()}

    def count_by(self, name: str, selection: Selection = ALL_PAPERS) -> dict[str | int | None, int]:
        """Return the number of selected papers for each year or venue; that of None has the papers without one."""
        query = self._selected(selection).with_only_columns(papers.c[name], sa.func.count()).group_by(papers.c[name])
        with self._database.reading() as connection:
            return {value: count for value, count in connection.execute(query)}

    def display_titles(self) -> Iterator[tuple[str, str]]:
        """Yield id and title of each paper that is shown; the first words of its abstract where it has no title."""
        beginning = sa.func.substr(papers.c.abstract, 1, _MAX_BEGINNING)
        query = _SHOWN.with_only_columns(papers.c.id, sa.func.coalesce(papers.c.title, beginning)).order_by(papers.c.id)
        with self._database.reading() as connection:
            yield from map(tuple, connection.execute(query))

    def _convert(self, rows: Iterable[Any]) -> list[Paper]:
        """Return the papers of rows, each with the gravest notice about it."""
        notices = self._notices.by_paper()
        converted = map(paper_of, rows)
        if not notices:
            return list(converted)
        return [replace(paper, notice=next(iter(notices.get(paper.id, ())), None)) for paper in converted]

    def _author_names(self) -> Counter[str]:
        lists = self._database.scalars(_SHOWN.with_only_columns(papers.c.authors))
        return Counter(name for authors in lists for name in authors)

    def _ordered_ids(self, selection: Selection, sort: Sort, reverse: bool) -> list[str]:
        return self._database.scalars(
            self._selected(selection).with_only_columns(papers.c.id).order_by(*order(sort, reverse=reverse))
        )

    def _matching_ids(self, filters: Filters) -> frozenset[str]:
        # SQLite reads the papers in the order in which they are stored for one condition, but not for several at once.
        # Nearly all papers lack an excluded phrase, so the few that have it are looked for.
        indexed_ids = self._cache.get("indexed", lambda: self._ids(IS_INDEXED))
        unwanted = [self._ids(contains(phrase)) for phrase in filters.without]
        wanted = self._ids(*self._conditions(replace(filters, without=())))
        return indexed_ids.intersection(wanted).difference(*unwanted)

    def _ids(self, *where: sa.ColumnElement[bool]) -> frozenset[str]:
        return frozenset(self._database.texts(sa.select(papers.c.id).where(*where)))

    def _selected(self, selection: Selection) -> sa.Select[tuple[str]]:
        return _SHOWN.where(*self._conditions(selection.filters), *map(has_word, selection.words))

    def _conditions(self, filters: Filters) -> list[sa.ColumnElement[bool]]:
        self._collections.require(filters.collections)
        self._topics.require(filters.topics)
        return conditions(filters)
