"""As much is searched for as the form of the answer needs, in the words that papers come nearest to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from assistant.question.encoder import QuestionEncoder
from assistant.question.intent import Intent, IntentPrediction
from assistant.retrieval.gathering import LISTED, gather
from assistant.retrieval.search import Found
from assistant.schema import Hit, Paper, Query
from tests.fakes import WordHashEmbedder

OWN, PLAIN = "what does the library say about sourdough bacteria?", "What is known about sourdough bacteria?"


def gathered(text: str, form: Intent, score: Callable[[str], float]) -> tuple[Found, list[tuple[str, int | None]]]:
    """Return what is gathered for a question of a form, and the searches; `score` is that of a search's best hit."""
    searches: list[tuple[str, int | None]] = []

    def search(query: Query, top_k: int | None) -> Found:
        searches.append((query.standalone, top_k))
        return Found(query, hits=(Hit(1, score(query.standalone), Paper("bread", "Bread rises.")),))

    encoder = QuestionEncoder(WordHashEmbedder())
    return gather(Query(text, text), IntentPrediction({form: 1.0}), search, encoder), searches


def test_the_topic_of_a_summary_is_searched_for_in_plain_words_too() -> None:
    found, searches = gathered(OWN, Intent.SUMMARY, lambda text: 0.6 if text == PLAIN else 0.4)
    assert searches == [(OWN, None), (PLAIN, None)]
    assert (found.query.text, found.query.standalone) == (OWN, PLAIN)
    assert found.intents.asks_for is Intent.SUMMARY


def test_the_question_keeps_its_words_where_papers_come_nearer_to_them() -> None:
    found, _ = gathered(OWN, Intent.SUMMARY, lambda text: 0.6 if text == OWN else 0.4)
    assert found.query.standalone == OWN


@pytest.mark.parametrize(("form", "count"), [(Intent.LIST, LISTED), (Intent.FACT, None)])
def test_other_forms_are_searched_for_in_their_own_words_alone(form: Intent, count: int | None) -> None:
    found, searches = gathered(OWN, form, lambda _: 0.5)
    assert searches == [(OWN, count)]
    assert found.query.standalone == OWN


@pytest.mark.parametrize("text", [PLAIN, "what is known about sourdough bacteria?"])
def test_a_topic_that_is_asked_about_in_plain_words_is_searched_for_once(text: str) -> None:
    _, searches = gathered(text, Intent.SUMMARY, lambda _: 0.5)
    assert searches == [(text, None)]


def test_a_summary_without_a_topic_is_searched_for_once() -> None:
    _, searches = gathered("what is new?", Intent.SUMMARY, lambda _: 0.5)
    assert searches == [("what is new?", None)]
