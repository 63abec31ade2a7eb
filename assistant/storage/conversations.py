"""Conversations, in an SQLite file beside the library or in PostgreSQL: one transaction a turn.

    conversations   owner, title, times of creation and last change   versions   the migrations applied
    turns           a question, its whole answer and the settings     feedback   a person's opinion of a turn
    links           the tokens of read-only links to turns

A conversation belongs to an owner, and a `Conversations` sees those of one owner only.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from assistant.errors import LibraryError, NotFoundError
from assistant.schema import Turn
from assistant.storage.columns import Text
from assistant.storage.conversation_schema import (
    MIGRATIONS,
    TABLES,
    Conversation,
    Feedback,
    StoredTurn,
    conversations,
    encodable,
    feedback,
    feedback_row,
    links,
    now,
    turn_of,
    turn_row,
    turns,
)
from assistant.storage.database import Database, DatabaseLocation, copy_rows, lock_for_writing
from assistant.storage.sqlite_file import SqliteFile

if TYPE_CHECKING:
    from assistant.settings import Settings

# Settings that locate or protect something and do not affect an answer; the prompts are recorded by their hash.
_LOCATION_SETTINGS = {
    "home", "port", "host", "auth", "prompts", "database", "database_timeout", "store",
    "store_token", "store_tenant", "store_database",
    "log", "log_questions", "requests_per_minute", "zotero_url", "zotero_directory", "contact", "watch_hours",
}  # fmt: skip
_MAX_TITLE_LENGTH = 80


class Conversations:
    """The conversations of one owner; the owner of the single user of a machine is the empty text."""

    def __init__(self, location: DatabaseLocation | Path, owner: str = "") -> None:
        """Open or create the tables, in an SQLite file where the location is a path, and migrate older ones.

        Raises LibraryError where they are unreadable or of a newer version.
        """
        self.owner = owner
        if isinstance(location, Path):
            location = SqliteFile(location)
        self._database: Database = location.open(
            MIGRATIONS.name,
            MIGRATIONS.apply,
            {"casefold": str.casefold},  # SQLite's lower() handles ASCII letters only
            remedy="move it away and a new one is begun, or restore a copy",
        )

    def copy_to(self, file: Path) -> None:
        """Write the conversations of all owners as they are at this moment to an SQLite file. Raises LibraryError."""
        self._database.copy_to(file, MIGRATIONS.apply, TABLES)

    def restore(self, source: Conversations) -> None:
        """Replace the conversations of all owners by those of another file. Raises LibraryError."""
        source._database.check()
        with source._database.snapshot() as reading, self._database.writing() as connection:
            copy_rows(reading, connection, (conversations, turns, feedback, links))

    def for_owner(self, owner: str) -> Conversations:
        """Return the conversations of another owner in the same file."""
        view = copy(self)
        view.owner = owner
        return view

    def owners(self) -> list[str]:
        """Return everybody who has conversations in the file. Raises LibraryError."""
        return self._database.scalars(sa.select(conversations.c.owner).distinct().order_by(conversations.c.owner))

    def close(self) -> None:
        """Release the file, for every owner."""
        self._database.close()

    # Reading

    def recent(self, words: str = "", limit: int = 20, offset: int = 0) -> list[Conversation]:
        """Return a page of the conversations, the last changed first.

        With `words`, only those in whose title, questions and answers each of the words occurs, in any case.
        """
        query = self._matching(words).order_by(conversations.c.changed.desc(), conversations.c.id)
        with self._database.reading() as connection:
            return [Conversation(*row) for row in connection.execute(query.limit(limit).offset(offset))]

    def count(self, words: str = "") -> int:
        """Return the number of conversations in which each of the words occurs."""
        return self._database.count(self._matching(words))

    def find(self, conversation_id: str) -> Conversation:
        """Return the conversation of an id, or of the beginning of an id. Raises NotFoundError."""
        query = self._matching().where(conversations.c.id.startswith(conversation_id, autoescape=True))
        with self._database.reading() as connection:
            rows = connection.execute(query.limit(2)).all()
        if len(rows) != 1 or not conversation_id:
            matches = "several conversations have" if rows else "no conversation has"
            raise NotFoundError(f"{matches} the id {conversation_id!r}; paperchat conversations lists them")
        return Conversation(*rows[0])

    def latest(self) -> Conversation:
        """Return the conversation that changed last. Raises NotFoundError where there is none."""
        newest = self.recent(limit=1)
        if not newest:
            raise NotFoundError("there is no conversation yet; ask a question to begin one")
        return newest[0]

    def turns(self, conversation_id: str) -> list[StoredTurn]:
        """Return the turns of a conversation in their order. Raises LibraryError where one is damaged."""
        return self._select_turns(turns.c.conversation == conversation_id)

    def turns_with_feedback(self) -> list[StoredTurn]:
        """Return every turn with feedback, of all the owner's conversations, the oldest first."""
        return self._select_turns(feedback.c.turn.is_not(None))

    def linked_turn(self, token: str) -> StoredTurn:
        """Return the turn, of any owner, that a link leads to. Raises NotFoundError."""
        linked = self._read_turns(links.c.token == token) if token else []
        if not linked:
            raise NotFoundError("this link leads to no answer")
        return linked[0]

    # Writing: every method raises LibraryWriteError, and NotFoundError where the owner has no such conversation or turn

    def begin(self, title: str = "") -> Conversation:
        """Create a conversation; without a title, its first question becomes the title."""
        created = Conversation(secrets.token_hex(6), _one_line(title), now(), now(), 0)
        row = {"id": created.id, "title": created.title, "created": created.created, "changed": created.changed}
        with self._database.writing() as connection:
            connection.execute(sa.insert(conversations).values(owner=self.owner, **row))
        return created

    def rename(self, conversation_id: str, title: str) -> None:
        """Set the title of a conversation."""
        with self._database.writing() as connection:
            self._update(connection, conversation_id, title=_one_line(title))

    def append(
        self, conversation_id: str, new_turns: Sequence[Turn], settings: Settings, replacing: int | None = None
    ) -> list[int]:
        """Add turns to a conversation, all or none of them, and return their ids.

        `replacing` is the id of a turn that is deleted first, together with all later ones.
        """
        recorded = json.dumps(settings.model_dump(mode="json", exclude=_LOCATION_SETTINGS))
        rows = [turn_row(turn) | {"conversation": conversation_id, "settings": recorded} for turn in new_turns]
        if not rows:
            return []
        with self._database.writing() as connection:
            self._update(connection, conversation_id, changed=now())
            if replacing is not None:
                _delete_turns(connection, (turns.c.conversation == conversation_id) & (turns.c.id >= replacing))
            insert = sa.insert(turns).returning(turns.c.id, sort_by_parameter_order=True)
            ids = connection.scalars(insert, rows).all()
            _set_missing_title(connection, conversation_id, rows[0]["question"])
        return list(ids)

    def delete(self, conversation_ids: Sequence[str]) -> None:
        """Delete conversations with their turns and feedback, or none of them where the owner lacks one."""
        with self._database.writing() as connection:
            for conversation_id in conversation_ids:
                self._update(connection, conversation_id, changed=now())
                _delete_turns(connection, turns.c.conversation == conversation_id)
                connection.execute(sa.delete(conversations).where(conversations.c.id == conversation_id))

    def set_feedback(self, turn_id: int, value: Feedback | None) -> None:
        """Replace the feedback on a turn; None removes it."""
        with self._database.writing() as connection:
            self._require_turn(connection, turn_id)
            connection.execute(sa.delete(feedback).where(feedback.c.turn == turn_id))
            if value:
                connection.execute(sa.insert(feedback).values(turn=turn_id, **feedback_row(value)))

    def link(self, turn_id: int) -> str:
        """Return the token of the read-only link to a turn, which is created where the turn has none."""
        with self._database.writing() as connection:
            self._require_turn(connection, turn_id)
            token = connection.scalar(sa.select(links.c.token).where(links.c.turn == turn_id))
            if token is None:
                token = secrets.token_urlsafe(32)
                connection.execute(sa.insert(links).values(turn=turn_id, token=token, created=now()))
        return str(token)

    def unlink(self, turn_id: int) -> None:
        """Remove the link to a turn, which then leads nowhere."""
        with self._database.writing() as connection:
            self._require_turn(connection, turn_id)
            connection.execute(sa.delete(links).where(links.c.turn == turn_id))

    def _require_turn(self, connection: sa.Connection, turn_id: int) -> None:
        """Lock the file for writing. Raises NotFoundError where the owner has no such turn."""
        lock_for_writing(connection)
        if not connection.scalar(self._turn_ids().where(turns.c.id == turn_id)):
            raise NotFoundError(f"no turn has the number {turn_id}")

    def _matching(self, words: str = "") -> sa.Select[Any]:
        """Select the owner's conversations in which each of the words occurs, with the fields of Conversation."""
        in_conversation = turns.c.conversation == conversations.c.id
        count = sa.select(sa.func.count()).where(in_conversation).scalar_subquery()
        fields = (conversations.c.id, conversations.c.title, conversations.c.created, conversations.c.changed, count)
        query = sa.select(*fields).where(conversations.c.owner == self.owner)
        for word in words.casefold().split():
            in_turn = in_conversation & (_contains(turns.c.question, word) | _contains(turns.c.text, word))
            query = query.where(_contains(conversations.c.title, word) | sa.exists().where(in_turn))
        return query

    def _turn_ids(self) -> sa.Select[Any]:
        """Select the ids of all the owner's turns."""
        joined = turns.join(conversations, conversations.c.id == turns.c.conversation)
        return sa.select(turns.c.id).select_from(joined).where(conversations.c.owner == self.owner)

    def _select_turns(self, condition: sa.ColumnElement[bool]) -> list[StoredTurn]:
        """Return the turns of the owner that meet the condition."""
        return self._read_turns(turns.c.id.in_(self._turn_ids()) & condition)

    def _read_turns(self, condition: sa.ColumnElement[bool]) -> list[StoredTurn]:
        joined = turns.outerjoin(feedback, feedback.c.turn == turns.c.id).outerjoin(links, links.c.turn == turns.c.id)
        query = sa.select(turns, feedback, links.c.token).select_from(joined).where(condition).order_by(turns.c.id)
        with self._database.reading() as connection:
            return [self._convert(row) for row in connection.execute(query)]

    def _convert(self, row: Any) -> StoredTurn:
        try:
            return turn_of(row)
        except ValueError as error:
            raise LibraryError(
                f"turn {row.id} of the conversation {row.conversation} in {self._database.description} is damaged: "
                f"{error}; restore a copy, or run: paperchat conversations delete {row.conversation}"
            ) from error

    def _update(self, connection: sa.Connection, conversation_id: str, **values: str) -> None:
        """Set columns of one of the owner's conversations. Raises NotFoundError."""
        owned = (conversations.c.id == conversation_id) & (conversations.c.owner == self.owner)
        if not connection.execute(sa.update(conversations).where(owned).values(**values)).rowcount:
            raise NotFoundError(f"no conversation has the id {conversation_id!r}")


def _set_missing_title(connection: sa.Connection, conversation_id: str, question: str) -> None:
    untitled = (conversations.c.id == conversation_id) & (conversations.c.title == "")
    title = _one_line(question)[:_MAX_TITLE_LENGTH]
    connection.execute(sa.update(conversations).where(untitled).values(title=title))


def _delete_turns(connection: sa.Connection, condition: sa.ColumnElement[bool]) -> None:
    """Delete turns with their feedback and links."""
    ids = sa.select(turns.c.id).where(condition)
    connection.execute(sa.delete(links).where(links.c.turn.in_(ids)))
    connection.execute(sa.delete(feedback).where(feedback.c.turn.in_(ids)))
    connection.execute(sa.delete(turns).where(condition))


def _contains(column: sa.Column[Any], word: str) -> sa.ColumnElement[bool]:
    return sa.func.instr(sa.func.casefold(column), sa.literal(word, Text)) > 0


def _one_line(text: str) -> str:
    return " ".join(encodable(text).split())
