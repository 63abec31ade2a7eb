"""Keeping conversations when something is broken: what was kept stays, what cannot be kept is one clear error."""

from __future__ import annotations

import os
import re
import resource
import signal
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import LibraryError, LibraryWriteError, NotFoundError
from assistant.schema import Answer, Strength, Turn
from assistant.settings import Settings, load
from assistant.storage import conversations
from assistant.storage.conversations import Conversations
from tests.conftest import Run
from tests.faults.test_ingest_faults import DISK_FULL
from tests.processes import PROCESSES, exit_code, start

NOBODY = 65534
ANSWER = Answer("Why is the sky blue?", "Why is the sky blue?", Strength.FIRM, 0.9, "Light scatters. " * 400)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "conversations.db"


@pytest.fixture
def conversation(file: Path, settings: Settings) -> str:
    """The id of a conversation of one turn, whose file is closed again."""
    with closing(Conversations(file)) as kept:
        begun = kept.begin()
        kept.append(begun.id, [Turn("first", ANSWER)], settings)
    return begun.id


def questions(file: Path, conversation: str) -> list[str]:
    with closing(Conversations(file)) as kept:
        turns = kept.turns(conversation)
        assert all(each.turn.answer == ANSWER for each in turns), "every turn that is there is there whole"
        return [each.turn.question for each in turns]


# What other processes do


def append(file: Path, conversation: str, *asked: str) -> None:
    with closing(Conversations(file)) as kept:
        for question in asked:
            kept.append(conversation, [Turn(question, ANSWER)], load())


def append_and_die(file: Path, conversation: str, call: int) -> None:
    """Append turn after turn, and be killed in the middle of one, when its rows are written but not committed."""
    calls, real = count(1), conversations._set_missing_title

    def die(*arguments: Any) -> None:
        if next(calls) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        real(*arguments)

    setattr(conversations, "_set_missing_title", die)  # noqa: B010 - mypy compares the signatures
    append(file, conversation, *map(str, range(10)))


def append_until_full(file: Path, conversation: str) -> None:
    with closing(Conversations(file)) as kept:
        kept.append(conversation, [Turn("there is room", ANSWER)], load())
        room = file.with_name(f"{file.name}-wal").stat().st_size + 1000
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
        for _ in range(2):
            with pytest.raises(LibraryWriteError, match=re.escape(str(file))):
                kept.append(conversation, [Turn("there is none", ANSWER)], load())
        assert len(kept.turns(conversation)) == 2, "what is there can still be read"
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        kept.append(conversation, [Turn("there is room again", ANSWER)], load())
    sys.exit(DISK_FULL)


def append_as_nobody(file: Path, conversation: str) -> None:
    """Exit code 0 if the one error is of the right kind and names the file."""
    if os.geteuid() == 0:
        os.setuid(NOBODY)
    try:
        append(file, conversation, "not allowed")
    except LibraryError as error:
        sys.exit(0 if str(file) in str(error) else f"a poor message: {error}")
    sys.exit("it was written")


def begin_and_append(file: Path, name: str, shared: str, barrier: Any) -> None:
    barrier.wait()
    with closing(Conversations(file)) as kept:
        own = kept.begin(name)
        for number in range(15):
            kept.append(own.id, [Turn(f"{name}{number}", ANSWER)], load())
            if shared:
                kept.append(shared, [Turn(f"{name}{number}", ANSWER)], load())


def at_once(task: Callable[..., None], *arguments: object) -> list[int | None]:
    """Do a task in two processes that start together; their exit codes."""
    barrier = PROCESSES.Barrier(2)
    file, *others = arguments
    both = [start(task, file, name, *others, barrier) for name in "ab"]
    for process in both:
        process.join(60)
        process.kill()
    return [process.exitcode for process in both]


# Killed


@pytest.mark.parametrize("call", [1, 4])
def test_a_process_killed_in_the_middle_of_a_turn_loses_that_turn_alone(
    file: Path, conversation: str, call: int
) -> None:
    assert exit_code(append_and_die, file, conversation, call) == -signal.SIGKILL
    assert questions(file, conversation) == ["first", *map(str, range(call - 1))]
    append(file, conversation, "afterwards")
    assert questions(file, conversation)[-1] == "afterwards"


# Two at once


def test_two_processes_that_write_at_once_lose_and_mix_nothing(file: Path, conversation: str) -> None:
    assert at_once(begin_and_append, file, conversation) == [0, 0]
    both = questions(file, conversation)[1:]
    assert len(both) == 30
    with closing(Conversations(file)) as kept:
        for own in (each for each in kept.recent() if each.id != conversation):
            expected = [f"{own.title}{number}" for number in range(15)]
            assert [each.turn.question for each in kept.turns(own.id)] == expected
            assert [question for question in both if question.startswith(own.title)] == expected


def test_two_processes_that_begin_the_file_at_once_both_find_it_made(file: Path) -> None:
    assert at_once(begin_and_append, file, "") == [0, 0]
    with closing(Conversations(file)) as kept:
        assert sorted((each.title, each.turns) for each in kept.recent()) == [("a", 15), ("b", 15)]


def test_a_conversation_deleted_meanwhile_is_not_brought_back(
    file: Path, conversation: str, settings: Settings
) -> None:
    with closing(Conversations(file)) as one, closing(Conversations(file)) as other:
        one.delete([conversation])
        with pytest.raises(NotFoundError, match="no conversation has the id"):
            other.append(conversation, [Turn("too late", ANSWER)], settings)
        assert other.recent() == []


# The disk


def test_a_full_disk_is_one_error_that_keeps_what_was_there_and_with_room_again_the_next_turn_is_kept(
    file: Path, conversation: str
) -> None:
    assert exit_code(append_until_full, file, conversation) == DISK_FULL
    assert questions(file, conversation) == ["first", "there is room", "there is room again"]


@pytest.fixture
def public(file: Path, conversation: str) -> Iterator[Path]:
    """A copy of the file where everybody may read and nobody write."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "conversations.db"
        copy.write_bytes(file.read_bytes())
        copy.chmod(0o444)
        Path(folder).chmod(0o555)
        yield copy
        Path(folder).chmod(0o755)


def test_a_read_only_folder_is_one_error_and_nothing_changes(public: Path, conversation: str) -> None:
    before = public.read_bytes()
    assert exit_code(append_as_nobody, public, conversation) == 0
    assert public.read_bytes() == before


# Damage


@pytest.mark.parametrize("left", [b"this is no database" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_one_error_with_the_cure_that_works(file: Path, left: bytes) -> None:
    file.write_bytes(left)
    with pytest.raises(LibraryError, match=r"conversations\.db cannot be opened: .*; move it away and a new one"):
        Conversations(file)
    assert file.read_bytes() == left, "it may yet be mended by hand"
    file.rename(file.with_suffix(".broken"))
    with closing(Conversations(file)) as kept:
        assert kept.recent() == []


def test_damage_within_the_file_is_one_error_with_the_cure(file: Path, conversation: str) -> None:
    data = bytearray(file.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    file.write_bytes(data)
    with pytest.raises(LibraryError, match=r"conversations\.db cannot be (opened|read): .*; move it away"):
        questions(file, conversation)


@pytest.mark.parametrize("answer", ["{", "[]", "{}", '{"question": "q", "strength": "iron"}'])
def test_a_damaged_turn_is_one_error_with_the_cure_that_works(
    file: Path, conversation: str, settings: Settings, answer: str
) -> None:
    append(file, conversation, "second")
    with closing(sqlite3.connect(file)) as bare, bare:
        bare.execute("UPDATE turns SET answer = ? WHERE question = 'second'", [answer])
    with closing(Conversations(file)) as kept:
        with pytest.raises(LibraryError, match=f"turn 2 .* is damaged: .*conversations delete {conversation}"):
            kept.turns(conversation)
        kept.delete([conversation])
        assert kept.recent() == []


# The command line


def test_a_damaged_file_costs_the_answer_nothing_but_its_being_kept(
    paperchat: Callable[..., Run], papers_file: Path, settings: Settings
) -> None:
    assert paperchat("ingest", papers_file).code == 0
    (settings.home / "conversations.db").write_bytes(b"this is no database" * 100)
    done = paperchat("ask", "How do honey bees communicate the place of flowers by a waggle dance?")
    assert "waggle dance" in done.out
    assert done.code == 1
    (line,) = done.err.splitlines()
    assert line.startswith("paperchat: the file of conversations")
    assert "move it away" in line
    for verb in (("ask", "-c", "And?"), ("chat", "-c"), ("conversations",), ("conversations", "show", "0")):
        refused = paperchat(*verb)
        assert (refused.code, refused.out) == (1, "")
        assert refused.err.splitlines() == [line]
