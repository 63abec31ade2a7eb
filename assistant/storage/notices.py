"""Notices: what publishers and archives have announced about papers, such as a retraction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa

from assistant.schema import Answer, Notice, NoticeKind, Paper
from assistant.storage.catalog_schema import aliases, delete_by_present_ids, notices, under_present_ids
from assistant.storage.database import Database, QueryCache, insert, lock_for_writing

_GRAVITY = {kind: position for position, kind in enumerate(NoticeKind)}


class Notices:
    """The notices about papers. Every method raises LibraryError, those that write LibraryWriteError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cache = QueryCache(database, 1)

    def by_paper(self) -> Mapping[str, tuple[Notice, ...]]:
        """Return the notices about each paper that has any, by its present id, the gravest first."""
        return self._cache.get("notices", self._read)

    def of(self, paper_id: str) -> Notice | None:
        """Return the gravest notice about a paper, by its present id or a former one."""
        by_paper = self.by_paper()
        if not by_paper:
            return None
        if paper_id not in by_paper:
            current = self._database.scalar(sa.select(aliases.c.paper_id).where(aliases.c.id == paper_id))
            paper_id = current or paper_id
        return next(iter(by_paper.get(paper_id, ())), None)

    def replace(self, service: str, checked: Collection[str], by_paper: Mapping[str, Sequence[Notice]]) -> int:
        """Store what a service says now about the papers that it was asked about; return how many papers are new to it.

        `by_paper` has its notices, `checked` are the present ids of all papers asked about. A paper of these without
        notices loses those that the service announced before.
        """
        known = {
            paper_id
            for paper_id, announced in self.by_paper().items()
            if any(notice.service == service for notice in announced)
        }
        rows = [_row(paper_id, notice) for paper_id, announced in by_paper.items() for notice in announced]
        with self._database.writing() as connection:
            lock_for_writing(connection)
            gone = [paper_id for paper_id in checked if paper_id in known and paper_id not in by_paper]
            delete_by_present_ids(connection, notices, gone, notices.c.service == service)
            for row in rows:
                changed = {name: row[name] for name in ("text", "url", "date")}
                upsert = insert(connection, notices).values(**row)
                connection.execute(
                    upsert.on_conflict_do_update(index_elements=["paper_id", "service", "kind"], set_=changed)
                )
        return len(by_paper.keys() - known)

    def untold(self) -> list[str]:
        """Return the present ids of the papers with a notice that no digest has told of."""
        rows = under_present_ids(notices)
        query = sa.select(rows.c.paper_id).where(rows.c.digest.is_(None)).distinct().order_by(rows.c.paper_id)
        return self._database.scalars(query)

    def current(self, answer: Answer) -> Answer:
        """Return an answer with the present notices about its papers, which may be younger than the answer."""
        if not self.by_paper():
            return answer
        table = answer.table
        if table:
            rows = tuple(replace(row, paper=self._marked(row.paper)) for row in table.rows)
            table = replace(table, rows=rows)
        return replace(
            answer,
            citations=tuple(replace(cited, paper=self._marked(cited.paper)) for cited in answer.citations),
            hits=tuple(replace(hit, paper=self._marked(hit.paper)) for hit in answer.hits),
            nearest=tuple(map(self._marked, answer.nearest)),
            table=table,
        )

    def _marked(self, paper: Paper) -> Paper:
        return replace(paper, notice=self.of(paper.id))

    def _read(self) -> dict[str, tuple[Notice, ...]]:
        rows = under_present_ids(notices)
        by_paper: dict[str, set[Notice]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(sa.select(rows)):
                notice = Notice(NoticeKind(row.kind), row.service, row.text, row.url, row.date)
                by_paper.setdefault(row.paper_id, set()).add(notice)
        return {paper_id: tuple(sorted(of_paper, key=_order)) for paper_id, of_paper in by_paper.items()}


def _order(notice: Notice) -> tuple[int, str, str]:
    return _GRAVITY[notice.kind], notice.date, notice.service


def _row(paper_id: str, notice: Notice) -> dict[str, str]:
    return {
        "paper_id": paper_id,
        "service": notice.service,
        "kind": str(notice.kind),
        "text": notice.text,
        "url": notice.url,
        "date": notice.date,
    }
