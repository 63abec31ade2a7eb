"""An answer to JSON and back, whatever is in it."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.schema import Answer, Hit, Paper, Passage, Recipe, Scope, Sentence, Strength, Verdict, Verification
from assistant.serialization import answer_from_json, answer_json, scope_from_json, scope_json, verification_json
from tests.contract.json_keys import VERIFICATION
from tests.strategies import ANSWERS, SCOPES


def travelled(value: Any) -> Any:
    """What arrives of it through a file of JSON."""
    return json.loads(json.dumps(value))


@given(ANSWERS)
def test_an_answer_comes_back_from_its_json_as_it_was(answer: Answer) -> None:
    assert answer_from_json(travelled(answer_json(answer))) == answer


@given(ANSWERS, st.floats(0, 1), st.floats(0, 1))
def test_of_a_finer_number_the_digits_that_are_written_come_back(
    answer: Answer, confidence: float, score: float
) -> None:
    hits = tuple(replace(hit, score=score, scores={"dense": score}) for hit in answer.hits)
    written = travelled(answer_json(replace(answer, confidence=confidence, hits=hits)))
    assert answer_json(answer_from_json(written)) == written


@given(ANSWERS)
def test_keys_that_a_newer_version_added_do_no_harm(answer: Answer) -> None:
    written = travelled(answer_json(answer))
    for each in (written, *written["hits"], *written["citations"], *written["nearest"]):
        each["added later"] = [1]
    assert answer_from_json(written) == answer


@given(SCOPES)
def test_a_scope_comes_back_from_its_json_as_it_was(scope: Scope) -> None:
    assert scope_from_json(travelled(scope_json(scope))) == scope


OPTIONAL = ["reason", "citations", "hits", "nearest", "model", "prompt", "recipe", "timings", "filters", "scope"]


@given(ANSWERS, st.sampled_from(OPTIONAL))
def test_a_key_that_an_older_version_did_not_write_takes_its_default(answer: Answer, missing: str) -> None:
    written = {name: value for name, value in travelled(answer_json(answer)).items() if name != missing}
    bare = Answer("", "", answer.strength, 0, "")
    assert answer_from_json(written) == replace(answer, **{missing: getattr(bare, missing)})


def test_every_field_of_an_answer_is_written_but_those_of_its_making() -> None:
    """An answer that is stored is done, and nothing goes on."""
    hit = Hit(1, 0.5, Paper("a", "Bees."))
    sentence = Sentence("Bees.", (), Verdict.UNCITED, 0)
    recipe = Recipe("", "", 1, 1, "", "", "")
    answer = Answer("q", "q", Strength.FIRM, 0, "", sentences=(sentence,), hits=(hit,), recipe=recipe)
    written = answer_json(answer)
    assert unwritten(answer, written) == {"done", "progress"}
    assert unwritten(hit, written["hits"][0]) == set()
    assert unwritten(sentence, written["sentences"][0]) == unwritten(recipe, written["recipe"]) == set()
    assert answer_from_json(travelled(written)) == answer


@given(ANSWERS)
def test_the_outcome_stands_before_the_papers_and_titles_before_abstracts(answer: Answer) -> None:
    written = answer_json(answer)
    assert list(written)[:7] == ["question", "standalone", "filters", "scope", "answered", "strength", "reason"]
    papers = [*(held["paper"] for held in (*written["hits"], *written["citations"])), *written["nearest"]]
    assert all(list(paper)[:3] == ["id", "title", "abstract"] for paper in papers)


def unwritten(value: Any, written: dict[str, Any]) -> set[str]:
    """The fields of a value that its JSON lacks."""
    return {field.name for field in fields(value)} - set(written)


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"question": "q"},
        {"question": "q", "standalone": "q", "strength": "iron", "confidence": 1, "text": ""},
        {"question": "q", "standalone": "q", "strength": "firm", "confidence": 1, "text": "", "citations": 3},
        {"question": "q", "standalone": "q", "strength": "firm", "confidence": 1, "text": "", "filters": ["x"]},
        {"question": "q", "standalone": "q", "strength": "firm", "confidence": 1, "text": "", "filters": {"author": 3}},
        {"question": "q", "standalone": "q", "strength": "firm", "confidence": 1, "text": "", "scope": {"pinned": 3}},
        {"question": "q", "standalone": "q", "strength": "firm", "confidence": 1, "text": "", "hits": [{"rank": 1}]},
    ],
)
def test_what_is_no_answer_is_a_clear_error(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="this is not an answer"):
        answer_from_json(broken)


def test_a_verdict_is_written_with_the_probabilities_of_both_decisions() -> None:
    verification = Verification("Bees sleep.", "a", Verdict.CONTRADICTED, 0.0417, Passage("Bees.", 0, 5), "why", 0.9)
    written = travelled(verification_json(verification))
    assert set(written) == VERIFICATION
    assert (written["verdict"], written["support"], written["contradiction"]) == ("contradicted", 0.0417, 0.9)


def test_an_answer_from_before_contradictions_were_noticed_is_read_as_it_was() -> None:
    sentence = {"text": "Bees.", "citations": [1], "verdict": "unsupported", "support": 0.1}
    written = {"question": "q", "standalone": "q", "strength": "firm", "confidence": 1, "text": "Bees. [1]"}
    answer = answer_from_json(written | {"sentences": [sentence]})
    assert answer.sentences == (Sentence("Bees.", (1,), Verdict.UNSUPPORTED, 0.1),)
