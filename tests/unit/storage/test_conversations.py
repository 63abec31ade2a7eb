"""Conversations in SQLite and in PostgreSQL: what is kept comes back, to its owner alone; older files are migrated."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from assistant.chat import Assistant
from assistant.errors import NotFoundError
from assistant.schema import Answer, Strength, Turn
from assistant.settings import Settings
from assistant.storage import conversation_schema, conversations
from assistant.storage.conversation_schema import Fault, Feedback
from assistant.storage.conversations import Conversations
from assistant.storage.database import DatabaseLocation

ANSWER = Answer("Why is the sky blue?", "Why is the sky blue?", Strength.FIRM, 0.9, "Light scatters.")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "conversations.db"


@pytest.fixture
def kept(location: DatabaseLocation) -> Iterator[Conversations]:
    with closing(Conversations(location)) as opened:
        yield opened


@pytest.fixture
def keep(kept: Conversations, settings: Settings) -> Callable[..., str]:
    """Keeps a conversation of these questions, all with one answer, and returns its id."""

    def begin(*questions: str, owner: str = "", text: str = ANSWER.text) -> str:
        own = kept.for_owner(owner)
        begun = own.begin()
        own.append(begun.id, [Turn(question, replace(ANSWER, text=text)) for question in questions], settings)
        return begun.id

    return begin


Keep = Callable[..., str]


# Keeping


def test_a_turn_comes_back_whole_with_what_made_it(kept: Conversations, reader: Assistant, settings: Settings) -> None:
    question = "How do honey bees communicate?"
    turn = Turn(question, replace(reader.ask(question), confidence=0.5, prompt="abc"))
    begun = kept.begin()
    made_with = settings.model_copy(update={"top_k": 7})
    (turn_id,) = kept.append(begun.id, [turn], made_with)
    (stored,) = kept.turns(begun.id)
    assert (stored.id, stored.conversation, stored.prompt, stored.feedback) == (turn_id, begun.id, "abc", None)
    assert stored.turn.question == question
    assert stored.turn.answer.text == turn.answer.text
    assert stored.turn.answer.citations == turn.answer.citations
    assert stored.turn.answer.sentences == turn.answer.sentences
    assert stored.turn.answer.recipe == reader.library.recipe
    assert stored.settings["top_k"] == 7
    assert {"home", "port"} & set(stored.settings) == set(), "where the library is, is nobody's business later"
    assert stored.asked_at >= begun.created


def test_turns_come_back_in_the_order_in_which_they_were_kept_even_after_reopening(
    kept: Conversations, keep: Keep, location: DatabaseLocation, settings: Settings
) -> None:
    one, other = keep("first", "second"), keep("another")
    kept.append(one, [Turn("third", ANSWER)], settings)
    with closing(Conversations(location)) as reopened:
        assert [each.turn.question for each in reopened.turns(one)] == ["first", "second", "third"]
        assert [each.turn.question for each in reopened.turns(other)] == ["another"]


def test_keeping_no_turn_changes_nothing(kept: Conversations, keep: Keep, settings: Settings) -> None:
    keep("first")
    before = kept.recent()
    assert kept.append(before[0].id, [], settings) == []
    assert kept.recent() == before


def test_a_turn_asked_anew_takes_the_place_of_the_old_one_and_of_those_behind_it(
    kept: Conversations, keep: Keep, settings: Settings
) -> None:
    talk, other = keep("one", "two", "three"), keep("two")
    _, second, third = kept.turns(talk)
    kept.set_feedback(third.id, Feedback(True))
    kept.append(talk, [Turn("two, please", ANSWER)], settings, replacing=second.id)
    assert [each.turn.question for each in kept.turns(talk)] == ["one", "two, please"]
    assert [each.turn.question for each in kept.turns(other)] == ["two"]
    assert kept.turns_with_feedback() == []
    assert kept.find(talk).title == "one"


def test_the_place_of_another_conversations_turn_cannot_be_taken(
    kept: Conversations, keep: Keep, settings: Settings
) -> None:
    first, second = keep("one"), keep("two")
    kept.append(second, [Turn("three", ANSWER)], settings, replacing=kept.turns(first)[0].id)
    assert [each.turn.question for each in kept.turns(first)] == ["one"]


def test_half_a_character_is_kept_as_well_as_it_can_be(kept: Conversations, settings: Settings) -> None:
    begun = kept.begin()
    kept.append(begun.id, [Turn("bees \ud83d", replace(ANSWER, text="bees \ud83d"))], settings)
    (stored,) = kept.turns(begun.id)
    assert stored.turn.question == "bees ?"
    assert stored.turn.answer.text == "bees \ud83d"


# Titles


def test_a_conversation_takes_its_first_question_for_a_title_in_one_line(kept: Conversations, keep: Keep) -> None:
    keep("What is\n a title?", "Something else?")
    assert kept.latest().title == "What is a title?"


def test_a_long_question_is_cut_in_the_title(kept: Conversations, keep: Keep) -> None:
    keep("why " * 1000)
    assert len(kept.latest().title) <= 80


def test_a_given_title_stays(kept: Conversations, settings: Settings) -> None:
    begun = kept.begin("About the sky")
    kept.append(begun.id, [Turn("Why?", ANSWER)], settings)
    assert kept.latest().title == "About the sky"


def test_a_renamed_conversation_keeps_its_place(kept: Conversations, keep: Keep) -> None:
    old, new = keep("old"), keep("new")
    kept.rename(old, "older\nstill")
    assert [(each.id, each.title) for each in kept.recent()] == [(new, "new"), (old, "older still")]


# Listing, finding, searching


def test_the_conversation_that_changed_last_comes_first(kept: Conversations, keep: Keep, settings: Settings) -> None:
    one, two = keep("one"), keep("two")
    assert [each.id for each in kept.recent()] == [two, one]
    kept.append(one, [Turn("again", ANSWER)], settings)
    assert [(each.id, each.turns) for each in kept.recent()] == [(one, 2), (two, 1)]
    assert kept.latest().id == one


def test_pages_together_are_the_whole_list(kept: Conversations, keep: Keep) -> None:
    made = [keep(f"question {number}") for number in range(7)]
    pages = [kept.recent(limit=3, offset=offset) for offset in (0, 3, 6, 9)]
    assert [len(page) for page in pages] == [3, 3, 1, 0]
    assert [each.id for page in pages for each in page] == made[::-1]
    assert kept.count() == 7


def test_a_search_finds_every_word_in_title_questions_and_answers_in_whatever_case(
    kept: Conversations, keep: Keep
) -> None:
    bees = keep("How do BEES dance?", "And the Ärmelkanal?", text="They waggle 100% of the time.")
    keep("How do glaciers melt?", text="Fast.")
    kept.rename(bees, "Insects")
    for words in ("bees", "ÄRMELKANAL", "waggle bees", "insects", "100%", "how waggle"):
        assert [each.id for each in kept.recent(words)] == [bees], words
    assert kept.count("how do") == 2
    assert kept.recent("bees glaciers") == []
    assert kept.recent("100_") == []


def test_the_beginning_of_an_id_is_enough_if_it_is_one_conversations_only(kept: Conversations, keep: Keep) -> None:
    one = keep("one")
    assert kept.find(one).id == kept.find(one[:8]).id == one
    keep("two")
    for unknown in ("", "zz", "%", one + "0"):
        with pytest.raises(NotFoundError, match=r"(have|has) the id"):
            kept.find(unknown)


def test_without_any_conversation_there_is_no_last_one(kept: Conversations) -> None:
    with pytest.raises(NotFoundError, match="ask a question"):
        kept.latest()


# Deleting


def test_what_is_deleted_leaves_nothing_behind(kept: Conversations, keep: Keep, file: Path) -> None:
    gone, stays = keep("gone"), keep("stays")
    for conversation in (gone, stays):
        kept.set_feedback(kept.turns(conversation)[0].id, Feedback(good=True))
    kept.delete([gone])
    assert [each.id for each in kept.recent()] == [stays]
    assert kept.turns(gone) == []
    assert [each.conversation for each in kept.turns_with_feedback()] == [stays]
    with closing(sqlite3.connect(file)) as bare:
        rows = [bare.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ("turns", "feedback")]  # noqa: S608
    assert rows == [(1,), (1,)]


def test_unless_every_conversation_is_known_none_is_deleted(kept: Conversations, keep: Keep) -> None:
    one = keep("one")
    with pytest.raises(NotFoundError):
        kept.delete([one, "unknown"])
    assert [each.turn.question for each in kept.turns(one)] == ["one"]


def test_the_number_of_a_deleted_turn_is_never_given_again(kept: Conversations, keep: Keep, settings: Settings) -> None:
    gone = keep("gone")
    number = kept.turns(gone)[0].id
    kept.delete([gone])
    assert kept.turns(keep("new"))[0].id > number


# Feedback


def test_feedback_stands_beside_its_turn_until_it_is_replaced_or_taken_back(kept: Conversations, keep: Keep) -> None:
    first, second = kept.turns(keep("first", "second"))
    bad = Feedback(False, Fault.MISSING_PAPER, "the one of 2019", ("0123",), ("Ice melts.",))
    kept.set_feedback(second.id, Feedback(good=True))
    kept.set_feedback(second.id, bad)
    assert [each.feedback for each in kept.turns(first.conversation)] == [None, bad]
    assert [each.id for each in kept.turns_with_feedback()] == [second.id]
    kept.set_feedback(second.id, None)
    assert kept.turns_with_feedback() == []


def test_no_paper_and_no_word_about_papers_are_told_apart(kept: Conversations, keep: Keep) -> None:
    first, second = kept.turns(keep("first", "second"))
    kept.set_feedback(first.id, Feedback(good=True, papers=()))
    kept.set_feedback(second.id, Feedback(good=True))
    assert [each.feedback.papers for each in kept.turns_with_feedback() if each.feedback] == [(), None]


# Owners


def touches(kept: Conversations, conversation: str, turn: int, settings: Settings) -> list[Callable[[], object]]:
    """Every way to reach a conversation by its id or its turn's."""
    return [
        lambda: kept.find(conversation),
        lambda: kept.latest(),
        lambda: kept.rename(conversation, "stolen"),
        lambda: kept.append(conversation, [Turn("slipped in", ANSWER)], settings),
        lambda: kept.delete([conversation]),
        lambda: kept.set_feedback(turn, Feedback(good=False)),
    ]


def test_an_owner_sees_and_changes_nothing_of_anothers(kept: Conversations, keep: Keep, settings: Settings) -> None:
    mine = keep("mine", owner="ann")
    turn = kept.for_owner("ann").turns(mine)[0].id
    for other in (kept, kept.for_owner("bob"), kept.for_owner("ANN"), kept.for_owner("ann ")):
        assert [*other.recent(), *other.recent("mine"), *other.turns(mine), *other.turns_with_feedback()] == []
        assert other.count() == 0
        for touch in touches(other, mine, turn, settings):
            with pytest.raises(NotFoundError):
                touch()
    (stored,) = kept.for_owner("ann").turns(mine)
    assert (stored.turn.question, stored.feedback, kept.for_owner("ann").latest().title) == ("mine", None, "mine")


# Versions


def test_the_migrations_make_the_tables_that_the_code_reads(kept: Conversations, file: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{file}")
    seen = sa.inspect(engine)
    for table in conversation_schema._tables.sorted_tables:
        columns = {column["name"]: column["nullable"] for column in seen.get_columns(table.name)}
        assert columns.keys() == {column.name for column in table.columns}
    engine.dispose()


def test_what_was_judged_before_sentences_could_be_named_is_still_there(
    file: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        first = replace(conversation_schema.MIGRATIONS, steps=conversation_schema.MIGRATIONS.steps[:1])
        patched.setattr(conversations, "MIGRATIONS", first)
        with closing(Conversations(file)) as old:
            begun = old.begin()
            (turn,) = old.append(begun.id, [Turn("asked long ago", ANSWER)], settings)
    with closing(sqlite3.connect(file)) as bare, bare:
        bare.execute("INSERT INTO feedback VALUES (?, 0, 'missing paper', '', '[\"0123\"]', '')", [turn])
    with closing(Conversations(file)) as opened:
        assert [each.feedback for each in opened.turns_with_feedback()] == [
            Feedback(False, Fault.MISSING_PAPER, "", ("0123",))
        ]


# --- links -----------------------------------------------------------------------------------------------------------


def test_a_link_leads_to_its_turn_for_every_owner_until_it_is_removed(kept: Conversations, keep: Keep) -> None:
    [turn] = kept.turns(keep("Do bees dance?"))
    token = kept.link(turn.id)
    assert kept.link(turn.id) == token
    assert len(token) == 43
    assert kept.for_owner("other").linked_turn(token).turn.question == "Do bees dance?"
    assert kept.turns(turn.conversation)[0].link == token
    kept.unlink(turn.id)
    for unknown in (token, "", "x", "%"):
        with pytest.raises(NotFoundError):
            kept.linked_turn(unknown)
    assert kept.link(turn.id) != token


def test_nobody_links_or_unlinks_the_turn_of_another_owner(kept: Conversations, keep: Keep) -> None:
    [turn] = kept.turns(keep("Do bees dance?"))
    token = kept.link(turn.id)
    other = kept.for_owner("other")
    for touch in (other.link, other.unlink):
        with pytest.raises(NotFoundError):
            touch(turn.id)
    assert kept.linked_turn(token).id == turn.id


def test_a_link_goes_with_its_conversation(kept: Conversations, keep: Keep) -> None:
    conversation = keep("Do bees dance?")
    token = kept.link(kept.turns(conversation)[0].id)
    kept.delete([conversation])
    with pytest.raises(NotFoundError):
        kept.linked_turn(token)
