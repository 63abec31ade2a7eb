from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from assistant.chat import Assistant
from assistant.schema import Verdict
from tests.contract.json_keys import ANSWER, PAPER, SENTENCE, WHOLE_LIBRARY
from tests.fakes import ScriptedLLM
from ui.cli import batch

MakeAssistant = Callable[..., Assistant]
Json = dict[str, Any]

QUESTION = "Which glaciers shrink the fastest?"


def run(assistant: Assistant, *lines: str) -> list[Json]:
    """Replies to questions, by way of the JSON that a script would read, encoded as the command does."""
    replies = list(batch.run((f"{line}\n" for line in lines), batch.ask(assistant)))
    texts = (json.dumps(reply, ensure_ascii=False, allow_nan=False) for reply in replies)
    return [json.loads(text.encode("utf-8", "backslashreplace")) for text in texts]


def check_paper(paper: Json) -> None:
    assert set(paper) == PAPER
    assert isinstance(paper["abstract"], str)
    assert isinstance(paper["authors"], list)
    assert isinstance(paper["sources"], list)


def check_hit(hit: Json) -> None:
    assert set(hit) == {"rank", "score", "paper", "passages", "scores"}
    assert "dense" in hit["scores"]
    check_paper(hit["paper"])
    check_passages(hit)


def check_passages(holder: Json) -> None:
    assert holder["passages"]
    for passage in holder["passages"]:
        assert set(passage) == {"text", "start", "end"}
        assert holder["paper"]["abstract"][passage["start"] : passage["end"]] == passage["text"]


def check_answer(answer: Json) -> None:
    assert set(answer) - {"id"} == ANSWER
    assert set(answer["timings"]) >= {"total_ms", "retrieve_ms", "first_text_ms"}
    assert 0 <= answer["confidence"] <= 1
    for citation in answer["citations"]:
        assert set(citation) == {"number", "paper", "passages"}
        check_paper(citation["paper"])
        check_passages(citation)
    for sentence in answer["sentences"]:
        assert set(sentence) == SENTENCE
        assert sentence["verdict"] in set(Verdict)
        assert 0 <= sentence["support"] <= 1
    for hit in answer["hits"]:
        check_hit(hit)
    for paper in answer["nearest"]:
        check_paper(paper)


def test_an_answer_has_the_names_that_scripts_rely_on(make_assistant: MakeAssistant) -> None:
    (answer,) = run(make_assistant(), json.dumps({"id": 1, "question": QUESTION}))
    check_answer(answer)
    assert (answer["id"], answer["question"], answer["answered"], answer["strength"]) == (1, QUESTION, True, "firm")
    assert [citation["number"] for citation in answer["citations"]] == [1]
    assert answer["reason"] is None
    assert len(answer["hits"]) == 3


def test_the_answer_of_a_model_has_the_same_names(make_assistant: MakeAssistant) -> None:
    llm = ScriptedLLM("Small glaciers shrink the fastest [1]. Whales sing [1]. So it is.")
    (answer,) = run(make_assistant(llm), json.dumps({"question": QUESTION}))
    check_answer(answer)
    assert "id" not in answer
    assert [sentence["verdict"] for sentence in answer["sentences"]] == ["supported", "unsupported", "uncited"]


def test_an_abstention_has_the_same_names_and_its_reason(make_assistant: MakeAssistant) -> None:
    (answer,) = run(make_assistant(firm_from=1.0, tentative_from=1.0), json.dumps({"question": QUESTION}))
    check_answer(answer)
    assert (answer["answered"], answer["strength"], answer["citations"]) == (False, "none", [])
    assert answer["reason"] in answer["text"]
    assert len(answer["nearest"]) == 3


def test_a_search_has_the_names_that_scripts_rely_on(make_assistant: MakeAssistant) -> None:
    line = json.dumps({"id": "s", "question": QUESTION})
    (found,) = (json.loads(json.dumps(each)) for each in batch.run([line], batch.search(make_assistant())))
    assert set(found) == {"id", "query", "standalone", "filters", "scope", "hits", "timings"}
    assert (found["id"], found["query"], found["standalone"], found["filters"]) == ("s", QUESTION, QUESTION, {})
    assert [hit["rank"] for hit in found["hits"]] == [1, 2, 3]
    assert "total_ms" in found["timings"]
    for hit in found["hits"]:
        check_hit(hit)


@pytest.mark.parametrize("identity", [7, "a-1", None, ["x", {"y": 1}], 1.5])
def test_an_id_of_any_kind_is_passed_through(make_assistant: MakeAssistant, identity: Any) -> None:
    good, bad = run(make_assistant(), json.dumps({"id": identity, "question": ""}), json.dumps({"id": identity}))
    assert (good["id"], bad["id"]) == (identity, identity)
    assert set(bad) == {"id", "error"}


def test_replies_come_in_the_order_of_the_lines(make_assistant: MakeAssistant) -> None:
    words = ["glaciers", "bees", "bacteria", "?", "glaciers"]
    replies = run(make_assistant(), *(json.dumps({"id": at, "question": word}) for at, word in enumerate(words)))
    assert [(reply["id"], reply["question"]) for reply in replies] == list(enumerate(words))


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("glaciers?", "not JSON"),
        ('{"id": 1, "question": "bees', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("9" * 10_000, "not JSON"),
        ('["bees"]', "an object"),
        ('"bees"', "an object"),
        ("null", "an object"),
        ("{}", '"question"'),
        ('{"question": null}', '"question"'),
        ('{"question": ["bees"]}', '"question"'),
        ('{"questions": "bees"}', '"questions"'),
        ('{"questions": ["bees", 1]}', '"questions"'),
        (json.dumps({"question": "b" * 20_000}), "20,000 characters"),
        (json.dumps({"questions": ["bees", "b" * 20_000]}), "20,000 characters"),
    ],
)
def test_a_bad_line_is_an_error_in_its_place_and_the_run_goes_on(
    make_assistant: MakeAssistant, line: str, complaint: str
) -> None:
    before, bad, after = run(make_assistant(), '{"question": "bees"}', line, '{"question": "bees"}')
    assert set(bad) == {"error"}
    assert bad["error"].startswith("line 2: ")
    assert complaint in bad["error"]
    assert "\n" not in bad["error"]
    assert before["answered"]
    assert after["answered"]


def test_a_bad_line_keeps_its_id(make_assistant: MakeAssistant) -> None:
    assert run(make_assistant(), '{"id": 5, "question": 6}') == [
        {"id": 5, "error": 'line 1: "question" is missing or not a text'}
    ]


def test_a_model_that_fails_is_told_in_the_answer_that_is_made_without_it(make_assistant: MakeAssistant) -> None:
    failing = ScriptedLLM("Bees", fails_after=0)
    blank, quoted = run(make_assistant(failing), '{"id": 1, "question": "?"}', '{"id": 2, "question": "bees"}')
    assert not blank["answered"]
    check_answer(quoted)
    assert quoted["withdrawn"] == {"text": "", "reason": "the scripted model broke off", "failed": True}
    assert quoted["citations"]


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_what_is_no_json_number_is_refused(make_assistant: MakeAssistant, number: str) -> None:
    (bad,) = run(make_assistant(), f'{{"id": {number}, "question": "bees"}}')
    assert set(bad) == {"error"}


def test_broken_characters_do_not_stop_the_run(make_assistant: MakeAssistant) -> None:
    lines = ['{"question": "bees \\ud800"}', '{"id": "\\ud800", "question": "bees"}', '{"question": "bees"}']
    replies = run(make_assistant(), *lines)
    assert [reply["answered"] for reply in replies] == [True, True, True]
    assert replies[1]["id"] == "\ud800"


def test_empty_lines_are_passed_over_but_counted(make_assistant: MakeAssistant) -> None:
    replies = run(make_assistant(), "", '{"question": "bees"}', "   ", "no json")
    assert len(replies) == 2
    assert replies[1]["error"].startswith("line 4: ")


def test_replies_come_as_the_lines_are_read(make_assistant: MakeAssistant) -> None:
    read: list[int] = []

    def lines() -> Any:
        for number in (1, 2):
            read.append(number)
            yield '{"question": "bees"}'

    next(batch.run(lines(), batch.ask(make_assistant())))
    assert read == [1]


def test_a_turn_of_a_dialog_sees_the_turns_before_it(make_assistant: MakeAssistant) -> None:
    llm = ScriptedLLM("Small glaciers shrink the fastest [1].")
    questions = [QUESTION, "Why do they?", "Which wild yeasts and lactic acid bacteria make a sourdough rise?"]
    (reply,) = run(make_assistant(llm), json.dumps({"id": "d", "questions": questions}))
    assert set(reply) == {"id", "answers"}
    assert [answer["question"] for answer in reply["answers"]] == questions
    assert [answer["standalone"] for answer in reply["answers"]] == [
        QUESTION,
        f"{QUESTION} Why do they?",
        questions[2],
    ]
    assert [len(messages) for messages in llm.requests] == [2, 4, 6]
    for answer in reply["answers"]:
        check_answer(answer)


def test_a_dialog_knows_nothing_of_other_lines(make_assistant: MakeAssistant) -> None:
    _, alone = run(make_assistant(), json.dumps({"questions": [QUESTION]}), json.dumps({"questions": ["Why do they?"]}))
    assert alone["answers"][0]["standalone"] == "Why do they?"


def test_a_dialog_without_questions_has_no_answers(make_assistant: MakeAssistant) -> None:
    assert run(make_assistant(), '{"id": 1, "questions": []}') == [{"id": 1, "answers": []}]


def test_a_line_may_say_which_papers_are_looked_at(make_assistant: MakeAssistant) -> None:
    assistant = make_assistant()
    (first,) = run(assistant, json.dumps({"question": QUESTION}))
    best, *others = [hit["paper"]["id"] for hit in first["hits"]]
    pinned, excluded, dialog = run(
        assistant,
        json.dumps({"question": QUESTION, "pin": [best[:8]]}),
        json.dumps({"question": QUESTION, "exclude": [best]}),
        json.dumps({"questions": [QUESTION, "Why?"], "pin": [best]}),
    )
    assert [hit["paper"]["id"] for hit in pinned["hits"]] == [best]
    assert pinned["scope"] == WHOLE_LIBRARY | {"pinned": [best]}
    assert [hit["paper"]["id"] for hit in excluded["hits"]] == others
    assert [[hit["paper"]["id"] for hit in answer["hits"]] for answer in dialog["answers"]] == [[best], [best]]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ({"question": QUESTION, "pin": "a"}, '"pin" is not a list of texts'),
        ({"question": QUESTION, "exclude": [1]}, '"exclude" is not a list of texts'),
        ({"question": QUESTION, "pin": ["nobody"]}, "no paper has the id 'nobody'"),
        ({"question": "auther:x"}, "there is no filter auther:"),
    ],
)
def test_a_scope_or_a_filter_that_cannot_be_is_an_error_in_place(
    make_assistant: MakeAssistant, line: Json, complaint: str
) -> None:
    (reply,) = run(make_assistant(), json.dumps(line))
    assert complaint in reply["error"]


def test_filters_are_part_of_a_reply(make_assistant: MakeAssistant) -> None:
    (reply,) = run(make_assistant(), json.dumps({"question": "bees -glaciers year<=2020 year>2000 author:Chen"}))
    assert reply["filters"] == {"author": ["Chen"], "year": {"from": 2001, "to": 2020}, "without": ["glaciers"]}
    assert (reply["standalone"], reply["answered"]) == ("bees", False)
