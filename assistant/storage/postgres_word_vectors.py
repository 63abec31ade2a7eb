"""The word index of a shared library: in PostgreSQL, as `word_vectors` has it in a file."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from assistant.batches import batches
from assistant.encodings import WordVectors
from assistant.storage.columns import Text
from assistant.storage.database import MAX_PARAMETERS, DatabaseLocation, replace_rows
from assistant.storage.word_vectors import word_vectors_of

_words = sa.Table(
    "words",
    sa.MetaData(),
    sa.Column("paper", Text, primary_key=True),
    sa.Column("starts", sa.LargeBinary, nullable=False),
    sa.Column("signs", sa.LargeBinary, nullable=False),
)


class PostgresWordVectors:
    """A WordVectorIndex in the schema of a library. Safe to call from several threads, processes and machines."""

    def __init__(self, location: DatabaseLocation) -> None:
        """Open or create the table. Raises LibraryError."""
        self._database = location.open("word index", _create, {})

    def refresh(self) -> None:
        """Do nothing: readers see at once what was written."""

    def replace(self, papers: Mapping[str, WordVectors]) -> None:
        """Store the word vectors of papers, all or none. Raises LibraryWriteError."""
        rows = [
            {"paper": paper_id, "starts": words.starts.tobytes(), "signs": words.bits.tobytes()}
            for paper_id, words in papers.items()
        ]
        with self._database.writing() as connection:
            replace_rows(connection, _words, rows)

    def remove(self, paper_ids: Collection[str]) -> None:
        """Remove the papers, all or none; unknown ids are ignored. Raises LibraryWriteError."""
        with self._database.writing() as connection:
            for batch in batches(paper_ids, MAX_PARAMETERS):
                connection.execute(sa.delete(_words).where(_words.c.paper.in_(batch)))

    def clear(self) -> None:
        """Remove all papers. Raises LibraryWriteError."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(_words))

    def get(self, paper_ids: Collection[str]) -> dict[str, WordVectors]:
        """Return the word vectors of those of the papers that are indexed. Raises LibraryError."""
        rows = self._database.select_in(sa.select(_words), _words.c.paper, paper_ids)
        return {row.paper: word_vectors_of(row.starts, row.signs) for row in rows}

    def paper_ids(self) -> set[str]:
        """Return the ids of all indexed papers, also of those without content words. Raises LibraryError."""
        return set(self._database.scalars(sa.select(_words.c.paper)))

    def is_empty(self) -> bool:
        """Return whether no paper is indexed. Raises LibraryError."""
        return self._database.scalar(sa.select(_words.c.paper).limit(1)) is None

    def close(self) -> None:
        """Close the connections."""
        self._database.close()


def _create(connection: sa.Connection) -> None:
    if sa.inspect(connection).has_table(_words.name):
        return
    _words.create(connection)
    # The bits are random to a compressor.
    connection.exec_driver_sql("ALTER TABLE words ALTER signs SET STORAGE EXTERNAL")
