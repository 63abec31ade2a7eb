from __future__ import annotations

from dataclasses import replace

import pytest

from assistant.answering import evidence
from assistant.answering.answerability import CONSIDERED
from assistant.answering.evidence import Evidence
from assistant.chat import Assistant
from assistant.question.terms import QuestionTerms
from assistant.retrieval.passages import coverage
from assistant.schema import Hit, Paper
from assistant.text.sentences import passages
from tests import aligning


def select(reader: Assistant, question: str, hits: list[Hit] | None = None) -> list[Evidence]:
    return evidence.select(
        aligning.found(question, reader.search(question).hits if hits is None else hits, reader.library)
    )


def features(reader: Assistant, question: str, abstract: str) -> list[evidence.EvidenceFeatures]:
    found = aligning.found(question, [Hit(1, 0.8, Paper("one", abstract))], reader.library)
    return evidence.features(found.query, found.alignments[0], 0.0)


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


def test_every_sentence_of_the_hits_is_weighed_once_the_best_first(reader: Assistant) -> None:
    found = select(reader, "Do bees dance?")
    sentences = [passage.text for hit in reader.search("bees").hits for passage in passages(hit.paper.abstract)]
    assert sorted(each.passage.text for each in found) == sorted(sentences)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    assert all(0 < each.score < 1 for each in found)


def test_evidence_is_a_stretch_of_its_abstract(reader: Assistant) -> None:
    for each in select(reader, "Do bees dance?"):
        assert each.hit.paper.abstract[each.passage.start : each.passage.end] == each.passage.text


def test_only_the_best_papers_are_read_for_sentences(reader: Assistant) -> None:
    hits = [Hit(rank, 0.5, Paper(f"paper-{rank}", "Bees dance.")) for rank in range(1, CONSIDERED + 3)]
    assert {each.hit.rank for each in select(reader, "Do bees dance?", hits)} == set(range(1, CONSIDERED + 1))


def test_of_equal_sentences_that_of_the_better_paper_goes_first(reader: Assistant) -> None:
    hits = [Hit(1, 0.2, Paper("worse", "Bees dance.")), Hit(2, 1.0, Paper("better", "Bees dance."))]
    assert [each.hit.paper.id for each in select(reader, "Do bees dance?", hits)] == ["better", "worse"]


def test_a_sentence_wins_the_words_that_no_other_sentence_has_better(reader: Assistant) -> None:
    found = features(reader, "Do bees dance?", "Bees sleep at night. They dance by day. It rains.")
    assert [each.won for each in found] == pytest.approx([0.5, 0.5, 0.0], abs=1e-3)


def test_a_word_in_several_sentences_is_shared_by_them(reader: Assistant) -> None:
    found = features(reader, "dance", "Bees dance at noon. They dance by day. It rains.")
    assert [each.won for each in found] == pytest.approx([0.5, 0.5, 0.0], abs=1e-3)


def test_a_rare_word_is_worth_more_than_a_common_one(reader: Assistant) -> None:
    common, rare = features(reader, "third violins", "A third is lost. Violins are played.")
    assert 0 < common.won < rare.won < 1


def test_a_sentence_knows_its_place_and_the_first_of_several_opens(reader: Assistant) -> None:
    found = features(reader, "bees", "Bees dance. They sing. They sleep.")
    assert [(each.position, each.opening) for each in found] == [(0.0, 1.0), (0.5, 0.0), (1.0, 0.0)]
    (only,) = features(reader, "bees", "Bees dance.")
    assert (only.position, only.opening) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("question", "figures"),
    [
        ("How many bees dance?", [0.0, 1.0, 1.0]),
        ("what share of bees dances", [0.0, 1.0, 1.0]),
        ("Why do bees dance?", [0.0, 0.0, 0.0]),
    ],
)
def test_a_figure_counts_where_one_is_asked_for(reader: Assistant, question: str, figures: list[float]) -> None:
    found = features(reader, question, "Bees dance. Of them 41% dance at noon. The loss doubles.")
    assert [each.figure for each in found] == figures


@pytest.mark.parametrize(
    ("feature", "more"),
    [
        ("paper", 0.9),
        ("won", 0.9),
        ("met", 0.9),
        ("position", 0.9),
        ("opening", 0.1),
        ("figure", 0.9),
        ("states", 0.9),
    ],
)
def test_each_feature_counts_for_or_against_a_sentence(feature: str, more: float) -> None:
    middling = evidence.EvidenceFeatures(*[0.5] * 7)
    assert evidence.probability(replace(middling, **{feature: more})) > evidence.probability(middling)


def test_a_question_without_telling_words_wins_and_meets_nothing(reader: Assistant) -> None:
    found = features(reader, "what about it?", "Bees dance. They sing.")
    assert [(each.won, each.met) for each in found] == [(0.0, 0.0)] * 2


def test_a_sentence_meets_the_words_that_it_has_however_many_others_have_them(reader: Assistant) -> None:
    shared, alone = (
        features(reader, "dance", text)[0] for text in ("Bees dance. They dance. We dance.", "Bees dance.")
    )
    assert shared.met == pytest.approx(alone.met)
    assert shared.won == pytest.approx(alone.won / 3, abs=1e-3)
    assert features(reader, "violins", "Bees dance.")[0].met < 0.5 < alone.met


@pytest.mark.parametrize(
    ("sentence", "states"),
    [
        ("We show that bees dance.", 1.0),
        ("Here, we introduce a dance.", 1.0),
        ("Our findings are about bees.", 1.0),
        ("The results suggest a dance.", 1.0),
        ("Young bees outperform old ones.", 1.0),
        ("Bees show the way.", 0.0),
        ("It is known that bees dance.", 0.0),
    ],
)
def test_a_sentence_in_which_the_authors_speak_of_their_work_is_known(
    reader: Assistant, sentence: str, states: float
) -> None:
    assert [each.states for each in features(reader, "Do bees dance?", sentence)] == [states]


def test_papers_are_told_apart_by_how_far_their_scores_lie_apart_however_high_these_are(reader: Assistant) -> None:
    def scores(best: float) -> list[float]:
        hits = [Hit(1, best, Paper("first", "Bees dance.")), Hit(2, best - 0.1, Paper("second", "Bees dance."))]
        return [each.score for each in select(reader, "Do bees dance?", hits)]

    assert scores(0.9) == pytest.approx(scores(0.3))
    assert scores(0.9)[0] > scores(0.9)[1]


def test_without_hits_there_is_no_evidence(reader: Assistant) -> None:
    assert select(reader, "Do bees dance?", []) == []
    assert select(reader, "Do bees dance?", [Hit(1, 1.0, Paper("empty", ""))]) == []


def test_a_hit_is_shown_by_the_sentences_that_share_most_with_the_question(reader: Assistant) -> None:
    first = reader.search("older bees, longer, error, degrees").hits[0]
    assert [passage.text for passage in first.passages][-2:] == [
        "The network reads the direction of a dance with an error of 4 degrees.",
        "Older bees dance longer.",
    ]
    assert len(first.passages) == 3


def test_the_passages_of_every_hit_are_few_true_and_in_order(reader: Assistant) -> None:
    for hit in reader.search("bees glaciers bacteria").hits:
        assert 1 <= len(hit.passages) <= 3
        assert list(hit.passages) == sorted(hit.passages, key=lambda each: each.start)
        assert all(hit.paper.abstract[each.start : each.end] == each.text for each in hit.passages)


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
