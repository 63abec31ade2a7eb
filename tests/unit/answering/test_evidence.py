from __future__ import annotations

from dataclasses import replace

import pytest

from assistant import logistic
from assistant.answering import evidence
from assistant.answering.calibration import EvidenceFeatures
from assistant.answering.evidence import Evidence
from assistant.chat import Assistant
from assistant.question.terms import QuestionTerms
from assistant.retrieval.passages import coverage
from assistant.retrieval.reading import READ
from assistant.schema import Hit, Paper
from assistant.text.sentences import passages
from tests import aligning


def select(reader: Assistant, question: str, hits: list[Hit] | None = None) -> list[Evidence]:
    return evidence.select(
        aligning.search_result(question, reader.search(question).hits if hits is None else hits, reader.library)
    )


def features(reader: Assistant, question: str, abstract: str) -> list[EvidenceFeatures]:
    found = aligning.search_result(question, [Hit(1, 0.8, Paper("one", abstract))], reader.library)
    return [values for _, values in evidence.features(found.alignments[0], found.readings[0], 0.0)]


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Which glaciers shrink the fastest?", "Small glaciers shrink the fastest."),
        ("error of the direction of a dance", "The network reads the direction of a dance with an error of 4 degrees."),
        ("acetic acid bacteria", "Acetic acid bacteria are found in a third of them."),
    ],
)
def test_the_sentence_that_says_it_comes_first(reader: Assistant, question: str, sentence: str) -> None:
    assert select(reader, question)[0].passage.text == sentence


def test_every_sentence_of_the_hits_is_scored_once_best_first(reader: Assistant) -> None:
    selected = select(reader, "Do bees dance?")
    sentences = [passage.text for hit in reader.search("bees").hits for passage in passages(hit.paper.abstract)]
    assert sorted(item.passage.text for item in selected) == sorted(sentences)
    assert [item.score for item in selected] == sorted((item.score for item in selected), reverse=True)
    assert all(0 <= item.score <= 1 for item in selected)


def test_evidence_has_offsets_into_its_abstract(reader: Assistant) -> None:
    for item in select(reader, "Do bees dance?"):
        assert item.hit.paper.abstract[item.passage.start : item.passage.end] == item.passage.text


def test_only_the_best_papers_are_read_for_sentences(reader: Assistant) -> None:
    hits = [Hit(rank, 0.5, Paper(f"paper-{rank}", "Bees dance.")) for rank in range(1, READ + 3)]
    assert {item.hit.rank for item in select(reader, "Do bees dance?", hits)} == set(range(1, READ + 1))


def test_of_equal_sentences_the_one_of_the_better_paper_is_first(reader: Assistant) -> None:
    hits = [Hit(rank, 0.5, Paper(name, "Bees dance.")) for rank, name in enumerate(("better", "worse"), start=1)]
    assert [item.hit.paper.id for item in select(reader, "Do bees dance?", hits)] == ["better", "worse"]


def test_the_likelier_the_reader_finds_a_sentence_to_answer_the_higher_it_stands(reader: Assistant) -> None:
    found = aligning.search_result("bees dance", [Hit(1, 0.8, Paper("one", "They hum. They rest."))], reader.library)
    for answering, first in (((0.9, 0.1), "They hum."), ((0.1, 0.9), "They rest.")):
        reading = replace(found.readings[0], answering=answering)
        assert evidence.select(replace(found, readings=(reading,)))[0].passage.text == first


def test_the_title_of_a_paper_is_no_evidence(reader: Assistant) -> None:
    (item,) = select(reader, "Do bees dance?", [Hit(1, 0.8, Paper("one", "They dance.", title="Bees dance"))])
    assert item.passage.text == "They dance."


def test_the_features_hold_what_the_reader_says_of_paper_and_sentence(reader: Assistant) -> None:
    first, second = features(reader, "bees dance at noon", "Bees dance. It rains.")
    # The fake reader's log-odds for two of four words.
    assert (first.answers, second.answers) == pytest.approx((12 * (2 / 4 - 0.3),) * 2)
    assert (first.sentence, second.sentence) == pytest.approx((logistic.log_odds(0.5), logistic.log_odds(0.0)))


def test_a_paper_is_weighed_by_how_far_it_is_behind_the_best(reader: Assistant) -> None:
    found = aligning.search_result("bees", [Hit(1, 0.8, Paper("one", "Bees dance."))], reader.library)
    ((_, values),) = evidence.features(found.alignments[0], found.readings[0], -0.25)
    assert values.paper == -0.25


def test_a_sentence_wins_the_words_that_are_most_present_in_it(reader: Assistant) -> None:
    rows = features(reader, "Do bees dance?", "Bees sleep at night. They dance by day. It rains.")
    assert [row.won for row in rows] == pytest.approx([0.5, 0.5, 0.0], abs=1e-3)


def test_a_word_in_several_sentences_is_shared_by_them(reader: Assistant) -> None:
    rows = features(reader, "dance", "Bees dance at noon. They dance by day. It rains.")
    assert [row.won for row in rows] == pytest.approx([0.5, 0.5, 0.0], abs=1e-3)


def test_a_rare_word_is_worth_more_than_a_common_one(reader: Assistant) -> None:
    common, rare = features(reader, "third violins", "A third is lost. Violins are played.")
    assert 0 < common.won < rare.won < 1


def test_features_include_the_position_and_whether_a_sentence_opens_the_abstract(reader: Assistant) -> None:
    rows = features(reader, "bees", "Bees dance. They sing. They sleep.")
    assert [(row.position, row.opening) for row in rows] == [(0.0, 1.0), (0.5, 0.0), (1.0, 0.0)]
    (only,) = features(reader, "bees", "Bees dance.")
    assert (only.position, only.opening) == (0.0, 0.0)


def test_without_content_words_nothing_is_won_or_met(reader: Assistant) -> None:
    rows = features(reader, "what about it?", "Bees dance. They sing.")
    assert [(row.won, row.met) for row in rows] == [(0.0, 0.0)] * 2


def test_a_sentence_meets_its_words_even_where_other_sentences_share_them(reader: Assistant) -> None:
    shared, alone = (
        features(reader, "dance", text)[0] for text in ("Bees dance. They dance. We dance.", "Bees dance.")
    )
    assert shared.met == pytest.approx(alone.met)
    assert shared.won == pytest.approx(alone.won / 3, abs=1e-3)
    assert features(reader, "violins", "Bees dance.")[0].met < 0.5 < alone.met


def test_only_the_differences_of_paper_scores_matter(reader: Assistant) -> None:
    def scores(best: float) -> list[float]:
        hits = [Hit(1, best, Paper("first", "Bees dance.")), Hit(2, best - 0.1, Paper("second", "Bees dance."))]
        return [item.score for item in select(reader, "Do bees dance?", hits)]

    assert scores(0.9) == pytest.approx(scores(0.3))
    assert scores(0.9)[0] > scores(0.9)[1]


def test_without_hits_there_is_no_evidence(reader: Assistant) -> None:
    assert select(reader, "Do bees dance?", []) == []
    assert (
        select(reader, "Do bees dance?", [Hit(1, 1.0, Paper("empty", "", title=title)) for title in ("", "Bees")]) == []
    )


def test_a_hit_is_shown_by_the_sentences_that_share_most_with_the_question(reader: Assistant) -> None:
    first = reader.search("older bees, longer, error, degrees").hits[0]
    assert [passage.text for passage in first.passages][-2:] == [
        "The network reads the direction of a dance with an error of 4 degrees.",
        "Older bees dance longer.",
    ]
    assert len(first.passages) == 3


def test_the_passages_of_every_hit_are_few_and_in_order_with_exact_offsets(reader: Assistant) -> None:
    for hit in reader.search("bees glaciers bacteria").hits:
        assert 1 <= len(hit.passages) <= 3
        assert list(hit.passages) == sorted(hit.passages, key=lambda passage: passage.start)
        assert all(hit.paper.abstract[passage.start : passage.end] == passage.text for passage in hit.passages)


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("Bees dance.", 1.0),
        ("The dancing bee", 1.0),
        ("A bee", 0.25),
        ("They dance", 0.75),
        ("Glaciers", 0.0),
        ("", 0.0),
    ],
)
def test_coverage_is_the_weighted_share_of_the_terms(reader: Assistant, text: str, share: float) -> None:
    assert coverage(text, QuestionTerms(index_idf={"bee": 1.0, "danc": 3.0}), reader.library.lexicon) == pytest.approx(
        share
    )


def test_a_question_without_terms_is_covered_by_nothing(reader: Assistant) -> None:
    assert coverage("Bees dance.", QuestionTerms(), reader.library.lexicon) == 0.0
