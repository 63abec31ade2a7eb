"""What a person adds to a paper: tags, and one note. Lists are searched in them; no answer ever quotes them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from assistant.errors import InputError, NotFoundError
from assistant.schema import Annotation
from assistant.storage.catalog_schema import (
    delete_by_present_ids,
    keywords,
    notes,
    papers,
    records,
    tags,
    under_present_ids,
)
from assistant.storage.collections import Collections
from assistant.storage.database import Database, insert, lock_for_writing
from assistant.storage.sync_ledger import SyncLedger
from assistant.text.labels import clean_label, label_key
from assistant.text.printable import printable

MAX_TAGS = 100
MAX_NOTE_LENGTH = 10_000
# Between the notes of papers that were merged.
_BETWEEN_NOTES = "\n\n"


class Annotations:
    """The tags and notes of papers. Every method raises LibraryError, those that write LibraryWriteError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._collections = Collections(database)
        self._synced = SyncLedger(database)

    def of(self, paper_id: str) -> Annotation:
        """Return what a person has added to a paper, by its present id."""
        return self.of_papers([paper_id]).get(paper_id, Annotation())

    def of_papers(self, paper_ids: Collection[str]) -> dict[str, Annotation]:
        """Return what a person has added to papers, by their present ids; without those that have nothing."""
        named, noted = self._tags(paper_ids), self._notes(paper_ids)
        collected, from_files = self._collections.of_papers(paper_ids), self._keywords(paper_ids)
        cited_as = self._synced.citation_keys(paper_ids)
        return {
            paper_id: Annotation(
                named.get(paper_id, ()),
                noted.get(paper_id, ""),
                collected.get(paper_id, ()),
                from_files.get(paper_id, ()),
                cited_as.get(paper_id, ""),
            )
            for paper_id in {*named, *noted, *collected, *from_files, *cited_as}
        }

    def tag_counts(self) -> dict[str, int]:
        """Return every tag, of persons and of files, with the number of its papers, in alphabetical order."""
        by_person = under_present_ids(tags)
        from_files = sa.select(records.c.paper_id, keywords.c.name_key, keywords.c.name)
        from_files = from_files.join(keywords, keywords.c.record == records.c.number)
        of_persons = sa.select(by_person.c.paper_id, by_person.c.name_key, by_person.c.name)
        rows = sa.union_all(of_persons, from_files).subquery()
        query = sa.select(sa.func.min(rows.c.name), sa.func.count(rows.c.paper_id.distinct()))
        query = query.join(papers, papers.c.id == rows.c.paper_id).group_by(rows.c.name_key)
        with self._database.reading() as connection:
            counts = {name: count for name, count in connection.execute(query)}
        return dict(sorted(counts.items(), key=lambda tag: label_key(tag[0])))

    def set_tags(self, paper_id: str, names: Sequence[str]) -> None:
        """Give a paper these tags in place of those that it has.

        Raises InputError for a name that is empty or too long and for too many, NotFoundError for an unknown paper.
        """
        rows = _tag_rows(paper_id, names)
        with self._database.writing() as connection:
            _lock_paper(connection, paper_id)
            delete_by_present_ids(connection, tags, [paper_id])
            _insert_tags(connection, paper_id, rows)

    def add_tags(self, paper_id: str, names: Sequence[str]) -> None:
        """Give a paper more tags. Raises as `set_tags` does."""
        rows = _tag_rows(paper_id, names)
        with self._database.writing() as connection:
            _lock_paper(connection, paper_id)
            _insert_tags(connection, paper_id, rows)

    def remove_tags(self, paper_id: str, names: Sequence[str]) -> None:
        """Take tags from a paper; those that it does not have are ignored. Raises NotFoundError."""
        keys = set(map(label_key, names))
        with self._database.writing() as connection:
            _lock_paper(connection, paper_id)
            delete_by_present_ids(connection, tags, [paper_id], tags.c.name_key.in_(keys))

    def set_note(self, paper_id: str, text: str) -> None:
        """Set the note of a paper; an empty one is no note. Raises InputError for a long one, NotFoundError."""
        note = printable(text.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")).strip()
        if len(note) > MAX_NOTE_LENGTH:
            raise InputError("note", f"{len(note):,} characters are too many (most: {MAX_NOTE_LENGTH:,})")
        with self._database.writing() as connection:
            _lock_paper(connection, paper_id)
            delete_by_present_ids(connection, notes, [paper_id])
            if note:
                connection.execute(sa.insert(notes).values(paper_id=paper_id, text=note))

    def _tags(self, paper_ids: Collection[str]) -> dict[str, tuple[str, ...]]:
        rows = under_present_ids(tags)
        return _names(self._database.select_in(sa.select(rows), rows.c.paper_id, paper_ids))

    def _keywords(self, paper_ids: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Return the tags that papers have in the files that they come from."""
        query = sa.select(records.c.paper_id, keywords.c.name_key, keywords.c.name)
        query = query.join(keywords, keywords.c.record == records.c.number).order_by(keywords.c.record)
        return _names(self._database.select_in(query, records.c.paper_id, paper_ids))

    def _notes(self, paper_ids: Collection[str]) -> dict[str, str]:
        rows = under_present_ids(notes)
        texts: dict[str, list[str]] = {}
        for row in self._database.select_in(sa.select(rows), rows.c.paper_id, paper_ids):
            texts.setdefault(row.paper_id, []).append(row.text)
        return {paper_id: _BETWEEN_NOTES.join(dict.fromkeys(sorted(parts))) for paper_id, parts in texts.items()}


def _names(rows: Iterable[Any]) -> dict[str, tuple[str, ...]]:
    """Return the names of tags by the ids of papers, each name once, sorted."""
    named: dict[str, dict[str, str]] = {}
    for row in rows:
        named.setdefault(row.paper_id, {}).setdefault(row.name_key, row.name)
    return {paper_id: tuple(names[key] for key in sorted(names)) for paper_id, names in named.items()}


def _tag_rows(paper_id: str, names: Sequence[str]) -> list[dict[str, str]]:
    labels: dict[str, str] = {}
    for name in names:
        labels.setdefault(label_key(name), clean_label("tag", name))
    return [{"paper_id": paper_id, "name_key": key, "name": name} for key, name in labels.items()]


def _insert_tags(connection: sa.Connection, paper_id: str, rows: Sequence[dict[str, str]]) -> None:
    """Add tags to a paper, which has those that it has already as they are. Raises InputError for too many."""
    if rows:
        connection.execute(insert(connection, tags).on_conflict_do_nothing(), rows)
    present = under_present_ids(tags)
    query = sa.select(sa.func.count(present.c.name_key.distinct())).where(present.c.paper_id == paper_id)
    if (count := connection.scalar(query) or 0) > MAX_TAGS:
        raise InputError("tag", f"{count:,} are too many for a paper (most: {MAX_TAGS})")


def _lock_paper(connection: sa.Connection, paper_id: str) -> None:
    """Begin to write about a paper that nobody deletes meanwhile. Raises NotFoundError."""
    lock_for_writing(connection)
    if connection.scalar(sa.select(papers.c.id).where(papers.c.id == paper_id)) is None:
        raise NotFoundError(f"no paper has the id {paper_id!r}")
