"""The figures of the evaluation, worked out by hand on small cases."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from assistant.schema import Strength, Verdict
from eval import measures
from eval.runs.records import Record
from tests.evaluation import answer_record, claim_record, question_record, sentence_record


def of_all(*records: Record) -> dict[str, float]:
    """Each figure over all questions."""
    return {name: row["all"] for table in measures.figures(records).values() for name, row in table.items()}


def curve(*confident_and_right: tuple[float, float]) -> list[float]:
    confidence, right = np.array(confident_and_right).T
    return [float(risk) for risk in measures.risk_coverage(confidence, right)]


# Ranking


def test_ranking_is_the_mean_of_each_question() -> None:
    assert of_all(
        question_record("first", "a", "abc"),
        question_record("third", "c", "abc"),
        question_record("missed", "z", "abc"),
    ) == pytest.approx(
        {
            "R@1": 1 / 3,
            "R@5": 2 / 3,
            "R@10": 2 / 3,
            "nDCG@10": (1 + 1 / math.log2(4)) / 3,
            "RR@10": (1 + 1 / 3) / 3,
        }
    )


def test_a_question_without_results_scores_zero_and_counts() -> None:
    found = of_all(question_record("found", "a", "a"), question_record("empty", "a"), question_record("another", "a"))
    assert found == pytest.approx(dict.fromkeys(found, 1 / 3))
    assert len(found) == len(measures.RANKING)


def test_without_any_result_every_figure_is_zero() -> None:
    assert of_all(question_record("one", "a")) == dict.fromkeys(map(str, measures.RANKING), 0.0)


def test_recall_counts_every_paper_that_answers() -> None:
    found = of_all(question_record("one", "az", "ab"))
    assert found["R@10"] == pytest.approx(0.5)
    assert found["RR@10"] == pytest.approx(1.0)


def test_the_order_is_that_of_the_ranks_although_scores_are_equal() -> None:
    assert of_all(question_record("one", "z", "zyx"))["R@1"] == 1.0


def test_a_paper_behind_the_tenth_place_counts_for_nothing() -> None:
    assert set(of_all(question_record("one", "k", "abcdefghijk")).values()) == {0.0}


def test_figures_are_kept_by_group_beside_all() -> None:
    table = measures.figures(
        [
            question_record("one", "a", "a", group="easy"),
            question_record("two", "a", "a", group="hard"),
            question_record("three", "z", "a", group="hard"),
        ]
    )["single"]
    assert table["R@1"] == pytest.approx({"all": 2 / 3, "easy": 1.0, "hard": 0.5})


def test_figures_are_kept_by_suite_even_where_ids_are_the_same() -> None:
    found = measures.figures([question_record("one", "a", "a"), question_record("one", "a", "b", suite="multi")])
    assert (found["single"]["R@1"], found["multi"]["R@1"]) == ({"all": 1.0}, {"all": 0.0})


# Answers


def test_answering_counts_answers_gold_papers_and_gold_sentences() -> None:
    gold = ["Ice melts fast."]
    found = of_all(
        question_record("exact", "a", answer=answer_record(cited="ba", passages=["Ice melts fast."]), evidence=gold),
        question_record("part", "a", answer=answer_record(Strength.TENTATIVE, "a", ["melts"]), evidence=gold),
        question_record("other", "a", answer=answer_record(cited="b", passages=["Bees dance."]), evidence=gold),
        question_record("none", "a", answer=answer_record(Strength.NONE), evidence=gold),
    )
    assert {name: found[name] for name in ("answered", "firm", "gold paper cited", "gold sentence quoted")} == {
        "answered": 0.75,
        "firm": 0.5,
        "gold paper cited": 0.5,
        "gold sentence quoted": 0.5,
    }


def test_a_quote_that_holds_the_gold_sentence_counts() -> None:
    answer = answer_record(cited="a", passages=["Because it is warm: Ice melts. Often."])
    assert of_all(question_record("one", "a", answer=answer, evidence=["Ice melts."]))["gold sentence quoted"] == 1.0


def test_an_empty_passage_is_no_gold_sentence() -> None:
    answer = answer_record(cited="a", passages=["", " "])
    assert of_all(question_record("one", "a", answer=answer, evidence=["Ice melts."]))["gold sentence quoted"] == 0.0


def test_evidence_is_how_many_gold_sentences_are_quoted_and_how_many_quotes_are_gold() -> None:
    answer = answer_record(cited="a", passages=["Ice melts.", "Bees dance.", "Bread rises."])
    found = of_all(question_record("one", "a", answer=answer, evidence=["Ice melts.", "Snow falls."]))
    assert found["evidence recall"] == pytest.approx(1 / 2)
    assert found["evidence precision"] == pytest.approx(1 / 3)


def test_citations_are_measured_by_sentence_and_by_number() -> None:
    answer = answer_record(
        cited="ab", sentences=[sentence_record(1, 2), sentence_record(2), sentence_record(verdict=Verdict.UNCITED)]
    )
    found = of_all(question_record("one", "a", answer=answer))
    assert found["citation recall"] == pytest.approx(1 / 3)
    assert found["citation precision"] == pytest.approx(1 / 3)
    assert found["sentences supported"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("text", "number", "valid"), [("Ice [1].", 1, 1.0), ("Ice [2].", 1, 0.0), ("Ice [1].", 2, 0.0), ("Ice [0].", 1, 0)]
)
def test_a_number_that_stands_for_no_paper_is_invalid(text: str, number: int, valid: float) -> None:
    answer = answer_record(cited="a", text=text, sentences=[sentence_record(number)])
    assert of_all(question_record("one", "a", answer=answer))["citation numbers valid"] == valid


def test_refusing_counts_what_was_not_answered_and_what_was_not_answered_firmly() -> None:
    table = measures.figures(
        [
            question_record("near", answer=answer_record(Strength.FIRM), group="near"),
            question_record("far", answer=answer_record(Strength.TENTATIVE), group="far"),
            question_record("junk", answer=answer_record(Strength.NONE), group="junk"),
        ]
    )["single"]
    assert table["not answered firmly"] == {"all": pytest.approx(2 / 3), "near": 0.0, "far": 1.0, "junk": 1.0}
    assert table["refused"] == {"all": pytest.approx(1 / 3), "near": 0.0, "far": 0.0, "junk": 1.0}


def test_what_is_not_answerable_has_no_ranking_and_what_is_has_no_refusing() -> None:
    assert {"R@1", "answered"}.isdisjoint(of_all(question_record("one", answer=answer_record())))
    assert {"refused", "not answered firmly"}.isdisjoint(of_all(question_record("one", "a", answer=answer_record())))


# What failed


def test_a_failed_question_scores_zero_and_counts() -> None:
    good = answer_record(cited="a", passages=["Ice."], sentences=[sentence_record(1)])
    found = of_all(
        question_record("good", "a", "a", good, evidence=["Ice."]),
        question_record("failed", "a", error="no answer", evidence=["Ice."]),
    )
    # These are of answers alone: whether the numbers of no text are valid, whether the paper that was found is used,
    # and how long the answer is.
    assert {name: value for name, value in found.items() if value != 0.5} == {
        "citation numbers valid": 1.0,
        "firm, gold paper in top 5": 1.0,
        "words an answer": 0.0,
        "sentences an answer": 1.0,
    }


def test_a_failed_unanswerable_question_was_not_refused() -> None:
    found = of_all(
        question_record("good", answer=answer_record(Strength.NONE)), question_record("failed", error="no answer")
    )
    assert found == {"not answered firmly": 0.5, "refused": 0.5}


def test_a_failed_question_counts_in_no_measure_that_does_not_apply_to_it() -> None:
    assert {"evidence recall", "gold sentence quoted", "evidence precision", "refused"}.isdisjoint(
        of_all(question_record("failed", "a", error="no answer"))
    )


def test_a_failed_claim_is_wrong_whatever_the_truth() -> None:
    failed = [claim_record("1", True, None, error="gone"), claim_record("2", False, None, error="gone")]
    assert of_all(*failed)["accuracy"] == 0.0


# Claims


def test_claims_are_right_where_the_verdict_agrees_and_support_ranks_them() -> None:
    table = measures.figures(
        [
            claim_record("1", True, Verdict.SUPPORTED, 0.9, group="supported"),
            claim_record("2", True, Verdict.UNSUPPORTED, 0.2, group="supported"),
            claim_record("3", False, Verdict.UNSUPPORTED, 0.5, group="number"),
        ]
    )["claims"]
    assert table["accuracy"] == {"all": pytest.approx(2 / 3), "supported": 0.5, "number": 1.0}
    assert table["ROC AUC"] == {"all": 0.5}


def test_the_sentence_behind_a_verdict_is_held_against_the_gold_one() -> None:
    found = of_all(
        claim_record("1", True, passage="Ice melts.", evidence=["Ice melts."]),
        claim_record("2", True, passage="Bees dance.", evidence=["Ice melts."]),
        claim_record("3", True, passage="Bees dance."),
    )
    assert found["gold sentence behind it"] == 0.5


def test_claims_of_one_kind_have_no_area_under_the_curve() -> None:
    assert "ROC AUC" not in of_all(claim_record("1", True), claim_record("2", True))


def test_no_questions_make_no_table() -> None:
    assert measures.figures([]) == {}
    assert measures.values([]) == {}


# Trust


def test_the_area_under_the_roc_curve_counts_ties_half() -> None:
    truth = np.array([1.0, 1.0, 0.0, 0.0])
    assert measures.roc_auc(truth, np.array([0.9, 0.5, 0.5, 0.1])) == pytest.approx(3.5 / 4)
    assert measures.roc_auc(truth, np.array([0.1, 0.2, 0.3, 0.4])) == 0.0
    assert measures.roc_auc(truth, np.full(4, 0.3)) == 0.5


def test_risk_is_the_share_of_wrong_answers_among_the_most_confident() -> None:
    assert curve((0.9, 1), (0.8, 0), (0.7, 1), (0.1, 0)) == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])


def test_the_order_of_equally_confident_answers_does_not_matter() -> None:
    assert curve((0.5, 1), (0.5, 0)) == curve((0.5, 0), (0.5, 1)) == pytest.approx([0.5, 0.5])


def test_trust_is_of_answerable_and_unanswerable_questions_together() -> None:
    found = measures.figures(
        [
            question_record("right", "a", "a", answer_record(cited="a", confidence=0.8)),
            question_record("none", "", "a", answer_record(cited="a", confidence=0.4), suite="unanswerable"),
            question_record("turn", "a", "a", answer_record(cited="a", confidence=0.0), suite="dialogs"),
        ]
    )["trust"]
    assert {name: row["all"] for name, row in found.items()} == pytest.approx(
        {
            "area under risk-coverage": (0 + 1 / 2) / 2,
            "Brier score": (0.2**2 + 0.4**2) / 2,
            "ROC AUC of confidence": 1.0,
            "rejected at 5 % false refusals": 1.0,
        }
    )


def test_without_unanswerable_questions_nothing_is_said_of_trust() -> None:
    assert measures.TRUST not in measures.figures([question_record("one", "a", "a", answer_record(cited="a"))])


def test_reliability_is_by_tenths_and_leaves_empty_ones_out() -> None:
    confidence, truth = np.array([0.91, 0.99, 1.0, 0.0]), np.array([1.0, 0.0, 1.0, 0.0])
    assert measures.reliability(confidence, truth) == [
        (0.0, 0.0, 1),
        (pytest.approx(2.9 / 3), pytest.approx(2 / 3), 3),
    ]


# Cost


def test_cost_is_by_stage_with_the_median_the_95th_percentile_and_the_most() -> None:
    records = [question_record(str(took), "a", timings={"total_ms": float(took)}) for took in range(1, 102)]
    assert measures.costs(records) == {"total_ms": {"p50": 51.0, "p95": 96.0, "max": 101.0}}


def test_tokens_are_summed_and_money_is_what_a_million_costs() -> None:
    records = [question_record(name, "a", answer=answer_record(tokens=(300_000, 100_000))) for name in "ab"]
    assert measures.tokens(records) == (600_000, 200_000)
    assert measures.price((600_000, 200_000), (1.0, 5.0)) == pytest.approx(0.6 + 1.0)


def test_without_a_language_model_there_are_no_tokens() -> None:
    assert measures.tokens([question_record("one", "a", answer=answer_record()), claim_record("1", True)]) is None


# What depends on what


def of_each(*records: Record) -> dict[tuple[str, str], float]:
    tables = measures.figures(records)
    return {(suite, name): row["all"] for suite, table in tables.items() for name, row in table.items()}


SOUND: tuple[Record, ...] = (
    *(
        question_record(
            name,
            name,
            f"{name}xyzuvw",
            answer_record(
                cited=name, passages=["Ice."], sentences=[sentence_record(1)], confidence=confidence, text="Ice [1]."
            ),
            evidence=["Ice."],
        )
        for name, confidence in (("a", 0.9), ("b", 0.8))
    ),
    question_record("none", "", "xyz", answer_record(Strength.NONE, confidence=0.1), suite="unanswerable"),
    claim_record("right", True, Verdict.SUPPORTED, 0.9),
    claim_record("wrong", False, Verdict.UNSUPPORTED, 0.1),
)
RANKED = {("single", name) for name in ("R@1", "R@5", "R@10", "nDCG@10", "RR@10")}


def moved(place: int, **changes: Any) -> set[tuple[str, str]]:
    """The figures that differ from those of the sound records where one of them has other fields."""
    records = list(SOUND)
    records[place] = replace(records[place], **changes)
    before, after = of_each(*SOUND), of_each(*records)
    return {name for name in before | after if before.get(name) != after.get(name)}


def test_a_sound_run_is_perfect() -> None:
    lower = {"area under risk-coverage", "Brier score", "true claims marked"}
    assert {name: value for name, value in of_each(*SOUND).items() if value != 1.0 and name[1] not in lower} == {}


def test_a_wrong_judgement_moves_whatever_is_held_against_it() -> None:
    assert moved(0, papers=("elsewhere",)) == RANKED | {
        ("single", "gold paper cited"),
        ("single", "citation recall"),
        ("single", "citation precision"),
        ("trust", "area under risk-coverage"),
    }


def test_a_shuffled_ranking_moves_the_ranking_alone() -> None:
    sixth = question_record("a", "a", "xyzuva").retrieved
    assert moved(0, retrieved=sixth) == RANKED - {("single", "R@10")}


def test_a_broken_citation_number_moves_the_measures_of_citations_alone() -> None:
    answer = answer_record(
        cited="a", passages=["Ice."], sentences=[sentence_record(2)], confidence=0.9, text="Ice [1]."
    )
    assert moved(0, answer=answer) == {
        ("single", "citation recall"),
        ("single", "citation precision"),
        ("single", "citation numbers valid"),
    }


def test_a_broken_number_in_the_text_moves_their_validity_alone() -> None:
    answer = answer_record(
        cited="a", passages=["Ice."], sentences=[sentence_record(1)], confidence=0.9, text="Ice [7]."
    )
    assert moved(0, answer=answer) == {("single", "citation numbers valid")}


def test_another_passage_moves_the_measures_of_evidence_alone() -> None:
    answer = answer_record(
        cited="a", passages=["Bees."], sentences=[sentence_record(1)], confidence=0.9, text="Ice [1]."
    )
    assert moved(0, answer=answer) == {
        ("single", "gold sentence quoted"),
        ("single", "evidence recall"),
        ("single", "evidence precision"),
    }


def test_a_flipped_verdict_of_a_sentence_moves_the_share_supported_alone() -> None:
    sentences = [sentence_record(1, verdict=Verdict.UNSUPPORTED)]
    answer = answer_record(cited="a", passages=["Ice."], sentences=sentences, confidence=0.9, text="Ice [1].")
    assert moved(0, answer=answer) == {("single", "sentences supported")}


def test_a_flipped_verdict_of_a_claim_moves_accuracy_and_what_is_marked_alone() -> None:
    assert moved(3, verdict=Verdict.UNSUPPORTED) == {("claims", "accuracy"), ("claims", "true claims marked")}


def test_an_inverted_support_of_a_claim_moves_the_area_under_the_curve_alone() -> None:
    assert moved(3, support=0.05) == {("claims", "ROC AUC")}


def test_an_inverted_confidence_moves_trust_alone() -> None:
    answer = answer_record(
        cited="a", passages=["Ice."], sentences=[sentence_record(1)], confidence=0.05, text="Ice [1]."
    )
    assert moved(0, answer=answer) == {
        ("trust", "area under risk-coverage"),
        ("trust", "Brier score"),
        ("trust", "ROC AUC of confidence"),
        ("trust", "rejected at 5 % false refusals"),
    }
