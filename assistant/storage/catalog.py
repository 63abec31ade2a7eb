"""The one truth about papers: records, what was merged, what is indexed. SQLAlchemy Core on SQLite in WAL mode.

    records   what each source says            marks    traces by which equal papers find each other
    papers    the records of one paper merged  indexed  (paper, fingerprint) pairs that the indexes hold or take
    aliases   ids that papers used to have     facts    schema version, generation stamp
    apart     records that a person keeps from being merged

The store and the lexicon are derived from it. It is written first and marked last: a paper whose fingerprint
differs from its mark in `indexed` is simply indexed again, which repairs every interruption.
Papers are shown once they are indexed: what `list` shows, `search` can find. Papers without an abstract are shown
at once and never indexed: there is nothing in them to find an answer in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from assistant.batches import batches
from assistant.errors import LibraryError, NotFoundError
from assistant.question.filters import folded, holds, is_by, is_from, letters, names, surname
from assistant.schema import ALL_PAPERS, Filters, Page, Paper, Record, Scope, Selection, Sort
from assistant.storage.catalog_schema import (
    ANNOUNCED,
    HAS_ABSTRACT,
    SCHEMA_VERSION,
    aliases,
    apart,
    digest,
    facts,
    fingerprint,
    indexed,
    marks,
    paper_of,
    paper_row,
    papers,
    record_of,
    record_row,
    records,
    set_fact,
    set_up,
)
from assistant.storage.database import MAX_PARAMETERS, Database, Findings, copy_rows

# So many orders of papers are remembered; one of 80,000 papers takes 6 MB.
_MOST_ORDERS = 6
_LAST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as the catalog holds it: its number, its paper, and the ingest run that last met it."""

    number: int
    record: Record
    paper_id: str
    run: int


@dataclass(frozen=True, slots=True)
class Source:
    """A source by its name, with how many papers it has and how many records it gave."""

    name: str
    papers: int
    records: int


@dataclass(frozen=True, slots=True)
class Change:
    """A paper as it shall be.

    `new` are records to add, with the marks of each; `superseded` the numbers of records that newer ones
    of the same source replace; `absorbed` the ids under which the paper, or parts of it, stood before.
    """

    paper: Paper
    new: Mapping[Record, Collection[str]]
    superseded: frozenset[int]
    absorbed: frozenset[str]


class Catalog:
    """The catalog in one SQLite file. Safe for many readers beside one writer."""

    def __init__(self, file: Path) -> None:
        """Opens or creates it. Raises LibraryError for an unreadable file or one of a newer version."""
        self.file = file
        self._database = Database(file, "catalog", set_up, _FUNCTIONS)
        self._findings = Findings(self._database, _MOST_ORDERS)
        with self._reading() as connection:
            version = connection.scalar(sa.select(facts.c.value).where(facts.c.name == "version"))
        if version != SCHEMA_VERSION:
            raise LibraryError(
                f"the catalog {file} has version {version}, this paperchat reads {SCHEMA_VERSION}: upgrade paperchat"
            )

    def copy_to(self, file: Path) -> None:
        """Write the catalog as it is at this moment to another file. Raises LibraryError."""
        self._database.copy_to(file)

    def check(self) -> None:
        """Read everything. Raises LibraryError where something is damaged."""
        self._database.check()
        try:
            with self._reading() as connection:
                for table, read in ((papers, paper_of), (records, record_of)):
                    for row in connection.execution_options(yield_per=1000).execute(sa.select(table)):
                        read(row)
        except (TypeError, ValueError) as error:
            raise LibraryError(f"the catalog {self.file} is damaged: {error}") from error

    def close(self) -> None:
        """Release the file."""
        self._database.close()

    # Reading

    def get(self, paper_ids: Sequence[str]) -> list[Paper]:
        """The papers of these ids that are shown, in their order; unknown ids are passed over."""
        found: dict[str, Paper] = {}
        for row in self._select_in(_shown(), papers.c.id, paper_ids):
            found[row.id] = paper_of(row)
        return [found[paper_id] for paper_id in paper_ids if paper_id in found]

    def find(self, paper_id: str) -> Paper:
        """The paper of an id, of an id that it used to have, or of an id's beginning. Raises NotFoundError."""
        with self._reading() as connection:
            alias = connection.scalar(sa.select(aliases.c.paper_id).where(aliases.c.id == paper_id))
            beginning = alias or paper_id
            # LIKE would look at every paper.
            begins = papers.c.id.between(beginning, beginning + _LAST_CHARACTER)
            wanted = _shown().where(begins).order_by(papers.c.id).limit(2)
            rows = connection.execute(wanted).all()
        # A whole id comes first, and may be the beginning of another one.
        if not paper_id or not rows or (len(rows) > 1 and rows[0].id != beginning):
            raise NotFoundError(f"{'several papers have' if rows else 'no paper has'} the id {paper_id!r}")
        return paper_of(rows[0])

    def all(self, selection: Selection = ALL_PAPERS) -> Iterator[Paper]:
        """Every paper that is shown and selected, by id."""
        with self._reading() as connection:
            rows = connection.execution_options(yield_per=1000).execute(_selected(selection).order_by(papers.c.id))
            yield from map(paper_of, rows)

    def page(
        self,
        selection: Selection = ALL_PAPERS,
        sort: Sort = Sort.ID,
        *,
        backwards: bool = False,
        offset: int = 0,
        limit: int = 20,
    ) -> Page:
        """A stretch of the papers that are shown and selected, in an order that is the same every time.

        Years and additions begin with the latest, everything else with the first.
        """
        # Every paper is looked at to find the first few; whoever turns the pages should not wait for it each time.
        ids = self._findings.get((selection, sort, backwards), lambda: self._ordered(selection, sort, backwards))
        return Page(tuple(self.get(ids[offset : offset + limit])), offset, len(ids))

    def count(self) -> int:
        """How many papers are shown."""
        return self._findings.get("count", self._counted)

    def count_without_abstract(self) -> int:
        """How many of them have no abstract."""
        with self._reading() as connection:
            return _number(connection, sa.select(papers).where(~HAS_ABSTRACT))

    def indexed_count(self) -> int:
        """How many papers the indexes hold."""
        with self._reading() as connection:
            return connection.scalar(sa.select(sa.func.count()).select_from(indexed)) or 0

    def allowed_ids(self, filters: Filters, scope: Scope) -> Set[str] | None:
        """Ids of the indexed papers that may be looked at; None where that is all of them."""
        if not filters and not scope:
            return None
        if not scope.pinned:
            return self._findings.get(filters, lambda: self._matching(filters)).difference(scope.excluded)
        allowed = sa.select(papers.c.id).where(_is_indexed(), *_conditions(filters))
        found = self._select_in(allowed, papers.c.id, sorted(set(scope.pinned) - set(scope.excluded)))
        return frozenset(row.id for row in found)

    def newest(self, allowed_ids: Collection[str], limit: int) -> list[Paper]:
        """The newest of these papers; those without a year come last."""
        by_year = sa.select(papers.c.id).where(_is_indexed()).order_by(papers.c.year.desc().nulls_last(), papers.c.id)
        with self._reading() as connection:
            found = [each for each in connection.scalars(by_year) if each in allowed_ids]
        return self.get(found[:limit])

    def is_author(self, name: str) -> bool:
        """Whether an indexed paper names an author of this name."""
        with self._reading() as connection:
            by_name = sa.select(papers.c.id).where(_is_indexed(), *_conditions(Filters(authors=(name,)))).limit(1)
            return connection.scalar(by_name) is not None

    def lacking(self, filters: Filters) -> dict[str, int]:
        """How many of the papers that are shown do not say what is filtered by at all."""
        asked = {"authors": filters.authors, "title": filters.titles, "venue": filters.venues}
        years = (filters.since, filters.until) != (None, None)
        names = [name for name, values in (asked | {"year": ("year",) * years}).items() if values]
        empty = {name: papers.c.authors == [] if name == "authors" else papers.c[name].is_(None) for name in names}
        with self._reading() as connection:
            return {name: _number(connection, _shown().where(condition)) for name, condition in empty.items()}

    def pending(self, limit: int, after: str = "") -> list[Paper]:
        """Papers that the indexes do not hold as they are now, by id, from the first id after the given one on."""
        with self._reading() as connection:
            rows = connection.execute(_waiting().where(papers.c.id > after).order_by(papers.c.id).limit(limit))
            return [paper_of(row) for row in rows]

    def pending_count(self) -> int:
        """How many papers wait to be indexed."""
        with self._reading() as connection:
            return _number(connection, _waiting())

    def indexed_as(self, paper_ids: Sequence[str]) -> dict[str, str]:
        """Those of the papers that the indexes hold as they are now, with their fingerprints."""
        same = (indexed.c.paper_id == papers.c.id) & (indexed.c.fingerprint == papers.c.fingerprint)
        query = sa.select(papers.c.id, papers.c.fingerprint).where(sa.exists().where(same))
        return {row.id: row.fingerprint for row in self._select_in(query, papers.c.id, paper_ids)}

    def indexed_ids(self) -> set[str]:
        """Ids of the papers that the indexes hold, as far as the catalog knows."""
        with self._reading() as connection:
            return set(connection.scalars(sa.select(papers.c.id).where(_is_indexed(), HAS_ABSTRACT)))

    def marked_ids(self) -> set[str]:
        """Ids that the indexes may hold: also those that they are taking or about to forget."""
        with self._reading() as connection:
            return set(connection.scalars(sa.select(indexed.c.paper_id)))

    def stale(self) -> list[str]:
        """Ids that the indexes hold and that no paper with an abstract has any more."""
        with self._reading() as connection:
            kept = sa.exists().where((papers.c.id == indexed.c.paper_id) & HAS_ABSTRACT)
            gone = sa.select(indexed.c.paper_id).where(~kept)
            return list(connection.scalars(gone.order_by(indexed.c.paper_id)))

    def held(self, wanted: Collection[Record]) -> set[Record]:
        """Which of these very records, from the same sources, are held already."""
        by_digest = {digest(record): record for record in wanted}
        rows = self._select_in(sa.select(records.c.digest), records.c.digest, list(by_digest))
        return {by_digest[row.digest] for row in rows}

    def sources(self) -> list[Source]:
        """The sources of the records held, by name."""
        counts = sa.func.count(records.c.paper_id.distinct()), sa.func.count()
        with self._reading() as connection:
            rows = connection.execute(sa.select(records.c.source, *counts).group_by(records.c.source))
            return [Source(*row) for row in sorted(map(tuple, rows))]

    def papers_of(self, source: str) -> tuple[list[str], list[str]]:
        """Ids of the papers that this source alone has, and of those that others have too."""
        others = records.alias()
        shared = sa.exists().where((others.c.paper_id == records.c.paper_id) & (others.c.source != source))
        query = sa.select(records.c.paper_id).where(records.c.source == source).distinct().order_by(records.c.paper_id)
        with self._reading() as connection:
            return list(connection.scalars(query.where(~shared))), list(connection.scalars(query.where(shared)))

    def sharing(self, wanted: Collection[str]) -> dict[str, list[Stored]]:
        """For each mark, the records held that bear it; not those that were set apart."""
        found: dict[str, list[Stored]] = {}
        query = sa.select(marks.c.mark, records).join(records, records.c.number == marks.c.record)
        query = query.where(~sa.exists().where(apart.c.record == records.c.number))
        for row in self._select_in(query, marks.c.mark, list(wanted)):
            found.setdefault(row.mark, []).append(_stored(row))
        return found

    def records_of(self, paper_ids: Collection[str]) -> list[Stored]:
        """Every record of these papers."""
        return [_stored(row) for row in self._select_in(sa.select(records), records.c.paper_id, list(paper_ids))]

    @property
    def generation(self) -> int:
        """A number that grows whenever the indexes change: how a reader knows that it must look again."""
        return self._fact("generation") or 0

    @property
    def library_id(self) -> int:
        """A number that no other library has: drawn when the catalog was made, and not copied by backups."""
        return self._fact("library") or 0

    @property
    def store_stamp(self) -> int:
        """The stamp of the store that the marks are about; 0 before anything was indexed."""
        return self._fact("store") or 0

    @property
    def last_ingest(self) -> datetime | None:
        """When an ingest was completed last, in UTC."""
        seconds = self._fact("ingested")
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

    # Writing

    def next_run(self) -> int:
        """The number of a new ingest run."""
        with self._writing() as connection:
            return self._increment(connection, "run")

    def note_ingest(self, when: datetime) -> None:
        """Note when an ingest was completed."""
        with self._writing() as connection:
            self._note(connection, "ingested", int(when.timestamp()))

    def seen(self, again: Collection[Record], run: int) -> None:
        """Note that these records, held already, were met again in this run."""
        with self._writing() as connection:
            for batch in batches([digest(record) for record in again], MAX_PARAMETERS):
                connection.execute(sa.update(records).where(records.c.digest.in_(batch)).values(run=run))

    def put(self, changes: Sequence[Change], run: int) -> None:
        """Write the papers, their records and marks in one transaction. Raises LibraryWriteError."""
        with self._writing() as connection:
            if changes:
                self._put(connection, changes, run)

    def delete(self, paper_ids: Collection[str]) -> None:
        """Forget papers with their records. The indexes follow at the next synchronisation."""
        with self._writing() as connection:
            for batch in batches(paper_ids, MAX_PARAMETERS):
                numbers = sa.select(records.c.number).where(records.c.paper_id.in_(batch))
                _drop_records(connection, list(connection.scalars(numbers)))
                connection.execute(sa.delete(papers).where(papers.c.id.in_(batch)))
                connection.execute(sa.delete(aliases).where(aliases.c.paper_id.in_(batch)))

    def is_apart(self, paper_id: str) -> bool:
        """Whether the paper was set apart from another."""
        held = sa.select(apart).join(records, records.c.number == apart.c.record).where(records.c.paper_id == paper_id)
        with self._reading() as connection:
            return connection.execute(held.limit(1)).first() is not None

    def divide(
        self,
        paper_id: str,
        dropped: Collection[int],
        parts: Mapping[Paper, Collection[int]],
        alone: Collection[int] = (),
    ) -> None:
        """Put papers in the place of one, each with the records of these numbers; forget the records dropped.

        The id that is gone leads to the first of them. With the records in `alone` no other is merged from now on.
        """
        with self._writing() as connection:
            _drop_records(connection, list(dropped))
            connection.execute(sa.delete(papers).where(papers.c.id.in_({paper_id, *(part.id for part in parts)})))
            for paper, numbers in parts.items():
                connection.execute(sa.insert(papers).values(**paper_row(paper)))
                for batch in batches(numbers, MAX_PARAMETERS):
                    moved = sa.update(records).where(records.c.number.in_(batch))
                    connection.execute(moved.values(paper_id=paper.id))
            if alone:
                rows = [{"record": number} for number in sorted(alone)]
                connection.execute(insert(apart).on_conflict_do_nothing(), rows)
            kept = {paper.id for paper in parts}
            connection.execute(sa.delete(aliases).where(aliases.c.id.in_(kept)))
            if paper_id not in kept:
                heir = next(iter(parts)).id
                connection.execute(sa.update(aliases).where(aliases.c.paper_id == paper_id).values(paper_id=heir))
                connection.execute(_alias(paper_id, heir))

    def join(self, paper: Paper, paper_ids: Collection[str]) -> None:
        """Put one paper in the place of several, with all their records, which may be merged with others again."""
        with self._writing() as connection:
            numbers = sa.select(records.c.number).where(records.c.paper_id.in_(paper_ids))
            connection.execute(sa.delete(apart).where(apart.c.record.in_(numbers)))
            self._put(connection, [Change(paper, {}, frozenset(), frozenset(paper_ids))], run=0)

    def announce(self, coming: Iterable[Paper], store_stamp: int) -> None:
        """Note that the indexes, with the store of this stamp, are about to take these papers.

        So none is forgotten there after a crash.
        """
        rows = [{"paper_id": paper.id, "fingerprint": ANNOUNCED} for paper in coming]
        with self._writing() as connection:
            connection.execute(insert(indexed).on_conflict_do_nothing(), rows)
            self._note(connection, "store", store_stamp)

    def mark_indexed(self, done: Iterable[Paper], gone: Collection[str] = ()) -> None:
        """Note that the indexes hold these papers as they are, and no longer the ids in `gone`."""
        with self._writing() as connection:
            for batch in batches(gone, MAX_PARAMETERS):
                connection.execute(sa.delete(indexed).where(indexed.c.paper_id.in_(batch)))
            rows = [{"paper_id": paper.id, "fingerprint": fingerprint(paper)} for paper in done]
            if rows:
                upsert = insert(indexed)
                connection.execute(upsert.on_conflict_do_update(["paper_id"], set_=dict(upsert.excluded)), rows)
            self._increment(connection, "generation")

    def take_over(self, other: Catalog) -> None:
        """Hold what another catalog holds, and nothing else; none of it is marked as indexed. Raises LibraryError."""
        with other._reading() as source, self._writing() as connection:
            copy_rows(source, connection, (papers, records, marks, aliases, apart))
            for name in ("run", "ingested"):
                if (value := other._fact(name)) is not None:
                    self._note(connection, name, value)
            connection.execute(sa.update(indexed).values(fingerprint=ANNOUNCED))  # the indexes are to forget these
            self._increment(connection, "generation")

    def unmark(self, paper_ids: Collection[str]) -> None:
        """Note that the indexes may hold these papers, but not as they are: they are to be indexed again."""
        with self._writing() as connection:
            for batch in batches(sorted(paper_ids), MAX_PARAMETERS):
                known = sa.update(indexed).where(indexed.c.paper_id.in_(batch))
                connection.execute(known.values(fingerprint=ANNOUNCED))

    def unmark_all(self) -> None:
        """Note that the indexes hold nothing: everything is to be indexed again."""
        with self._writing() as connection:
            connection.execute(sa.delete(indexed))
            self._increment(connection, "generation")

    @staticmethod
    def _put(connection: sa.Connection, changes: Sequence[Change], run: int) -> None:
        """All changes by a few statements: most are of papers that are new."""
        _drop_records(connection, [number for change in changes for number in change.superseded])
        kept = [change.paper.id for change in changes]
        for change in changes:
            if change.absorbed:
                _absorb(connection, change.absorbed | {change.paper.id}, change.paper.id)
        rows = [paper_row(change.paper) for change in changes]
        connection.execute(sa.insert(papers).prefix_with("OR REPLACE"), rows)
        _add_records(connection, changes, run)
        for batch in batches(kept, MAX_PARAMETERS):
            connection.execute(sa.delete(aliases).where(aliases.c.id.in_(batch)))
        for change in changes:
            for old in change.absorbed - {change.paper.id}:
                connection.execute(sa.update(aliases).where(aliases.c.paper_id == old).values(paper_id=change.paper.id))
                connection.execute(_alias(old, change.paper.id))

    @staticmethod
    def _note(connection: sa.Connection, name: str, value: int) -> None:
        connection.execute(set_fact(name, value).on_conflict_do_update(["name"], set_={"value": value}))

    @staticmethod
    def _increment(connection: sa.Connection, name: str) -> int:
        upsert = set_fact(name, 1)
        grown = upsert.on_conflict_do_update(["name"], set_={"value": facts.c.value + 1}).returning(facts.c.value)
        return int(connection.execute(grown).scalar_one())

    def _ordered(self, selection: Selection, sort: Sort, backwards: bool) -> list[str]:
        wanted = _selected(selection).with_only_columns(papers.c.id).order_by(*_order(sort, backwards))
        with self._reading() as connection:
            return list(connection.scalars(wanted))

    def _matching(self, filters: Filters) -> frozenset[str]:
        # Each question alone is answered in the order in which the papers lie, all of them together are not. Nearly
        # all papers are without a word: it is faster to look for the others.
        shown = self._findings.get("indexed", lambda: self._ids(_is_indexed()))
        unwanted = [self._ids(_says(phrase)) for phrase in filters.without]
        return shown.intersection(self._ids(*_conditions(replace(filters, without=())))).difference(*unwanted)

    def _ids(self, *conditions: sa.ColumnElement[bool]) -> frozenset[str]:
        ids = sa.select(sa.func.json_group_array(papers.c.id))  # rows would take longer to arrive than to be found
        with self._reading() as connection:
            return frozenset(json.loads(connection.scalar(ids.where(*conditions)) or "[]"))

    def _counted(self) -> int:
        with self._reading() as connection:
            return _number(connection, _shown())

    def _fact(self, name: str) -> int | None:
        with self._reading() as connection:
            return connection.scalar(sa.select(facts.c.value).where(facts.c.name == name))

    def _writing(self) -> AbstractContextManager[sa.Connection]:
        return self._database.writing()

    def _reading(self) -> AbstractContextManager[sa.Connection]:
        return self._database.reading()

    def _select_in(self, query: sa.Select[Any], column: sa.Column[Any], values: Sequence[Any]) -> Iterator[Any]:
        """Rows of the query whose column is one of the values, however many values there are."""
        with self._reading() as connection:
            for batch in batches(values, MAX_PARAMETERS):
                yield from connection.execute(query.where(column.in_(batch)))


@lru_cache(maxsize=256)  # many papers are of the same sources
def _is_from(sources: str, part: str) -> bool:
    return is_from(json.loads(sources), part)


# What SQL asks of a paper's columns; lists are JSON there.
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "paperchat_folded": lambda title: None if title is None else folded(title),
    "paperchat_has": lambda word, title, abstract, venue, authors: (
        holds(abstract, word) or holds(title, word) or holds(venue, word) or names(authors, word)
    ),
    "paperchat_surname": lambda authors: surname(json.loads(authors)),
    "paperchat_holds": holds,
    "paperchat_says": lambda phrase, title, abstract: holds(abstract, phrase) or holds(title, phrase),
    "paperchat_is_by": lambda authors, name: is_by(json.loads(authors), name),
    "paperchat_is_from": _is_from,
}


def _shown() -> sa.Select[Any]:
    return sa.select(papers).where(_is_indexed() | ~HAS_ABSTRACT)


def _is_indexed() -> sa.ColumnElement[bool]:
    return sa.exists().where((indexed.c.paper_id == papers.c.id) & (indexed.c.fingerprint != ANNOUNCED))


def _conditions(filters: Filters) -> list[sa.ColumnElement[bool]]:
    """What the filters ask, the cheapest first; the functions are those of `_FUNCTIONS`."""
    asked: list[sa.ColumnElement[bool]] = []
    asked += [papers.c.year >= filters.since] if filters.since is not None else []
    asked += [papers.c.year <= filters.until] if filters.until is not None else []
    asked += [sa.func.paperchat_holds(papers.c.venue, venue) for venue in filters.venues]
    asked += [sa.func.paperchat_holds(papers.c.title, title) for title in filters.titles]
    asked += [sa.func.paperchat_is_from(papers.c.sources, source) for source in filters.sources]
    asked += [_is_by(name) for name in filters.authors]
    asked += [_says(phrase) for phrase in filters.phrases]
    return [*asked, *(sa.not_(_says(phrase)) for phrase in filters.without)]


def _says(phrase: str) -> sa.ColumnElement[bool]:
    return sa.func.paperchat_says(phrase, papers.c.title, papers.c.abstract)


def _is_by(name: str) -> sa.ColumnElement[bool]:
    # Most papers are by somebody else, and where no letter is escaped SQL sees this by itself, ten times as fast.
    written = sa.cast(papers.c.authors, sa.Text)
    perhaps = [written.contains("\\"), *(written.icontains(word) for word in letters(name))]
    return sa.and_(sa.or_(*perhaps), sa.func.paperchat_is_by(papers.c.authors, name))


def _selected(selection: Selection) -> sa.Select[Any]:
    return _shown().where(*_conditions(selection.filters), *map(_has, selection.words))


def _has(word: str) -> sa.ColumnElement[bool]:
    return sa.func.paperchat_has(word, papers.c.title, papers.c.abstract, papers.c.venue, papers.c.authors)


def _order(sort: Sort, backwards: bool) -> list[sa.ColumnElement[Any]]:
    """What to sort by; of equals the one with the smaller id comes first."""
    added = sa.select(sa.func.min(records.c.number)).where(records.c.paper_id == papers.c.id).scalar_subquery()
    keys: dict[Sort, sa.ColumnElement[Any]] = {
        Sort.ID: papers.c.id,
        Sort.TITLE: sa.func.paperchat_folded(papers.c.title),
        Sort.AUTHOR: sa.func.paperchat_surname(papers.c.authors),
        Sort.YEAR: papers.c.year,
        Sort.VENUE: papers.c.venue,
        Sort.ADDED: added,
    }
    falling = sort.latest_first is not backwards
    key = keys[sort].desc() if falling else keys[sort].asc()
    return [key.nulls_last(), papers.c.id]


def _waiting() -> sa.Select[Any]:
    same = (indexed.c.paper_id == papers.c.id) & (indexed.c.fingerprint == papers.c.fingerprint)
    return sa.select(papers).where(~sa.exists().where(same) & HAS_ABSTRACT)


def _number(connection: sa.Connection, rows: sa.Select[Any]) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(rows.subquery())) or 0


def _absorb(connection: sa.Connection, gone: Collection[str], paper_id: str) -> None:
    """Give a paper the records of those that it takes the place of, and forget these."""
    connection.execute(sa.update(records).where(records.c.paper_id.in_(gone)).values(paper_id=paper_id))
    connection.execute(sa.delete(papers).where(papers.c.id.in_(gone)))


def _add_records(connection: sa.Connection, changes: Sequence[Change], run: int) -> None:
    """Insert the new records with their marks."""
    last = connection.scalar(sa.select(sa.func.max(records.c.number))) or 0
    new = [(record, traces, change.paper.id) for change in changes for record, traces in change.new.items()]
    numbered = list(enumerate(new, start=last + 1))
    if numbered:
        rows = [record_row(record, paper_id, run) | {"number": number} for number, (record, _, paper_id) in numbered]
        connection.execute(sa.insert(records), rows)
    if traced := [{"mark": mark, "record": number} for number, (_, traces, _) in numbered for mark in sorted(traces)]:
        connection.execute(sa.insert(marks), traced)


def _alias(old: str, new: str) -> Any:
    return insert(aliases).values(id=old, paper_id=new).on_conflict_do_update(["id"], set_={"paper_id": new})


def _drop_records(connection: sa.Connection, numbers: Sequence[int]) -> None:
    for batch in batches(numbers, MAX_PARAMETERS):
        connection.execute(sa.delete(marks).where(marks.c.record.in_(batch)))
        connection.execute(sa.delete(apart).where(apart.c.record.in_(batch)))
        connection.execute(sa.delete(records).where(records.c.number.in_(batch)))


def _stored(row: Any) -> Stored:
    return Stored(row.number, record_of(row), row.paper_id, row.run)
