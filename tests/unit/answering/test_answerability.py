from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from assistant.answering import answerability
from assistant.answering.answerability import Decision
from assistant.answering.calibration import PACKAGED, AnswerabilityFeatures
from assistant.chat import Assistant
from assistant.question.intent import QUESTION, Intent, IntentPrediction
from assistant.schema import EVERYTHING, Hit, Paper, Scope, Strength
from assistant.settings import Settings
from assistant.storage.library import Library
from ingest import pipeline
from tests import aligning
from tests.fakes import WordOverlapReader

ON_TOPIC = "Which glaciers shrink the fastest?"
OFF_TOPIC = "transistors amplify whispers"


def decide(
    reader: Assistant,
    question: str,
    firm: float,
    tentative: float,
    hits: Sequence[Hit] | None = None,
    *,
    intents: IntentPrediction = QUESTION,
    scope: Scope = EVERYTHING,
) -> Decision:
    result = aligning.search_result(question, reader.search(question).hits if hits is None else hits, reader.library)
    result = replace(result, intents=intents, query=replace(result.query, scope=scope))
    thresholds = answerability.Thresholds(firm, tentative)
    return answerability.decide(result, reader.library.catalog, thresholds)


def features(reader: Assistant, question: str, hits: Sequence[Hit] | None = None) -> AnswerabilityFeatures:
    result = aligning.search_result(question, reader.search(question).hits if hits is None else hits, reader.library)
    return answerability.features(result)


def reason(reader: Assistant, question: str) -> str | None:
    return decide(reader, question, 1.0, 1.0).reason


@pytest.mark.parametrize("question", ["", " \t\n ", "?", "?!... -- ()", "\u2026", "\x00"])
def test_a_question_without_a_word_is_declined_with_a_reason(
    make_assistant: Callable[..., Assistant], question: str
) -> None:
    answer = make_assistant().ask(question)
    assert not answer.answered
    assert answer.reason == "there is no question in it"
    assert answer.text == "The library does not answer this: there is no question in it."


def test_an_empty_library_says_how_to_add_papers(library: Library, settings: Settings) -> None:
    answer = Assistant(library, settings, WordOverlapReader()).ask(ON_TOPIC)
    assert (answer.answered, answer.citations, answer.nearest) == (False, (), ())
    assert "`paperchat ingest`" in answer.text


def test_a_question_that_the_library_answers_has_the_higher_confidence(reader: Assistant) -> None:
    on_topic, off_topic = (decide(reader, question, 1.0, 1.0) for question in (ON_TOPIC, OFF_TOPIC))
    assert 0 <= off_topic.confidence < on_topic.confidence < 1


def test_the_likelier_the_reader_finds_that_a_paper_answers_the_higher_the_confidence(reader: Assistant) -> None:
    values = features(reader, ON_TOPIC)
    unlikely, likely = (PACKAGED.confidence(replace(values, answers=log_odds)) for log_odds in (-5.0, 5.0))
    assert 0 <= unlikely < likely <= 1


def test_confidence_decides_the_strength_of_an_answer(reader: Assistant) -> None:
    confidence = decide(reader, ON_TOPIC, 1.0, 1.0).confidence
    above = confidence + 0.01
    assert decide(reader, ON_TOPIC, confidence, 0.0) == Decision(confidence, Strength.FIRM)
    tentative = decide(reader, ON_TOPIC, above, confidence)
    assert (tentative.strength, tentative.reason is None) == (Strength.TENTATIVE, False)
    assert decide(reader, ON_TOPIC, above, above).strength is Strength.NONE


@pytest.mark.parametrize(
    "question",
    [
        "asdf qwer zxcv",
        "aaaaaaaaaa",
        "transistors amplify whispers",
        "do transistors amplify violins loudly: glaciers?",
    ],
)
def test_a_question_of_words_that_the_library_lacks_is_not_answered(reader: Assistant, question: str) -> None:
    decision = decide(reader, question, 0.0, 0.0)
    assert decision.confidence == 0.0
    assert decide(reader, question, 0.3, 0.2).strength is Strength.NONE
    assert "no abstract in the library mentions" in str(decide(reader, question, 0.3, 0.2).reason)


@pytest.mark.parametrize(
    ("intent", "doubt"),
    [
        (Intent.FOLLOW_UP, "the question names nothing to look for"),
        (Intent.OFF_TOPIC, "it may not be a question about research"),
        (Intent.CHITCHAT, "it may not be a question about research"),
    ],
)
def test_what_is_likely_no_question_about_research_is_never_answered_firmly(
    reader: Assistant, intent: Intent, doubt: str
) -> None:
    intents = IntentPrediction({intent: 0.6, Intent.FACT: 0.4})
    decision = decide(reader, ON_TOPIC, 0.02, 0.01, intents=intents)
    assert (decision.confidence, decision.strength) == (0.01, Strength.TENTATIVE)
    assert doubt in str(decision.reason)


def test_a_vague_question_may_be_asked_of_pinned_papers(reader: Assistant) -> None:
    scope = Scope(pinned=(reader.search("bees").hits[0].paper.id,))
    vague = IntentPrediction({Intent.FOLLOW_UP: 1.0})
    assert decide(reader, ON_TOPIC, 0.02, 0.01, intents=vague, scope=scope).strength is Strength.FIRM


# --- the features ---


def test_words_of_the_first_paper_are_met(reader: Assistant) -> None:
    values = features(reader, "small glaciers shrink fastest")
    # The cosine of a vector with its binarized copy is about 0.8.
    assert values.met == pytest.approx(0.8, abs=0.1)
    assert values.weakest == pytest.approx(0.8, abs=0.1)


def test_one_missing_word_of_four_shows_in_the_weakest_and_little_in_the_mean(reader: Assistant) -> None:
    values = features(reader, "small glaciers shrink whispering")
    assert values.weakest < 0.5 < values.met < 0.9


def test_the_features_are_those_of_the_paper_that_the_reader_finds_to_answer_best(reader: Assistant) -> None:
    papers = [Paper("ice", "Ice melts."), Paper("bees", "Honey is sweet. Bees dance.", title="Hives")]
    values = features(reader, "bees dance at noon", [Hit(rank, 0.4, paper) for rank, paper in enumerate(papers, 1)])
    # The fake reader's log-odds for two of four words.
    assert values.answers == pytest.approx(12 * (2 / 4 - 0.3))
    assert values.similarity == 0.4


def test_the_presence_of_the_question_s_words_is_that_in_the_paper_that_answers_best(reader: Assistant) -> None:
    papers = [Paper("other", "Bees glow."), Paper("best", "Bees dance at noon.")]
    hits = [Hit(rank, 0.4, paper) for rank, paper in enumerate(papers, 1)]
    assert features(reader, "bees dance at noon", hits).weakest > 0.5
    assert features(reader, "bees dance at noon", hits[:1]).weakest < 0.5


def test_names_that_the_best_paper_lacks_are_counted_and_how_far_the_first_hit_is_behind_it(reader: Assistant) -> None:
    papers = [Paper("other", "Bees glow."), Paper("best", "Bees dance at noon.")]
    hits = [Hit(rank, 0.4, paper) for rank, paper in enumerate(papers, 1)]
    values = features(reader, "do bees dance at noon in Peru as in Chile?", hits)
    assert (values.missing_names, values.behind) == (2.0, 1.0)
    assert features(reader, "do bees dance at noon?", hits[1:]).behind == 0.0


@pytest.mark.parametrize("question", ["what about it?", "who?", "why not"])
def test_a_question_of_common_words_only_meets_nothing(reader: Assistant, question: str) -> None:
    values = features(reader, question)
    assert (values.met, values.weakest) == (0.0, 0.0)


def test_the_features_do_not_grow_when_a_question_is_repeated(reader: Assistant) -> None:
    hits = reader.search(ON_TOPIC).hits
    once, twice = (features(reader, question, hits) for question in (ON_TOPIC, f"{ON_TOPIC} {ON_TOPIC}"))
    assert asdict(twice) == pytest.approx(asdict(once), abs=1e-3)


def test_a_paper_without_sentences_can_be_judged(reader: Assistant) -> None:
    values = features(reader, ON_TOPIC, [Hit(1, 0.5, Paper("empty", ""))])
    assert 0 <= PACKAGED.confidence(values) < 0.5


def test_no_paper_s_answer_counts_where_the_library_lacks_most_of_the_question(reader: Assistant) -> None:
    certain = aligning.search_result(OFF_TOPIC, reader.search("glaciers").hits, reader.library)
    certain = replace(certain, readings=tuple(replace(reading, answers=1.0) for reading in certain.readings))
    assert answerability.decide(certain, reader.library.catalog, answerability.Thresholds(0.5, 0.1)).confidence == 0.0


# --- the reasons ---


def test_a_reason_names_the_words_that_no_abstract_mentions(reader: Assistant) -> None:
    assert reason(reader, "transistors, \u201cglaciers\u201d and (whispers)?") == (
        "no abstract in the library mentions transistors or whispers"
    )


def test_a_reason_names_the_words_that_are_the_least_present_in_the_nearest_paper(reader: Assistant) -> None:
    question = "do wobbling, humming, buzzing or glowing glaciers outlast transistors"
    named = str(reason(reader, question)).removeprefix("no abstract in the library mentions ").split(" or ")
    found = aligning.search_result(question, reader.search(question).hits, reader.library)
    presence = dict(zip((term.text for term in found.terms.content), found.alignments[0].overall, strict=True))
    unseen = [term.text for term in found.terms.content if found.terms.is_unseen(term)]
    assert set(named) == set(sorted(unseen, key=presence.__getitem__)[:3])


def test_a_reason_names_a_few_words_only_in_the_question_s_order(reader: Assistant) -> None:
    question = "transistors amplify whispers transistors underwater violins"
    named = str(reason(reader, question)).removeprefix("no abstract in the library mentions ").split(" or ")
    assert len(named) == len(set(named)) == 3
    assert named == sorted(named, key=question.index)


def test_a_reason_does_not_name_the_words_that_every_question_has(reader: Assistant) -> None:
    assert reason(reader, "What do transistors do, and how many whispers did they amplify?") == (
        "no abstract in the library mentions transistors or whispers or amplify"
    )


def test_a_question_of_known_words_gets_the_general_reason(reader: Assistant) -> None:
    assert reason(reader, "glaciers dance") == "no abstract in the library seems to answer it"


def test_an_answer_in_doubt_says_what_the_doubt_is(reader: Assistant) -> None:
    doubt = decide(reader, "Which glaciers shrink in Oslo?", 1.0, 0.0)
    assert doubt.strength is Strength.TENTATIVE
    assert doubt.reason == "no abstract in the library mentions Oslo"


def test_a_library_of_one_paper_answers_what_the_paper_says_and_nothing_else(
    library: Library, settings: Settings, tmp_path: Path
) -> None:
    source = tmp_path / "one.txt"
    source.write_text("Abstract: Bees dance at noon. Old bees dance longer than young ones.\n")
    pipeline.ingest([source], library)
    only = Assistant(library, settings, WordOverlapReader())
    assert only.ask("do old bees dance longer than young ones").strength is Strength.FIRM
    assert only.ask("which transistors amplify whispers in Oslo").strength is Strength.NONE
