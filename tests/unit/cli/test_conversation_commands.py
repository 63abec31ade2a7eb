"""The verbs about conversations: what is kept without asking, what is continued, shown, compared and changed."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from assistant import factory
from assistant.settings import Settings
from tests.conftest import BEES, Paperchat, Run
from tests.contract.json_keys import ANSWER, CONVERSATION, TURN, WHOLE_LIBRARY
from tests.fakes import ScriptedLLM

OLDER = "How long do they dance when they are older?"
GLACIERS = "How much ice did glaciers in the northern Alps lose?"


@pytest.fixture
def talked(filled: Paperchat) -> Paperchat:
    """The same after a conversation of two turns, and a newer one of one."""
    filled("ask", BEES)
    filled("ask", "-c", OLDER)
    filled("ask", GLACIERS)
    return filled


def conversations(run: Paperchat) -> list[Any]:
    listed: list[Any] = run("conversations", "--json").json
    return listed


def shown(run: Paperchat, number: int = 0) -> Any:
    """A conversation of the list, whole."""
    return run("conversations", "show", conversations(run)[number]["id"], "--json").json


def questions(run: Paperchat, number: int = 0) -> list[str]:
    return [turn["question"] for turn in shown(run, number)["turns"]]


# ask


def test_every_question_is_kept_as_a_conversation_that_c_continues(filled: Paperchat) -> None:
    first = filled("ask", BEES)
    assert (first.code, first.err) == (0, "")
    continued = filled("ask", "-c", OLDER, "--json")
    assert "waggle" in continued.json["standalone"], "it is understood with the question before it"
    assert continued.err == f"Continuing {conversations(filled)[0]['id']}: {BEES[:80]} (1 turn)\n"
    assert questions(filled) == [BEES, OLDER]


def test_c_continues_the_conversation_that_changed_last_and_an_id_any(talked: Paperchat) -> None:
    newest, oldest = conversations(talked)
    talked("ask", "-c", "And since?")
    talked("ask", "--conversation", oldest["id"][:5], "And the younger ones?")
    assert [each["id"] for each in conversations(talked)] == [oldest["id"], newest["id"]]
    assert questions(talked, 0) == [BEES, OLDER, "And the younger ones?"]
    assert questions(talked, 1) == [GLACIERS, "And since?"]


def test_nothing_is_kept_of_a_batch_or_of_a_question_that_shall_not_be(filled: Paperchat) -> None:
    assert filled("ask", BEES, "--no-save").code == 0
    assert filled("ask", "--batch", "-", stdin='{"question": "bees"}').code == 0
    assert conversations(filled) == []


def test_to_continue_without_keeping_leaves_the_conversation_as_it_is(talked: Paperchat) -> None:
    before = shown(talked)
    answer = talked("ask", "-c", "--no-save", "--json", "And since then?")
    assert "glaciers" in answer.json["standalone"]
    assert shown(talked) == before


@pytest.mark.parametrize("verb", [("ask", "-c", BEES), ("ask", "--conversation", "0", BEES), ("chat", "-c")])
def test_what_cannot_be_continued_is_said_before_anything_is_asked(filled: Paperchat, verb: tuple[str, ...]) -> None:
    done = filled(*verb)
    assert (done.code, done.out) == (1, "")
    assert "no conversation" in done.err


@pytest.mark.parametrize("options", [("-c", "--conversation", "0"), ("-c", "--batch", "-")])
def test_options_that_exclude_each_other_are_refused(filled: Paperchat, options: tuple[str, ...]) -> None:
    question = () if "--batch" in options else (BEES,)
    assert filled("ask", *options, *question).code == 2


def test_a_turn_in_which_the_model_failed_is_kept_with_what_was_quoted_instead(
    filled: Paperchat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(factory, "open_llm", lambda _: ScriptedLLM("Bees", " dance [1].", fails_after=1))
    assert filled("ask", BEES).code == 0
    (turn,) = shown(filled)["turns"]
    assert turn["answer"]["withdrawn"] == {"text": "Bees", "reason": "the scripted model broke off", "failed": True}
    assert turn["answer"]["citations"]


def test_the_papers_that_were_pinned_and_excluded_are_kept_with_the_turn(filled: Paperchat) -> None:
    bees, glaciers = (filled("search", words, "--json").json["hits"][0]["paper"]["id"] for words in (BEES, GLACIERS))
    asked = filled("ask", BEES, "--pin", bees[:8], "--exclude", glaciers[:8], "--json")
    (turn,) = shown(filled)["turns"]
    assert turn["scope"] == asked.json["scope"] == WHOLE_LIBRARY | {"pinned": [bees], "excluded": [glaciers]}
    filled("ask", "-c", OLDER)
    assert shown(filled)["turns"][1]["scope"] == WHOLE_LIBRARY, "pins are for their question only"


def test_a_filter_typed_in_a_kept_question_holds_for_what_leans_on_it(filled: Paperchat) -> None:
    filled("ask", f"{BEES} source:papers")
    assert filled("ask", "-c", OLDER, "--json").json["filters"] == {"source": ["papers"]}


# chat


def test_a_chat_is_kept_and_can_be_continued(filled: Paperchat) -> None:
    assert filled("chat", stdin=f"{BEES}\n{OLDER}\n\n").code == 0
    again = filled("chat", "-c", stdin="And the youngest?\n")
    assert "(2 turns)" in again.err
    assert questions(filled) == [BEES, OLDER, "And the youngest?"]
    assert len(conversations(filled)) == 1


def test_a_chat_in_which_nothing_is_asked_leaves_nothing(filled: Paperchat) -> None:
    filled("chat", stdin="\n")
    assert conversations(filled) == []


def test_a_turn_that_could_not_be_kept_is_kept_with_the_next_one(
    filled: Paperchat, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    from assistant.errors import LibraryWriteError
    from assistant.storage.conversations import Conversations

    append, tries = Conversations.append, iter([True, False])

    def failing_once(*arguments: Any) -> list[int]:
        if next(tries):
            raise LibraryWriteError("the disk is full")
        return append(*arguments)

    monkeypatch.setattr(Conversations, "append", failing_once)
    done = filled("chat", stdin=f"{BEES}\n{OLDER}\n")
    assert done.err == "paperchat: the disk is full\n"
    assert "waggle dance" in done.out
    assert questions(filled) == [BEES, OLDER]


# conversations


def test_the_list_has_a_line_for_each_conversation_the_newest_first(talked: Paperchat) -> None:
    newest, oldest = talked("conversations").out.splitlines()
    assert "1 turn " in newest
    assert GLACIERS in newest
    assert "2 turns" in oldest
    assert [set(each) for each in conversations(talked)] == [CONVERSATION] * 2


def test_the_list_is_searched_and_paged(talked: Paperchat) -> None:
    found = talked("conversations", "--search", "WAGGLE they", "--json").json
    assert [each["turns"] for each in found] == [2]
    first, second = (talked("conversations", "--size", 1, "--page", page) for page in (1, 2))
    assert GLACIERS in first.out
    assert first.err == "1 more: --page 2\n"
    assert BEES[:40] in second.out
    assert second.err == ""
    assert talked("conversations", "--search", "volcano") == Run(0, "", "")


def test_a_conversation_is_shown_whole(talked: Paperchat) -> None:
    oldest = conversations(talked)[1]["id"]
    text = talked("conversations", "show", oldest[:6]).out
    assert BEES in text
    assert OLDER in text
    assert "[1]" in text
    whole = talked("conversations", "show", oldest, "--json").json
    assert set(whole) == CONVERSATION
    assert [set(turn) for turn in whole["turns"]] == [TURN] * 2
    assert [set(turn["answer"]) for turn in whole["turns"]] == [ANSWER] * 2


def test_a_conversation_is_renamed_and_deleted(talked: Paperchat) -> None:
    newest, oldest = conversations(talked)
    assert talked("conversations", "rename", oldest["id"], "Dancing insects").code == 0
    assert conversations(talked)[1]["title"] == "Dancing insects"
    assert talked("conversations", "delete", oldest["id"], "unknown").code == 1
    assert len(conversations(talked)) == 2
    assert talked("conversations", "delete", oldest["id"]).out == "1 deleted, 1 conversation left.\n"
    assert [each["id"] for each in conversations(talked)] == [newest["id"]]


def test_an_unknown_conversation_is_one_line_that_says_where_to_look(talked: Paperchat, tmp_path: Path) -> None:
    for verb in (("conversations", "show"), ("replay",), ("export", "--format", "html", "--conversation")):
        done = talked(*verb, "zz")
        assert (done.code, done.out) == (1, "")
        assert done.err == "paperchat: no conversation has the id 'zz'; paperchat conversations lists them\n"


# replay


def test_over_the_same_library_nothing_changed(talked: Paperchat) -> None:
    oldest = conversations(talked)[1]["id"]
    done = talked("replay", oldest)
    assert done.out == (f"> {BEES}\n  nothing changed\n> {OLDER}\n  nothing changed\n0 of 2 answers would change.\n")
    assert len(conversations(talked)) == 2, "nothing is kept of it"


def test_a_new_paper_and_a_deleted_one_are_named(talked: Paperchat, papers_file: Path) -> None:
    oldest = conversations(talked)[1]
    cited = shown(talked, 1)["turns"][0]["answer"]["citations"][0]["paper"]["id"]
    papers_file.write_text(
        "Abstract: Honey bees feel with their antennae. Honey bees communicate the place of flowers by a waggle dance."
        "\n",
        encoding="utf-8",
    )
    assert talked("ingest", papers_file).code == 0
    new = next(paper for paper in talked("list", "--json").json if "antennae" in paper["abstract"])
    gained = talked("replay", oldest["id"])
    assert f"  1 paper would now be cited:\n    {new['id']}" in gained.out
    assert talked("delete", cited).code == 0
    replayed = talked("replay", oldest["id"], "--json").json
    first = replayed["turns"][0]
    assert replayed["id"] == oldest["id"]
    assert first["changed"] is True
    assert [paper["id"] for paper in first["gained"]] == [new["id"]]
    assert [paper["id"] for paper in first["lost"]] == [cited]
    assert set(first["answer"]) == ANSWER


def test_an_answer_that_is_no_longer_given_is_said(talked: Paperchat) -> None:
    newest = conversations(talked)[0]["id"]
    cited = [each["paper"]["id"] for each in shown(talked)["turns"][0]["answer"]["citations"]]
    talked("delete", *(paper["id"] for paper in talked("list", "--json").json))
    out = talked("replay", newest).out
    assert "would no longer be cited:" in out
    assert [line.split()[0] for line in out.splitlines() if line.startswith("    ")] == cited
    assert "and would now be none: it holds no paper yet" in out
    assert out.endswith("1 of 1 answer would change.\n")


def test_a_question_about_pinned_papers_is_asked_of_them_again(filled: Paperchat) -> None:
    cited = filled("ask", BEES, "--json").json["citations"][0]["paper"]["id"]
    filled("ask", BEES, "--exclude", cited)
    excluding = conversations(filled)[0]["id"]
    assert filled("replay", excluding).out.endswith("0 of 1 answer would change.\n")
    filled("ask", BEES, "--pin", cited)
    pinned = conversations(filled)[0]["id"]
    assert filled("replay", pinned).out.endswith("0 of 1 answer would change.\n")
    assert filled("delete", cited).code == 0
    out = filled("replay", pinned).out
    assert f"and would now be none: no paper has the id '{cited}'" in out
    assert out.endswith("1 of 1 answer would change.\n")


def test_each_question_asked_again_sees_the_new_turns_before_it(talked: Paperchat) -> None:
    replayed = talked("replay", conversations(talked)[1]["id"], "--json").json
    assert "waggle" in replayed["turns"][1]["answer"]["standalone"]


# Another owner's


def test_the_command_line_sees_only_what_belongs_to_the_single_user(talked: Paperchat, settings: Settings) -> None:
    with closing(factory.open_conversations(settings, owner="ann")) as kept:
        other = kept.begin("private").id
    assert len(conversations(talked)) == 2
    assert talked("conversations", "show", other).code == 1
    assert talked("conversations", "delete", other).code == 1
    assert talked("ask", "--conversation", other, BEES).code == 1
