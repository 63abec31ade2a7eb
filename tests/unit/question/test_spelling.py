from __future__ import annotations

import pytest

from assistant.chat import Assistant
from assistant.protocols import Embedder
from assistant.question.spelling import Edit, Speller, edits
from assistant.schema import Query, Turn


@pytest.fixture
def speller(reader: Assistant, packaged_embedder: Embedder) -> Speller:
    library = reader.library
    return Speller(library.lexicon, library.catalog.papers.get, packaged_embedder)


@pytest.mark.parametrize(
    ("typed", "read_as"),
    [
        ("Which galciers shrink the fastest?", "Which glaciers shrink the fastest?"),
        ("what do honey bees communciate", "what do honey bees communicate"),
        ("Galciers of the alps", "Glaciers of the alps"),
        ("GALCIERS OF THE ALPS", "GLACIERS OF THE ALPS"),
        ("waht do bees dacne", "what do bees dance"),
    ],
)
def test_a_slip_in_a_word_that_papers_have_is_corrected_as_it_is_written(
    speller: Speller, typed: str, read_as: str
) -> None:
    corrected = speller.correct(Query(typed, typed))
    assert (corrected.standalone, corrected.read_as, corrected.text) == (read_as, read_as, typed)


@pytest.mark.parametrize(
    "question",
    [
        "Which glaciers shrink the fastest?",
        "what is Qwen3?",
        "does Mamba-2 beat transformers",
        "who uses Flamingo or Sophia",
        "is rice bread",
        "Welche Galciers sind am kleinsten und warum schmelzen sie?",
        "a bb \u00e4lpen",
        "",
    ],
)
def test_a_word_that_is_no_slip_stays_as_it_is(speller: Speller, question: str) -> None:
    query = Query(question, question)
    assert speller.correct(query) == query


def test_the_words_of_filters_stay_as_they_are(speller: Speller) -> None:
    corrected = speller.correct(Query("galciers year:2020", "galciers"))
    assert (corrected.standalone, corrected.read_as) == ("glaciers", "glaciers year:2020")


def test_one_edit_away_are_the_words_of_which_one_slip_makes_the_word() -> None:
    by_edit = {edit: {item.word for item in edits("cat") if item.edit is edit} for edit in Edit}
    assert {"chat", "cats"} <= by_edit[Edit.DROPPED]
    assert by_edit[Edit.ADDED] == {"at", "ct", "ca"}
    assert "cut" in by_edit[Edit.REPLACED]
    assert by_edit[Edit.SWAPPED] == {"act", "cta"}
    assert "cat" not in set().union(*by_edit.values())


def test_an_answer_to_a_misspelt_question_says_how_it_was_read_and_misses_no_name(reader: Assistant) -> None:
    answer = reader.ask("Which small galciers shrink the fastest?")
    assert answer.read_as == "Which small glaciers shrink the fastest?"
    assert "galciers" not in (answer.reason or "")
    assert "Small glaciers shrink the fastest." in answer.text


def test_a_follow_up_keeps_the_topic_of_a_misspelt_question(reader: Assistant) -> None:
    first = "Which small galciers shrink the fastest?"
    history = [Turn(first, reader.ask(first))]
    answer = reader.ask("and where are they?", history)
    assert answer.standalone == "Which small glaciers shrink the fastest? and where are they?"
