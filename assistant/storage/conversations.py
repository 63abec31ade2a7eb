"""Conversations, kept in one SQLite file beside the library: SQLAlchemy Core, WAL mode, one transaction a turn.

    conversations   whose, its title, when it began and last changed     versions   the migrations applied
    turns           a question with its whole answer, and what made it   feedback   what the person thought of a turn

A conversation belongs to an owner, and a `Conversations` sees those of one owner only.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from assistant.errors import LibraryError, NotFoundError
from assistant.schema import Turn
from assistant.serialization import answer_from_json, answer_json, scope_from_json, scope_json
from assistant.storage.database import Database, copy_rows, lock_for_writing

if TYPE_CHECKING:
    from assistant.settings import Settings

# Settings that say where something is, not how an answer is made; of the prompts there is the hash.
_PLACES = {"home", "port", "host", "auth", "prompts", "store", "store_token", "store_tenant", "store_database"}
_LONGEST_TITLE = 80

# What brings a file from each version to the next. Only ever to be added to: older files run through all of them.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE conversations (
            id TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL, created TEXT NOT NULL, changed TEXT NOT NULL
        )""",
        "CREATE INDEX conversations_by_owner ON conversations (owner, changed)",
        """CREATE TABLE turns (
            id INTEGER PRIMARY KEY AUTOINCREMENT, conversation TEXT NOT NULL, question TEXT NOT NULL,
            scope TEXT NOT NULL, text TEXT NOT NULL, answer TEXT NOT NULL, settings TEXT NOT NULL, prompt TEXT,
            asked TEXT NOT NULL
        )""",
        "CREATE INDEX turns_by_conversation ON turns (conversation)",
        """CREATE TABLE feedback (
            turn INTEGER PRIMARY KEY, good BOOLEAN NOT NULL, fault TEXT, note TEXT NOT NULL, papers TEXT,
            given TEXT NOT NULL
        )""",
    ),
    ("ALTER TABLE feedback ADD COLUMN passages TEXT",),
)

_tables = sa.MetaData()
versions = sa.Table(
    "versions",
    _tables,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("applied", sa.Text, nullable=False),
)
conversations = sa.Table(
    "conversations",
    _tables,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("created", sa.Text, nullable=False),
    sa.Column("changed", sa.Text, nullable=False),
)
turns = sa.Table(
    "turns",
    _tables,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("conversation", sa.Text, nullable=False),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),  # the answer's, again: for searching
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("settings", sa.Text, nullable=False),
    sa.Column("prompt", sa.Text),
    sa.Column("asked", sa.Text, nullable=False),
)
feedback = sa.Table(
    "feedback",
    _tables,
    sa.Column("turn", sa.Integer, primary_key=True),
    sa.Column("good", sa.Boolean, nullable=False),
    sa.Column("fault", sa.Text),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("papers", sa.JSON(none_as_null=True)),
    sa.Column("given", sa.Text, nullable=False),
    sa.Column("passages", sa.JSON(none_as_null=True)),
)


class Fault(StrEnum):
    """What is wrong with an answer that is not good."""

    WRONG_EVIDENCE = "wrong evidence"
    MISSING_PAPER = "missing paper"
    WRONG_ANSWER = "wrong answer"


@dataclass(frozen=True, slots=True)
class Feedback:
    """What the person thought of an answer.

    `papers` are the ids of the papers that answer the question, where the person says; none of them means that
    the library has no answer. `passages` are sentences of their abstracts that do.
    """

    good: bool
    fault: Fault | None = None
    note: str = ""
    papers: tuple[str, ...] | None = None
    passages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation in a list: `turns` is how many it has, the times are ISO 8601 in UTC."""

    id: str
    title: str
    created: str
    changed: str
    turns: int


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """A turn as it was kept: when it was asked, with what settings and prompts, and what was thought of it.

    `prompt` is the hash of the prompts, where a language model wrote the answer.
    """

    id: int
    conversation: str
    turn: Turn
    asked: str
    settings: dict[str, Any]
    prompt: str | None = None
    feedback: Feedback | None = None


class Conversations:
    """The conversations of one owner; the owner of the single user of a machine is the empty text."""

    def __init__(self, file: Path, owner: str = "") -> None:
        """Opens or creates the file, and brings an older one up to date.

        Raises LibraryError for a file that is unreadable or of a newer version.
        """
        self.owner = owner
        self._database = Database(
            file,
            "file of conversations",
            _migrate,
            {"casefold": str.casefold},  # SQLite's own functions know the case of ASCII letters only
            remedy="move it away and a new one is begun, or restore a copy",
        )

    def copy_to(self, file: Path) -> None:
        """Write everybody's conversations as they are at this moment to another file. Raises LibraryError."""
        self._database.copy_to(file)

    def take_over(self, other: Conversations) -> None:
        """Hold what another file holds, of every owner, and nothing else. Raises LibraryError."""
        other._database.check()
        with other._database.reading() as source, self._database.writing() as connection:
            copy_rows(source, connection, (conversations, turns, feedback))

    def of(self, owner: str) -> Conversations:
        """Another owner's conversations in the same file."""
        others = copy(self)
        others.owner = owner
        return others

    def close(self) -> None:
        """Release the file, for every owner."""
        self._database.close()

    # Reading

    def recent(self, words: str = "", limit: int = 20, offset: int = 0) -> list[Conversation]:
        """A page of the conversations, the one that changed last first.

        With `words`, those in whose title, questions and answers each of the words occurs, in whatever case.
        """
        newest = self._listed(words).order_by(conversations.c.changed.desc(), conversations.c.id)
        with self._database.reading() as connection:
            return [Conversation(*row) for row in connection.execute(newest.limit(limit).offset(offset))]

    def count(self, words: str = "") -> int:
        """How many conversations there are, or have these words."""
        with self._database.reading() as connection:
            counted = sa.select(sa.func.count()).select_from(self._listed(words).subquery())
            return connection.scalar(counted) or 0

    def find(self, conversation_id: str) -> Conversation:
        """The conversation of an id, or of an id's beginning. Raises NotFoundError."""
        wanted = self._listed().where(conversations.c.id.startswith(conversation_id, autoescape=True))
        with self._database.reading() as connection:
            rows = connection.execute(wanted.limit(2)).all()
        if len(rows) != 1 or not conversation_id:
            found = "several conversations have" if rows else "no conversation has"
            raise NotFoundError(f"{found} the id {conversation_id!r}; paperchat conversations lists them")
        return Conversation(*rows[0])

    def last(self) -> Conversation:
        """The conversation that changed last. Raises NotFoundError where there is none."""
        found = self.recent(limit=1)
        if not found:
            raise NotFoundError("there is no conversation yet; ask a question to begin one")
        return found[0]

    def turns(self, conversation_id: str) -> list[StoredTurn]:
        """The turns of a conversation, in the order in which they were kept. Raises LibraryError for a damaged one."""
        return self._stored(turns.c.conversation == conversation_id)

    def judged(self) -> list[StoredTurn]:
        """Every turn with feedback, of all the owner's conversations, the oldest first."""
        return self._stored(feedback.c.turn.is_not(None))

    # Writing: every method raises LibraryWriteError, and NotFoundError where the owner has no such conversation

    def begin(self, title: str = "") -> Conversation:
        """A new conversation; without a title it takes its first question for one."""
        begun = Conversation(secrets.token_hex(6), _one_line(title), _now(), _now(), 0)
        row = {"id": begun.id, "title": begun.title, "created": begun.created, "changed": begun.changed}
        with self._database.writing() as connection:
            connection.execute(sa.insert(conversations).values(owner=self.owner, **row))
        return begun

    def rename(self, conversation_id: str, title: str) -> None:
        """Give a conversation another title."""
        with self._database.writing() as connection:
            self._update(connection, conversation_id, title=_one_line(title))

    def append(
        self, conversation_id: str, new: Sequence[Turn], settings: Settings, instead: int | None = None
    ) -> list[int]:
        """Add turns to a conversation, all or none of them, and return their ids.

        `instead` is the id of a turn: it, and those behind it, are forgotten for the new ones.
        """
        made_with = json.dumps(settings.model_dump(mode="json", exclude=_PLACES))
        rows = [_row(turn) | {"settings": made_with} for turn in new]
        if not rows:
            return []
        with self._database.writing() as connection:
            self._update(connection, conversation_id, changed=_now())
            if instead is not None:
                _forget(connection, (turns.c.conversation == conversation_id) & (turns.c.id >= instead))
            added = sa.insert(turns).returning(turns.c.id, sort_by_parameter_order=True)
            ids = connection.scalars(added, [row | {"conversation": conversation_id} for row in rows]).all()
            self._entitle(connection, conversation_id, rows[0]["question"])
        return list(ids)

    def delete(self, conversation_ids: Sequence[str]) -> None:
        """Forget conversations with their turns and feedback; unless the owner has every one, none is forgotten."""
        with self._database.writing() as connection:
            for conversation_id in conversation_ids:
                self._update(connection, conversation_id, changed=_now())
                _forget(connection, turns.c.conversation == conversation_id)
                connection.execute(sa.delete(conversations).where(conversations.c.id == conversation_id))

    def judge(self, turn_id: int, given: Feedback | None) -> None:
        """Note what the person thought of a turn, in place of what was noted before; None takes it back."""
        with self._database.writing() as connection:
            lock_for_writing(connection)
            if not connection.scalar(self._owned().where(turns.c.id == turn_id)):
                raise NotFoundError(f"no turn has the number {turn_id}")
            connection.execute(sa.delete(feedback).where(feedback.c.turn == turn_id))
            if given:
                connection.execute(sa.insert(feedback).values(turn=turn_id, **_feedback_row(given)))

    def _listed(self, words: str = "") -> sa.Select[Any]:
        """The owner's conversations with these words, as `Conversation` has it."""
        of_it = turns.c.conversation == conversations.c.id
        counted = sa.select(sa.func.count()).where(of_it).scalar_subquery()
        named = (conversations.c.id, conversations.c.title, conversations.c.created, conversations.c.changed, counted)
        listed = sa.select(*named).where(conversations.c.owner == self.owner)
        for word in words.casefold().split():
            said = sa.exists().where(of_it & (_has(turns.c.question, word) | _has(turns.c.text, word)))
            listed = listed.where(_has(conversations.c.title, word) | said)
        return listed

    def _owned(self) -> sa.Select[Any]:
        joined = turns.join(conversations, conversations.c.id == turns.c.conversation)
        return sa.select(turns.c.id).select_from(joined).where(conversations.c.owner == self.owner)

    def _stored(self, which: sa.ColumnElement[bool]) -> list[StoredTurn]:
        own = turns.c.id.in_(self._owned())
        joined = turns.outerjoin(feedback, feedback.c.turn == turns.c.id)
        wanted = sa.select(turns, feedback).select_from(joined).where(own & which).order_by(turns.c.id)
        with self._database.reading() as connection:
            return [self._turn(row) for row in connection.execute(wanted)]

    def _turn(self, row: Any) -> StoredTurn:
        try:
            answer, scope = answer_from_json(json.loads(row.answer)), scope_from_json(json.loads(row.scope))
            settings = json.loads(row.settings)
        except ValueError as error:
            raise LibraryError(
                f"turn {row.id} of the conversation {row.conversation} in {self._database.file} is damaged: {error}; "
                f"restore a copy of the file, or run: paperchat conversations delete {row.conversation}"
            ) from error
        turn = Turn(row.question, answer, scope)
        return StoredTurn(row.id, row.conversation, turn, row.asked, settings, row.prompt, _feedback(row))

    def _update(self, connection: sa.Connection, conversation_id: str, **values: str) -> None:
        own = (conversations.c.id == conversation_id) & (conversations.c.owner == self.owner)
        if not connection.execute(sa.update(conversations).where(own).values(**values)).rowcount:
            raise NotFoundError(f"no conversation has the id {conversation_id!r}")

    @staticmethod
    def _entitle(connection: sa.Connection, conversation_id: str, question: str) -> None:
        untitled = (conversations.c.id == conversation_id) & (conversations.c.title == "")
        title = _one_line(question)[:_LONGEST_TITLE]
        connection.execute(sa.update(conversations).where(untitled).values(title=title))


def _migrate(connection: sa.Connection) -> None:
    """Bring the file to the newest version. A file that is up to date is not written to."""
    held, newest = _version(connection), len(MIGRATIONS)
    if held > newest:
        raise LibraryError(
            f"the file of conversations {connection.engine.url.database} has version {held}, "
            f"this paperchat reads {newest}: upgrade paperchat"
        )
    if held < newest:
        lock_for_writing(connection)
        _tables.create_all(connection, [versions])
        _apply(connection, start=_version(connection))  # asked again: another process may have been faster


def _apply(connection: sa.Connection, start: int) -> None:
    for number, statements in enumerate(MIGRATIONS[start:], start=start + 1):
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.execute(sa.insert(versions).values(number=number, applied=_now()))


def _version(connection: sa.Connection) -> int:
    if not sa.inspect(connection).has_table(versions.name):
        return 0
    return connection.scalar(sa.select(sa.func.max(versions.c.number))) or 0


def _forget(connection: sa.Connection, which: sa.ColumnElement[bool]) -> None:
    """Delete turns with their feedback."""
    gone = sa.select(turns.c.id).where(which)
    connection.execute(sa.delete(feedback).where(feedback.c.turn.in_(gone)))
    connection.execute(sa.delete(turns).where(which))


def _has(column: sa.Column[Any], word: str) -> sa.ColumnElement[bool]:
    return sa.func.instr(sa.func.casefold(column), word) > 0


def _row(turn: Turn) -> dict[str, Any]:
    return {
        "question": _encodable(turn.question),
        "scope": json.dumps(scope_json(turn.scope)),
        "text": _encodable(turn.answer.text),
        "answer": json.dumps(answer_json(turn.answer)),
        "prompt": turn.answer.prompt,
        "asked": _now(),
    }


def _feedback_row(given: Feedback) -> dict[str, Any]:
    papers = None if given.papers is None else list(given.papers)
    said = {"note": _encodable(given.note), "passages": [_encodable(each) for each in given.passages]}
    return {"good": given.good, "fault": given.fault, "papers": papers, "given": _now()} | said


def _feedback(row: Any) -> Feedback | None:
    if row.good is None:
        return None
    papers = None if row.papers is None else tuple(row.papers)
    return Feedback(row.good, Fault(row.fault) if row.fault else None, row.note, papers, tuple(row.passages or ()))


def _encodable(text: str) -> str:
    """Half a character, as a command line or a model may contain, is no text that SQLite takes."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _one_line(text: str) -> str:
    return " ".join(_encodable(text).split())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
