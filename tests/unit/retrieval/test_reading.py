"""The best hits are read beside the question: once each, with their titles, and no more of them than need be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from assistant.chat import Assistant
from assistant.question.intent import Intent, IntentPrediction
from assistant.retrieval import reading
from assistant.retrieval.gathering import LISTED
from assistant.retrieval.reading import NOT_READ, READ
from assistant.retrieval.search import Found
from assistant.schema import Hit, Paper, Query
from tests import aligning
from tests.fakes import WordOverlapReader

QUESTION = "Do old bees dance longer?"
ABSTRACT = "Bees fly. Bees sleep. Bees dance. Bees sing. Old bees dance longer."


def search(reader: Assistant, *papers: Paper) -> Found:
    return aligning.search_result(
        QUESTION, [Hit(rank, 0.5, paper) for rank, paper in enumerate(papers, 1)], reader.library
    )


def read(found: Found) -> tuple[Found, list[tuple[str, tuple[str, ...]]]]:
    """Return the outcome with its readings, and the pairs that were read for them."""
    pairs = WordOverlapReader()
    return reading.read(found, pairs), pairs.pairs


def many(count: int) -> Sequence[Paper]:
    return [Paper(str(number), ABSTRACT) for number in range(count)]


def test_title_and_sentences_of_a_hit_are_read_once_beside_the_standalone_question(reader: Assistant) -> None:
    found = search(reader, Paper("one", "Bees fly. They rest.", title="On bees"), Paper("two", "Bees dance."))
    _, pairs = read(found)
    assert pairs == [(QUESTION, ("On bees", "Bees fly.", "They rest.")), (QUESTION, ("Bees dance.",))]


def test_only_the_best_hits_are_read_and_none_is_lost(reader: Assistant) -> None:
    found = search(reader, *many(READ + 3))
    result, pairs = read(found)
    assert len(pairs) == len(result.readings) == READ
    assert [hit.paper.id for hit in result.hits] == [hit.paper.id for hit in found.hits]
    assert result.hits[READ:] == found.hits[READ:]


@pytest.mark.parametrize(("form", "count"), [(Intent.COMPARISON, 8), (Intent.SUMMARY, 10), (Intent.LIST, LISTED)])
def test_more_hits_are_read_where_a_question_asks_what_several_papers_say(
    reader: Assistant, form: Intent, count: int
) -> None:
    survey = replace(search(reader, *many(LISTED + 1)), intents=IntentPrediction({form: 1.0}))
    result, pairs = read(survey)
    assert len(pairs) == len(result.readings) == count > READ


def test_the_reading_for_a_list_ends_behind_many_papers_that_do_not_answer(reader: Assistant) -> None:
    papers = [*many(2), *(Paper(f"ice-{number}", "Glaciers melt.") for number in range(30))]
    listed = replace(search(reader, *papers), intents=IntentPrediction({Intent.LIST: 1.0}))
    result, pairs = read(listed)
    assert 2 < len(result.readings) == len(pairs) < 20
    assert len(result.hits) == len(papers)


def test_of_a_long_abstract_the_sentences_most_similar_to_the_question_are_read(reader: Assistant) -> None:
    others = [f"Rivers carry {number} tons of sand." for number in range(11)]
    abstract = " ".join([*others[:4], "Old bees dance longer.", *others[4:]])
    result, ((_, sentences),) = read(search(reader, Paper("one", abstract, title="On bees")))
    assert len(sentences) == 9
    assert "Old bees dance longer." in sentences
    assert list(sentences[1:]) == sorted(sentences[1:], key=abstract.index)
    (scores,) = [item.answering for item in result.readings]
    assert len(scores) == 12
    assert sum(score == NOT_READ for score in scores) == 4
    assert scores[4] == max(scores) > 0


def test_the_passages_of_a_hit_are_those_that_answer_best_in_the_abstract_s_order(reader: Assistant) -> None:
    result, _ = read(search(reader, Paper("one", ABSTRACT, title="Old bees dance longer")))
    assert [passage.text for passage in result.hits[0].passages] == [
        "Bees fly.",
        "Bees dance.",
        "Old bees dance longer.",
    ]


@pytest.mark.parametrize("title", ["", "Old bees dance longer"])
def test_a_reading_has_a_score_for_each_sentence_and_none_for_the_title(reader: Assistant, title: str) -> None:
    result, _ = read(search(reader, Paper("one", ABSTRACT, title=title), Paper("empty", "", title=title)))
    assert [len(item.answering) for item in result.readings] == [5, 0]
    assert [len(item.deciding) for item in result.readings] == [5, 0]
    assert result.readings[0].answering[-1] == 1.0
    assert result.hits[1].passages == ()


def test_without_hits_nothing_is_read() -> None:
    result, pairs = read(Found(Query("bees", "bees")))
    assert (result.hits, result.readings, pairs) == ((), (), [])


def test_the_hits_of_a_search_are_shown_by_the_passages_that_answer(reader: Assistant) -> None:
    first = reader.search("Do older bees dance longer?").hits[0]
    assert "Older bees dance longer." in [passage.text for passage in first.passages]
