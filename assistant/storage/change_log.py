"""The change log: which papers the indexes have taken or forgotten since when, by which replicas of an index follow.

It is written for shared libraries only, whose machines each have a lexicon of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from assistant.schema import Paper
from assistant.storage.catalog_schema import (
    HAS_ABSTRACT,
    IS_INDEXED,
    IS_UP_TO_DATE,
    index_changes,
    paper_of,
    papers,
    read_fact,
    write_fact,
)
from assistant.storage.database import Database, replace_rows

_EPOCH = "epoch"
_ROWS_PER_PART = 1000


@dataclass(frozen=True, slots=True)
class ReplicaState:
    """How far a replica has followed: the number that identifies its library, and the generation of the indexes."""

    library: int
    generation: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What leads a replica to a state.

    `papers` are to be indexed in the place of earlier versions, after those of the ids in `removed` have been removed,
    or where `is_whole` all that the replica holds.
    """

    state: ReplicaState
    is_whole: bool
    removed: Collection[str]
    papers: Iterator[Paper]


class ChangeLog:
    """Tells replicas what has changed. Every method raises LibraryError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def state(self) -> ReplicaState:
        """Return the state that a replica should have."""
        with self._database.reading() as connection:
            return _state(connection)

    @contextmanager
    def since(self, state: ReplicaState | None) -> Iterator[Changes]:
        """Yield what leads a replica of this state, or an empty one, to the present one, all of one moment."""
        with self._database.snapshot() as connection:
            present = _state(connection)
            epoch = read_fact(connection, _EPOCH) or 0
            if state is None or state.library != present.library or not epoch <= state.generation <= present.generation:
                yield Changes(present, True, (), _papers(connection, IS_INDEXED & HAS_ABSTRACT))
                return
            is_changed = papers.c.id.in_(_changed_since(state.generation))
            # What is not indexed in its present form will be, and is then in the log again: until then the replica has
            # the form that the other indexes have.
            changed = _papers(connection, is_changed & IS_UP_TO_DATE & HAS_ABSTRACT)
            yield Changes(present, False, _removed_since(connection, state.generation), changed)


def log_changes(connection: sa.Connection, paper_ids: Collection[str], generation: int) -> None:
    """Note that the indexes have taken or forgotten papers; the generation is that of afterwards."""
    rows = [{"paper_id": paper_id, "generation": generation} for paper_id in paper_ids]
    replace_rows(connection, index_changes, rows)


def begin_epoch(connection: sa.Connection, generation: int) -> None:
    """Note that the indexes hold nothing: replicas of earlier generations begin again."""
    connection.execute(sa.delete(index_changes))
    write_fact(connection, _EPOCH, generation)


def _state(connection: sa.Connection) -> ReplicaState:
    return ReplicaState(read_fact(connection, "library") or 0, read_fact(connection, "generation") or 0)


def _changed_since(generation: int) -> sa.Select[tuple[str]]:
    return sa.select(index_changes.c.paper_id).where(index_changes.c.generation > generation)


def _removed_since(connection: sa.Connection, generation: int) -> list[str]:
    """Return the changed ids that the indexes do not hold any more."""
    is_held = sa.exists().where((papers.c.id == index_changes.c.paper_id) & IS_INDEXED & HAS_ABSTRACT)
    return list(connection.scalars(_changed_since(generation).where(~is_held)))


def _papers(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> Iterator[Paper]:
    rows = connection.execution_options(yield_per=_ROWS_PER_PART).execute(sa.select(papers).where(condition))
    for part in rows.partitions():
        yield from map(paper_of, part)
