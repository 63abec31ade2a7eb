from __future__ import annotations

from collections.abc import Callable

import pytest

from assistant import abstain
from assistant.chat import Assistant
from assistant.library import Library
from assistant.query import understand
from assistant.schema import Judgement, Strength
from assistant.settings import Settings

ON_TOPIC = "Which glaciers shrink the fastest?"
OFF_TOPIC = "transistors amplify whispers"


def judge(reader: Assistant, question: str, firm_from: float, tentative_from: float) -> Judgement:
    hits = reader.search(question).hits
    return abstain.judge(understand(question), hits, reader.library.lexicon, firm_from, tentative_from)


@pytest.mark.parametrize("question", ["", " \t\n ", "?", "?!... -- ()", "\u2026", "\x00"])
def test_a_question_without_a_word_is_declined_with_a_reason(judging: Callable[..., Assistant], question: str) -> None:
    answer = judging().ask(question)
    assert not answer.answered
    assert answer.reason == "there is no question in it"
    assert answer.text == "The library does not answer this: there is no question in it."


def test_an_empty_library_says_how_to_add_papers(library: Library, settings: Settings) -> None:
    answer = Assistant(library, settings).ask(ON_TOPIC)
    assert (answer.answered, answer.citations, answer.nearest) == (False, (), ())
    assert "`paperchat ingest`" in answer.text


def test_a_question_that_the_library_answers_is_the_more_probable(reader: Assistant) -> None:
    on_topic, off_topic = (judge(reader, question, 1.0, 1.0) for question in (ON_TOPIC, OFF_TOPIC))
    assert 0 < off_topic.confidence < on_topic.confidence < 1


@pytest.mark.parametrize("other", [abstain.Signs(0.6, 0.5), abstain.Signs(0.5, 0.6)])
def test_each_sign_speaks_for_an_answer(other: abstain.Signs) -> None:
    assert abstain.probability(other) > abstain.probability(abstain.Signs(0.5, 0.5))


def test_confidence_decides_how_far_an_answer_is_trusted(reader: Assistant) -> None:
    confidence = judge(reader, ON_TOPIC, 1.0, 1.0).confidence
    above = confidence + 0.01
    assert judge(reader, ON_TOPIC, confidence, 0.0) == Judgement(confidence, Strength.FIRM)
    tentative = judge(reader, ON_TOPIC, above, confidence)
    assert (tentative.strength, tentative.reason is None) == (Strength.TENTATIVE, False)
    assert judge(reader, ON_TOPIC, above, above).strength is Strength.NONE


def test_the_signs_are_the_nearest_paper_and_the_share_of_known_terms(reader: Assistant) -> None:
    question = "glaciers amplify bees transistors"
    hits = reader.search(question).hits
    found = abstain.signs(understand(question), hits, reader.library.lexicon)
    assert found == abstain.Signs(cosine=max(hit.scores["dense"] for hit in hits), known=0.5)


def test_a_reason_names_the_words_that_no_abstract_mentions(reader: Assistant) -> None:
    reason = judge(reader, "Transistors, “glaciers” and (whispers)?", 1.0, 1.0).reason
    assert reason == "no abstract in the library mentions Transistors or whispers"


def test_a_reason_names_a_few_words_only(reader: Assistant) -> None:
    reason = judge(reader, "transistors amplify whispers transistors underwater violins", 1.0, 1.0).reason
    assert reason == "no abstract in the library mentions transistors or amplify or whispers"


def test_a_reason_does_not_name_the_words_that_every_question_has(reader: Assistant) -> None:
    reason = judge(reader, "What do transistors do, and how many whispers did they amplify?", 1.0, 1.0).reason
    assert reason == "no abstract in the library mentions transistors or whispers or amplify"


def test_where_every_word_is_known_the_reason_says_no_more_than_that(reader: Assistant) -> None:
    reason = judge(reader, "glaciers dance", 1.0, 1.0).reason
    assert reason == "no abstract in the library seems to answer it"
