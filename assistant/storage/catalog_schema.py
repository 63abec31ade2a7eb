"""The tables of the catalog, the conversion between values and rows, and the catalog's migrations."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection
from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from assistant.batches import batches
from assistant.schema import Paper, Record
from assistant.storage.columns import Json, Text
from assistant.storage.database import MAX_PARAMETERS, insert
from assistant.storage.migrations import Migrations

# The fingerprint of a paper that the indexes have announced, and may hold in another form or not at all.
ANNOUNCED = ""

_tables = sa.MetaData()


def _description_columns() -> list[sa.Column[Any]]:
    """Return new columns for what records and papers share."""
    return [
        sa.Column("title", Text),
        sa.Column("abstract", Text, nullable=False),
        sa.Column("authors", Json, nullable=False),
        sa.Column("year", sa.Integer),
        sa.Column("venue", Text),
        sa.Column("doi", Text),
        sa.Column("arxiv_id", Text),
        sa.Column("url", Text),
    ]


papers = sa.Table(
    "papers",
    _tables,
    sa.Column("id", Text, primary_key=True),
    *_description_columns(),
    sa.Column("sources", Json, nullable=False),
    sa.Column("fingerprint", Text, nullable=False),
)
records = sa.Table(
    "records",
    _tables,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("paper_id", Text, nullable=False, index=True),
    sa.Column("source", Text, nullable=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("digest", Text, nullable=False, unique=True),
    sa.Column("run", sa.Integer, nullable=False),
    *_description_columns(),
)
match_keys = sa.Table(
    "marks",
    _tables,
    sa.Column("mark", Text, primary_key=True, key="match_key"),
    sa.Column("record", sa.Integer, primary_key=True, index=True),
)
# The tags that a record has in its file.
keywords = sa.Table(
    "keywords",
    _tables,
    sa.Column("record", sa.Integer, primary_key=True),
    sa.Column("name_key", Text, primary_key=True, index=True),
    sa.Column("name", Text, nullable=False),
)
# When records were added, in seconds since 1970: those from `first` up to the next row's.
additions = sa.Table(
    "additions",
    _tables,
    sa.Column("first", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("moment", sa.BigInteger, nullable=False),
)
kept_separate = sa.Table("apart", _tables, sa.Column("record", sa.Integer, primary_key=True, autoincrement=False))
indexed = sa.Table(
    "indexed",
    _tables,
    sa.Column("paper_id", Text, primary_key=True),
    sa.Column("fingerprint", Text, nullable=False),
)
# When the indexes took or forgot a paper last, by the generation of afterwards; see `change_log`.
index_changes = sa.Table(
    "index_changes",
    _tables,
    sa.Column("paper_id", Text, primary_key=True),
    sa.Column("generation", sa.BigInteger, nullable=False, index=True),
)
aliases = sa.Table(
    "aliases",
    _tables,
    sa.Column("id", Text, primary_key=True),
    sa.Column("paper_id", Text, nullable=False, index=True),
)
# The cells of tables; `recipe` is empty for what a person wrote.
table_cells = sa.Table(
    "table_cells",
    _tables,
    sa.Column("paper_id", Text, primary_key=True),
    sa.Column("column", Text, primary_key=True),
    sa.Column("recipe", Text, primary_key=True),
    sa.Column("fingerprint", Text, nullable=False),
    sa.Column("value", Text),
    sa.Column("start", sa.Integer),
    sa.Column("end", sa.Integer),
    sa.Column("confidence", sa.Float, nullable=False),
    sa.Column("source", Text, nullable=False),
)
facts = sa.Table(
    "facts", _tables, sa.Column("name", Text, primary_key=True), sa.Column("value", sa.BigInteger, nullable=False)
)

# What a person adds to papers. An id stays as it was when a paper is merged or split: see `under_present_ids`.
collections = sa.Table(
    "collections",
    _tables,
    sa.Column("id", Text, primary_key=True),
    sa.Column("name", Text, nullable=False),
    sa.Column("name_key", Text, nullable=False, unique=True),
    sa.Column("created", Text, nullable=False),
)
members = sa.Table(
    "members",
    _tables,
    sa.Column("collection", Text, primary_key=True),
    sa.Column("paper_id", Text, primary_key=True, index=True),
)
tags = sa.Table(
    "tags",
    _tables,
    sa.Column("paper_id", Text, primary_key=True),
    sa.Column("name_key", Text, primary_key=True, index=True),
    sa.Column("name", Text, nullable=False),
)
notes = sa.Table(
    "notes",
    _tables,
    sa.Column("paper_id", Text, primary_key=True),
    sa.Column("text", Text, nullable=False),
)

# The topics of the library's map, and the one that each paper was on when the map was drawn last.
topics = sa.Table("topics", _tables, sa.Column("id", Text, primary_key=True), sa.Column("label", Text, nullable=False))
paper_topics = sa.Table(
    "paper_topics",
    _tables,
    sa.Column("paper_id", Text, primary_key=True),
    sa.Column("topic", Text, nullable=False, index=True),
)
# What was last read of a reference manager; the `source` of an item is that of its record.
synced_libraries = sa.Table(
    "synced_libraries",
    _tables,
    sa.Column("name", Text, primary_key=True),
    sa.Column("label", Text, nullable=False),
    *(sa.Column(name, Text, nullable=False) for name in ("account", "server")),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("collections", Json, nullable=False),
)
synced_items = sa.Table(
    "synced_items",
    _tables,
    sa.Column("source", Text, primary_key=True),
    sa.Column("library", Text, nullable=False, index=True),
    sa.Column("digest", Text, nullable=False),
    sa.Column("collections", Json, nullable=False),
    sa.Column("citation_key", Text, nullable=False),
)

# What services have announced about papers, by the ids that these had then: see `under_present_ids`.
notices = sa.Table(
    "notices",
    _tables,
    sa.Column("paper_id", Text, primary_key=True),
    sa.Column("service", Text, primary_key=True),
    sa.Column("kind", Text, primary_key=True),
    sa.Column("text", Text, nullable=False),
    sa.Column("url", Text, nullable=False),
    sa.Column("date", Text, nullable=False),
    sa.Column("digest", sa.Integer),  # the one that has told of it
)

# Sources that are watched; `state` has what a source needs to ask only for what is new.
watches = sa.Table(
    "watches",
    _tables,
    sa.Column("id", Text, primary_key=True),
    sa.Column("source", Text, nullable=False, unique=True),
    sa.Column("created", Text, nullable=False),
    sa.Column("state", Json, nullable=False),
    sa.Column("last_run", Text),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("error", Text, nullable=False),
    sa.Column("not_before", Text, nullable=False),
)
# Records that a watch has met first, noted before they are added; `digest` is the one that has told of them.
arrivals = sa.Table(
    "arrivals",
    _tables,
    sa.Column("record", Text, primary_key=True),
    sa.Column("watch", Text, nullable=False),
    sa.Column("digest", sa.Integer, index=True),
)
watch_digests = sa.Table(
    "digests",
    _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("made", Text, nullable=False),
    sa.Column("content", Json, nullable=False),
)
# The part of a digest that is about the answers of one owner, and whether that owner has read the digest.
answer_news = sa.Table(
    "answer_news",
    _tables,
    sa.Column("digest", sa.Integer, primary_key=True),
    sa.Column("owner", Text, primary_key=True),
    sa.Column("content", Json, nullable=False),
    sa.Column("is_read", sa.Boolean, nullable=False),
)

HAS_ABSTRACT = papers.c.abstract != ""
IS_INDEXED = sa.exists().where((indexed.c.paper_id == papers.c.id) & (indexed.c.fingerprint != ANNOUNCED))
IS_UP_TO_DATE = sa.exists().where((indexed.c.paper_id == papers.c.id) & (indexed.c.fingerprint == papers.c.fingerprint))
IS_SHOWN = IS_INDEXED | ~HAS_ABSTRACT


# Values and rows


def fingerprint(paper: Paper) -> str:
    """Return a digest of every field that is indexed: only papers that are equal in them share it."""
    described = _values(paper)
    del described["notice"]
    return _hash(described)


def digest(record: Record) -> str:
    """Return a digest that identifies a record of a source, on whatever line it stands."""
    described = _values(record) | {"line": 0}
    if not record.keywords:  # so that records that were stored before there were keywords stay as they are
        del described["keywords"]
    return _hash(described)


def _values(value: Paper | Record) -> dict[str, Any]:
    """Return the values of the fields. `asdict` would copy them, which takes ten times as long."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


_DESCRIPTION = [column.name for column in _description_columns()]


def _description(value: Paper | Record) -> dict[str, Any]:
    return {name: getattr(value, name) for name in _DESCRIPTION} | {"authors": list(value.authors)}


def _fields(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _DESCRIPTION} | {"authors": tuple(row.authors)}


def paper_row(paper: Paper) -> dict[str, Any]:
    """Return the columns of a paper."""
    columns = {"id": paper.id, "sources": list(paper.sources), "fingerprint": fingerprint(paper)}
    return _description(paper) | columns


def record_row(record: Record, paper_id: str, run: int) -> dict[str, Any]:
    """Return the columns of a record that belongs to the paper and was last read in the ingest run."""
    columns = {"paper_id": paper_id, "source": record.source, "line": record.line, "digest": digest(record), "run": run}
    return _description(record) | columns


def paper_of(row: Any) -> Paper:
    """Return the paper of a row."""
    return Paper(id=row.id, sources=tuple(row.sources), **_fields(row))


def record_of(row: Any) -> Record:
    """Return the record of a row."""
    return Record(source=row.source, line=row.line, **_fields(row))


# What a person adds to papers


def under_present_ids(table: sa.Table) -> sa.Subquery:
    """Return the rows of a table by the present ids of their papers.

    Rows keep the ids that they were written with, so that papers which are merged and then split again have what they
    had before.
    """
    present = sa.func.coalesce(aliases.c.paper_id, table.c.paper_id).label("paper_id")
    others = [column for column in table.c if column.name != "paper_id"]
    return sa.select(present, *others).outerjoin(aliases, aliases.c.id == table.c.paper_id).subquery()


def delete_by_present_ids(
    connection: sa.Connection, table: sa.Table, paper_ids: Collection[str], *where: sa.ColumnElement[bool]
) -> None:
    """Delete the rows of papers that meet the conditions, also those under former ids of the papers."""
    for batch in batches(paper_ids, MAX_PARAMETERS):
        former = sa.select(aliases.c.id).where(aliases.c.paper_id.in_(batch))
        connection.execute(sa.delete(table).where(table.c.paper_id.in_(batch), *where))
        connection.execute(sa.delete(table).where(table.c.paper_id.in_(former), *where))


# Facts: single numbers about the catalog, by name


def read_fact(connection: sa.Connection, name: str) -> int | None:
    """Return the number of this name, or None where it was never written."""
    return connection.scalar(sa.select(facts.c.value).where(facts.c.name == name))


def write_fact(connection: sa.Connection, name: str, value: int) -> None:
    """Set the number of this name."""
    upsert = insert(connection, facts).values(name=name, value=value)
    connection.execute(upsert.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def increment_fact(connection: sa.Connection, name: str) -> int:
    """Add one to the number of this name, which begins with 0, and return it."""
    upsert = insert(connection, facts).values(name=name, value=1)
    increment = upsert.on_conflict_do_update(index_elements=["name"], set_={"value": facts.c.value + 1}).returning(
        facts.c.value
    )
    return int(connection.execute(increment).scalar_one())


# Migrations


def _create(connection: sa.Connection) -> None:
    """Create the tables of version 1, and draw the number that identifies the library."""
    _tables.create_all(connection)
    identity = insert(connection, facts).values(name="library", value=secrets.randbits(62))
    connection.execute(identity.on_conflict_do_nothing())


def _read_version(connection: sa.Connection) -> int:
    if not sa.inspect(connection).has_table(facts.name):
        return 0
    version = read_fact(connection, "version") or 0
    return 0 if version == 1 and _lacks_additions(connection) else version


def _lacks_additions(connection: sa.Connection) -> bool:
    """Tell whether a file of version 1 lacks what that version gained after it; creating it again adds the rest."""
    existing = sa.inspect(connection).get_table_names()
    return not _tables.tables.keys() <= set(existing) or read_fact(connection, "library") is None


# Every table, those first that others depend on.
TABLES = tuple(_tables.sorted_tables)
MIGRATIONS = Migrations(
    "catalog", (_create,), _read_version, lambda connection, number: write_fact(connection, "version", number)
)
