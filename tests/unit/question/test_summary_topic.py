"""The topic of a summary is found by the wording around it."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from assistant.question.linear import LinearClassifier
from assistant.question.subject import WordReader, WordRole, split, word_features
from assistant.question.summary_topic import topic_in

TOPICS = ["reward hacking", "memorization in language models", "how transformers learn"]


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize(
    "wording",
    [
        "What is known about {}?",
        "what do we know about {}",
        "Give me an overview of {}.",
        "summarise the research on {}",
        "tell me what is known about {}",
        "What does the literature say about {}?",
    ],
)
def test_words_that_ask_for_a_summary_are_no_part_of_its_topic(wording: str, topic: str) -> None:
    assert topic_in(wording.format(topic)) == topic


@pytest.mark.parametrize("wording", ["WHAT IS KNOWN ABOUT {}", "OVERVIEW OF {}"])
def test_the_topic_of_a_question_in_capitals_is_found_as_it_is_written(wording: str) -> None:
    assert topic_in(wording.format("REWARD HACKING")) == "REWARD HACKING"


@pytest.mark.parametrize("message", ["", "?", "tell me more", "what do we know about it"])
def test_a_message_that_names_no_topic_has_none(message: str) -> None:
    assert topic_in(message) == ""


def test_topic_words_that_are_scattered_over_a_question_are_no_topic() -> None:
    reader = reader_of("bees", "honey")
    assert topic_in("what do bees make of honey", reader) == ""
    assert topic_in("what do honey bees make", reader) == "honey bees"


def reader_of(*topic_words: str) -> WordReader:
    """Return a reader that takes these words for a topic and all others for wording."""
    weights = np.zeros((2, len(word_features("a", split("a"), 0, None, frozenset()))), dtype=np.float32)
    for word in topic_words:
        weights[0, zlib.crc32(f"w {word}".encode()) % weights.shape[1]] = 100.0
    labels = (WordRole.SUBJECT.value, WordRole.WORDING.value)
    return WordReader(
        LinearClassifier(labels, weights, np.array([0.0, 1.0], np.float32), "", ""), frozenset(topic_words)
    )
