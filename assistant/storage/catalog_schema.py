"""The catalog's tables, and how papers and records stand in their rows."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import asdict, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from assistant.schema import Paper, Record
from assistant.storage.database import lock_for_writing

SCHEMA_VERSION = 1
# Stands for a fingerprint while the indexes take a paper for the first time.
ANNOUNCED = ""

_tables = sa.MetaData()


def _described() -> list[sa.Column[Any]]:
    """The columns that records and papers share."""
    return [
        sa.Column("title", sa.Text),
        sa.Column("abstract", sa.Text, nullable=False),
        sa.Column("authors", sa.JSON, nullable=False),
        sa.Column("year", sa.Integer),
        sa.Column("venue", sa.Text),
        sa.Column("doi", sa.Text),
        sa.Column("arxiv_id", sa.Text),
        sa.Column("url", sa.Text),
    ]


papers = sa.Table(
    "papers",
    _tables,
    sa.Column("id", sa.Text, primary_key=True),
    *_described(),
    sa.Column("sources", sa.JSON, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
)
records = sa.Table(
    "records",
    _tables,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("paper_id", sa.Text, nullable=False, index=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("digest", sa.Text, nullable=False, unique=True),
    sa.Column("run", sa.Integer, nullable=False),
    *_described(),
)
marks = sa.Table(
    "marks",
    _tables,
    sa.Column("mark", sa.Text, primary_key=True),
    sa.Column("record", sa.Integer, primary_key=True, index=True),
)
apart = sa.Table("apart", _tables, sa.Column("record", sa.Integer, primary_key=True))
indexed = sa.Table(
    "indexed",
    _tables,
    sa.Column("paper_id", sa.Text, primary_key=True),
    sa.Column("fingerprint", sa.Text, nullable=False),
)
aliases = sa.Table(
    "aliases",
    _tables,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("paper_id", sa.Text, nullable=False, index=True),
)
facts = sa.Table(
    "facts", _tables, sa.Column("name", sa.Text, primary_key=True), sa.Column("value", sa.Integer, nullable=False)
)

HAS_ABSTRACT = papers.c.abstract != ""


def fingerprint(paper: Paper) -> str:
    """A digest over every field: two papers have the same one only if they are equal."""
    return _hash(asdict(paper))


def digest(record: Record) -> str:
    """A digest by which the very same record from the same source is known again."""
    return _hash(asdict(replace(record, line=0)))


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def set_up(connection: sa.Connection) -> None:
    """Make the tables where there are none yet."""
    lock_for_writing(connection)
    _tables.create_all(connection)
    for name, value in (("version", SCHEMA_VERSION), ("library", secrets.randbits(62))):
        connection.execute(set_fact(name, value).on_conflict_do_nothing())


def set_fact(name: str, value: int) -> Any:
    """A statement that notes a fact for the first time."""
    return insert(facts).values(name=name, value=value)


_DESCRIBED = [column.name for column in _described()]


def _described_by(value: Paper | Record) -> dict[str, Any]:
    return {name: getattr(value, name) for name in _DESCRIBED} | {"authors": list(value.authors)}


def _fields(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _DESCRIBED} | {"authors": tuple(row.authors)}


def paper_row(paper: Paper) -> dict[str, Any]:
    """The columns of a paper."""
    own = {"id": paper.id, "sources": list(paper.sources), "fingerprint": fingerprint(paper)}
    return _described_by(paper) | own


def record_row(record: Record, paper_id: str, run: int) -> dict[str, Any]:
    """The columns of a record that belongs to the paper and was met in the ingest run."""
    own = {"paper_id": paper_id, "source": record.source, "line": record.line, "digest": digest(record), "run": run}
    return _described_by(record) | own


def paper_of(row: Any) -> Paper:
    """The paper that stands in a row."""
    return Paper(id=row.id, sources=tuple(row.sources), **_fields(row))


def record_of(row: Any) -> Record:
    """The record that stands in a row."""
    return Record(source=row.source, line=row.line, **_fields(row))
