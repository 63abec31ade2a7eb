from __future__ import annotations

import pytest

from assistant.errors import InputError
from assistant.query import understand
from assistant.schema import Answer, Query, Strength, Turn

FIRST = "How much ice did the Alps lose?"


def turn(question: str, standalone: str | None = None) -> Turn:
    return Turn(question, Answer(question, standalone or question, Strength.FIRM, 0.9, "A third."))


LEANING = [
    "How much of it melts in summer?",
    "When did they begin to shrink?",
    "Who are its authors?",
    "Why?",
    "How so?",
    "Tell me more",
    "What about the Himalaya?",
    "how about honey bees?",
    "And in winter?",
    "But not in Norway?",
    "Which ones shrink the fastest?",
    "Does the second paper agree?",
    "What method did the authors use?",
    "How was this measured?",
]
STANDING = [
    "How do honey bees communicate?",
    "Which bacteria live in sourdough?",
    "What drives the loss of glacier ice in the northern Alps?",
    "Organic acids in bread?",
    "Android malware?",
    "Sociology of science",
    "Butter from sour milk",
    "Whyte's theorem",
    "Items and itineraries",
    "Learning rate warmup and weight decay",
]


@pytest.mark.parametrize("question", LEANING)
def test_a_question_that_leans_on_the_one_before_takes_it_along(question: str) -> None:
    assert understand(question, [turn(FIRST)]) == Query(question, f"{FIRST} {question}")


@pytest.mark.parametrize("question", STANDING)
def test_a_question_that_stands_on_its_own_is_left_alone(question: str) -> None:
    assert understand(question, [turn(FIRST)]) == Query(question, question)


@pytest.mark.parametrize("question", LEANING + STANDING)
def test_without_a_conversation_nothing_is_added(question: str) -> None:
    assert understand(question) == Query(question, question)


def test_a_second_follow_up_still_knows_what_it_is_about() -> None:
    history = [turn(FIRST), turn("Why?", understand("Why?", [turn(FIRST)]).standalone)]
    assert FIRST in understand("And in winter?", history).standalone


def test_a_long_conversation_does_not_grow_the_query_without_end() -> None:
    history = [turn(FIRST)]
    for _ in range(100):
        history.append(turn("And in winter?", understand("And in winter?", history).standalone))
    assert len(history[-1].answer.standalone) < 200


def test_a_new_subject_leaves_the_conversation_behind() -> None:
    history = [turn(FIRST), turn("How do honey bees communicate?")]
    assert understand("And at night?", history).standalone == "How do honey bees communicate? And at night?"


def test_white_space_around_and_within_a_question_does_not_matter() -> None:
    assert understand("  Do\tbees\n\ndance? ").text == "Do bees dance?"


def test_a_question_up_to_the_limit_is_taken() -> None:
    assert understand("a" * 4000).text == "a" * 4000
    assert understand("a" * 120, limit=120).text == "a" * 120


def test_an_endless_question_is_refused_in_one_line() -> None:
    with pytest.raises(InputError, match=r"^question: 20,000 characters are too many for a question \(most: 4,000\)$"):
        understand("a" * 20_000)


def test_a_question_of_broken_characters_can_be_encoded() -> None:
    assert understand("\ud800glaciers\udcff").standalone.encode().count(b"glaciers") == 1
