"""Digests of what watches have brought: kept as JSON, each with a part for the answers of one owner, read or unread."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from assistant.storage.catalog_schema import answer_news, arrivals, notices, records, watch_digests, watches
from assistant.storage.database import Database, insert


@dataclass(frozen=True, slots=True)
class StoredDigest:
    """A digest as it is kept: `content` is for everybody, `answers` is about the answers of one owner.

    `made` is ISO 8601 in UTC.
    """

    id: int
    made: str
    content: Mapping[str, Any]
    answers: list[Any]
    is_read: bool


class WatchDigests:
    """The digests of a library. Every method raises LibraryError, those that write LibraryWriteError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def arrived(self) -> dict[str, tuple[str, ...]]:
        """Return the papers that no digest has told of, by present id, with the sources that brought each."""
        query = (
            sa.select(records.c.paper_id, sa.func.coalesce(watches.c.source, records.c.source))
            .join(arrivals, arrivals.c.record == records.c.digest)
            .outerjoin(watches, watches.c.id == arrivals.c.watch)
            .where(arrivals.c.digest.is_(None))
            .order_by(records.c.number)
        )
        sources: dict[str, dict[str, None]] = {}
        with self._database.reading() as connection:
            for paper_id, source in connection.execute(query):
                sources.setdefault(paper_id, {})[source] = None
        return {paper_id: tuple(names) for paper_id, names in sources.items()}

    def add(self, content: Mapping[str, Any], answers: Mapping[str, list[Any]], arrived: Collection[str]) -> int:
        """Store a digest, with the part about answers by owner, and return its id.

        What it tells of, the records of the `arrived` papers and all notices, is not told again.
        """
        with self._database.writing() as connection:
            row = {"made": datetime.now(UTC).isoformat(timespec="seconds"), "content": dict(content)}
            number = int(connection.scalar(sa.insert(watch_digests).returning(watch_digests.c.id), row) or 0)
            parts = [
                {"digest": number, "owner": owner, "content": part, "is_read": False} for owner, part in answers.items()
            ]
            if parts:
                connection.execute(sa.insert(answer_news), parts)
            for paper_id in arrived:
                of_paper = sa.select(records.c.digest).where(records.c.paper_id == paper_id)
                new = arrivals.c.digest.is_(None) & arrivals.c.record.in_(of_paper)
                connection.execute(sa.update(arrivals).where(new).values(digest=number))
            connection.execute(sa.update(notices).where(notices.c.digest.is_(None)).values(digest=number))
        return number

    def recent(self, owner: str, limit: int = 20) -> list[StoredDigest]:
        """Return the last digests as an owner sees them, the newest first."""
        return list(self._select(owner, sa.true(), limit))

    def find(self, number: int, owner: str) -> StoredDigest | None:
        """Return the digest of an id as an owner sees it, if there is one."""
        return next(self._select(owner, watch_digests.c.id == number, 1), None)

    def unread(self, owner: str) -> int:
        """Return how many digests the owner has not read."""
        read = sa.exists().where(
            (answer_news.c.digest == watch_digests.c.id) & (answer_news.c.owner == owner) & answer_news.c.is_read
        )
        return self._database.count(sa.select(watch_digests.c.id).where(~read))

    def mark_read(self, numbers: Collection[int], owner: str) -> None:
        """Note that the owner has read digests."""
        rows = [{"digest": number, "owner": owner, "content": [], "is_read": True} for number in numbers]
        if rows:
            with self._database.writing() as connection:
                upsert = insert(connection, answer_news)
                connection.execute(
                    upsert.on_conflict_do_update(index_elements=["digest", "owner"], set_={"is_read": True}), rows
                )

    def _select(self, owner: str, condition: sa.ColumnElement[bool], limit: int) -> Iterator[StoredDigest]:
        of_owner = (answer_news.c.digest == watch_digests.c.id) & (answer_news.c.owner == owner)
        query = sa.select(watch_digests, answer_news.c.content.label("answers"), answer_news.c.is_read)
        query = query.outerjoin(answer_news, of_owner).where(condition).order_by(watch_digests.c.id.desc())
        with self._database.reading() as connection:
            for row in connection.execute(query.limit(limit)).all():
                yield StoredDigest(row.id, row.made, row.content, row.answers or [], bool(row.is_read))
