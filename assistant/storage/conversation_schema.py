"""The tables of the conversations, their migrations, and the conversion between values and rows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from assistant.schema import Turn
from assistant.serialization import answer_from_json, answer_json, scope_from_json, scope_json
from assistant.storage.columns import Json, Text
from assistant.storage.migrations import Migrations, statements

_tables = sa.MetaData()
versions = sa.Table(
    "versions",
    _tables,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("applied", Text, nullable=False),
)
conversations = sa.Table(
    "conversations",
    _tables,
    sa.Column("id", Text, primary_key=True),
    sa.Column("owner", Text, nullable=False),
    sa.Column("title", Text, nullable=False),
    sa.Column("created", Text, nullable=False),
    sa.Column("changed", Text, nullable=False),
    sa.Index("conversations_by_owner", "owner", "changed"),
)
turns = sa.Table(
    "turns",
    _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("conversation", Text, nullable=False, index=True),
    sa.Column("question", Text, nullable=False),
    sa.Column("scope", Text, nullable=False),
    sa.Column("text", Text, nullable=False),  # of the answer, repeated here to be searched
    sa.Column("answer", Text, nullable=False),
    sa.Column("settings", Text, nullable=False),
    sa.Column("prompt", Text),
    sa.Column("asked", Text, nullable=False),
)
feedback = sa.Table(
    "feedback",
    _tables,
    sa.Column("turn", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("good", sa.Boolean, nullable=False),
    sa.Column("fault", Text),
    sa.Column("note", Text, nullable=False),
    sa.Column("papers", Json),
    sa.Column("given", Text, nullable=False),
    sa.Column("passages", Json),
)
links = sa.Table(
    "links",
    _tables,
    sa.Column("turn", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("token", Text, nullable=False, unique=True),
    sa.Column("created", Text, nullable=False),
)


class Fault(StrEnum):
    """The kinds of fault that a person finds in an answer."""

    WRONG_EVIDENCE = "wrong evidence"
    MISSING_PAPER = "missing paper"
    WRONG_ANSWER = "wrong answer"


@dataclass(frozen=True, slots=True)
class Feedback:
    """A person's opinion of an answer.

    `papers` are the ids of the papers that answer the question: empty where the library has no answer, None where the
    person does not say. `passages` are the sentences of their abstracts that answer it.
    """

    good: bool
    fault: Fault | None = None
    note: str = ""
    papers: tuple[str, ...] | None = None
    passages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation in a list: `turns` is their number, the times are ISO 8601 in UTC."""

    id: str
    title: str
    created: str
    changed: str
    turns: int


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """A turn with the settings that produced its answer, and the feedback on it.

    `prompt` is the hash of the prompts where a language model wrote the answer, `asked_at` a time as in Conversation.
    `link` is the token of the read-only link to the turn, if it has one.
    """

    id: int
    conversation: str
    turn: Turn
    asked_at: str
    settings: dict[str, Any]
    prompt: str | None = None
    feedback: Feedback | None = None
    link: str | None = None


# Values and rows


def turn_row(turn: Turn) -> dict[str, Any]:
    """Return the columns of a turn that is asked now."""
    return {
        "question": encodable(turn.question),
        "scope": json.dumps(scope_json(turn.scope)),
        "text": encodable(turn.answer.text),
        "answer": json.dumps(answer_json(turn.answer)),
        "prompt": turn.answer.prompt,
        "asked": now(),
    }


def turn_of(row: Any) -> StoredTurn:
    """Return the turn of a row of turns joined with feedback and links. Raises ValueError for a damaged one."""
    answer, scope = answer_from_json(json.loads(row.answer)), scope_from_json(json.loads(row.scope))
    turn, settings = Turn(row.question, answer, scope), json.loads(row.settings)
    return StoredTurn(row.id, row.conversation, turn, row.asked, settings, row.prompt, _feedback_of(row), row.token)


def feedback_row(value: Feedback) -> dict[str, Any]:
    """Return the columns of feedback that is given now."""
    papers = None if value.papers is None else list(value.papers)
    texts = {"note": encodable(value.note), "passages": [encodable(passage) for passage in value.passages]}
    return {"good": value.good, "fault": value.fault, "papers": papers, "given": now()} | texts


def _feedback_of(row: Any) -> Feedback | None:
    if row.good is None:
        return None
    papers = None if row.papers is None else tuple(row.papers)
    return Feedback(row.good, Fault(row.fault) if row.fault else None, row.note, papers, tuple(row.passages or ()))


def encodable(text: str) -> str:
    """Replace what a command line or a model may produce and databases refuse: surrogates, and NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\N{REPLACEMENT CHARACTER}")


def now() -> str:
    """Return the time in UTC as ISO 8601, with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


# Migrations


def _read_version(connection: sa.Connection) -> int:
    if not sa.inspect(connection).has_table(versions.name):
        return 0
    return connection.scalar(sa.select(sa.func.max(versions.c.number))) or 0


def _write_version(connection: sa.Connection, number: int) -> None:
    versions.create(connection, checkfirst=True)
    connection.execute(sa.insert(versions).values(number=number, applied=now()))


_STEPS = (
    statements(
        """CREATE TABLE conversations (
            id TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL, created TEXT NOT NULL, changed TEXT NOT NULL
        )""",
        "CREATE INDEX conversations_by_owner ON conversations (owner, changed)",
        """CREATE TABLE turns (
            id INTEGER PRIMARY KEY AUTOINCREMENT, conversation TEXT NOT NULL, question TEXT NOT NULL,
            scope TEXT NOT NULL, text TEXT NOT NULL, answer TEXT NOT NULL, settings TEXT NOT NULL, prompt Text,
            asked TEXT NOT NULL
        )""",
        "CREATE INDEX turns_by_conversation ON turns (conversation)",
        """CREATE TABLE feedback (
            turn INTEGER PRIMARY KEY, good BOOLEAN NOT NULL, fault Text, note TEXT NOT NULL, papers Text,
            given TEXT NOT NULL
        )""",
    ),
    statements("ALTER TABLE feedback ADD COLUMN passages TEXT"),
    statements(
        "CREATE TABLE links (turn INTEGER PRIMARY KEY, token TEXT NOT NULL, created TEXT NOT NULL)",
        "CREATE UNIQUE INDEX links_by_token ON links (token)",
    ),
)

TABLES = (conversations, turns, feedback, links)
MIGRATIONS = Migrations("file of conversations", _STEPS, _read_version, _write_version, _tables)
