"""The figures of the evaluation, worked out by hand on small cases."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from assistant.schema import Answer, Citation, Hit, Paper, Passage, Sentence, Strength, Verdict
from eval import measures
from eval.suites import Claim, Question


def question(name: str, papers: str = "", group: str = "all", evidence: Sequence[str] = ()) -> Question:
    return Question(name, f"{name}?", frozenset(papers), "dev", group, tuple(evidence))


def hits(papers: str) -> list[Hit]:
    """A hit for each letter, in order, all of one score."""
    return [Hit(rank, 0.5, Paper(letter, "")) for rank, letter in enumerate(papers, start=1)]


def answer(strength: Strength, cited: str = "", passages: Sequence[str] = ()) -> Answer:
    quoted = tuple(Passage(text, 0, len(text)) for text in passages)
    citations = tuple(Citation(number, Paper(letter, ""), quoted) for number, letter in enumerate(cited, start=1))
    return Answer("", "", strength, 0.5, "", citations=citations)


def test_ranking_is_the_mean_of_each_question() -> None:
    asked = [question("first", "a"), question("third", "c"), question("missed", "z")]
    table = measures.ranking(asked, {"first": hits("abc"), "third": hits("abc"), "missed": hits("abc")})
    assert {name: row["all"] for name, row in table.items()} == pytest.approx(
        {
            "R@1": 1 / 3,
            "R@5": 2 / 3,
            "R@10": 2 / 3,
            "nDCG@10": (1 + 1 / math.log2(4)) / 3,
            "RR@10": (1 + 1 / 3) / 3,
        }
    )


def test_a_question_without_results_scores_zero_and_counts() -> None:
    asked = [question("found", "a"), question("empty", "a"), question("absent", "a")]
    table = measures.ranking(asked, {"found": hits("a"), "empty": []})
    assert all(row == pytest.approx({"all": 1 / 3}) for row in table.values())


def test_without_any_result_every_figure_is_zero() -> None:
    assert all(row == {"all": 0.0} for row in measures.ranking([question("one", "a")], {}).values())


def test_recall_counts_every_paper_that_answers() -> None:
    table = measures.ranking([question("one", "az")], {"one": hits("ab")})
    assert table["R@10"]["all"] == pytest.approx(0.5)
    assert table["RR@10"]["all"] == pytest.approx(1.0)


def test_the_order_is_that_of_the_ranks_although_scores_are_equal() -> None:
    table = measures.ranking([question("one", "z")], {"one": hits("zyx")})
    assert table["R@1"]["all"] == 1.0


def test_a_paper_behind_the_tenth_place_counts_for_nothing() -> None:
    table = measures.ranking([question("one", "k")], {"one": hits("abcdefghijk")})
    assert all(row["all"] == 0.0 for row in table.values())


def test_figures_are_kept_by_group_beside_all() -> None:
    asked = [question("one", "a", "easy"), question("two", "a", "hard"), question("three", "z", "hard")]
    table = measures.ranking(asked, {each.id: hits("a") for each in asked})
    assert table["R@1"] == pytest.approx({"all": 2 / 3, "easy": 1.0, "hard": 0.5})


def test_answering_counts_answers_gold_papers_and_gold_sentences() -> None:
    asked = [question(name, "a", evidence=["Ice melts fast."]) for name in ("exact", "part", "other", "none")]
    table = measures.answering(
        asked,
        {
            "exact": answer(Strength.FIRM, "ba", ["Ice melts fast."]),
            "part": answer(Strength.TENTATIVE, "a", ["melts"]),
            "other": answer(Strength.FIRM, "b", ["Bees dance."]),
            "none": answer(Strength.NONE),
        },
    )
    assert {name: row["all"] for name, row in table.items()} == {
        "answered": 0.75,
        "firm": 0.5,
        "gold paper cited": 0.5,
        "gold sentence quoted": 0.5,
    }


def test_a_quote_that_holds_the_gold_sentence_counts() -> None:
    asked = [question("one", "a", evidence=["Ice melts."])]
    table = measures.answering(asked, {"one": answer(Strength.FIRM, "a", ["Because it is warm: Ice melts. Often."])})
    assert table["gold sentence quoted"]["all"] == 1.0


def test_refusing_counts_what_was_not_answered_and_what_was_not_answered_firmly() -> None:
    asked = [question(name, group=name) for name in ("near", "far", "junk")]
    table = measures.refusing(
        asked,
        {"near": answer(Strength.FIRM), "far": answer(Strength.TENTATIVE), "junk": answer(Strength.NONE)},
    )
    assert table == {
        "not answered firmly": {"all": pytest.approx(2 / 3), "near": 0.0, "far": 1.0, "junk": 1.0},
        "refused": {"all": pytest.approx(1 / 3), "near": 0.0, "far": 0.0, "junk": 1.0},
    }


def test_claims_are_right_where_the_verdict_agrees_and_support_ranks_them() -> None:
    claims = [
        Claim("1", "a", "p", supported=True, split="dev", group="supported"),
        Claim("2", "b", "p", supported=True, split="dev", group="supported"),
        Claim("3", "c", "p", supported=False, split="dev", group="number"),
    ]
    verdicts = {
        "1": Sentence("a", (1,), Verdict.SUPPORTED, 0.9),
        "2": Sentence("b", (1,), Verdict.UNSUPPORTED, 0.2),
        "3": Sentence("c", (1,), Verdict.UNSUPPORTED, 0.5),
    }
    table = measures.checking(claims, verdicts)
    assert table["accuracy"] == {"all": pytest.approx(2 / 3), "supported": 0.5, "number": 1.0}
    assert table["ROC AUC"] == {"all": 0.5}


def test_no_questions_make_no_table() -> None:
    assert measures.ranking([], {}) == measures.refusing([], {}) == measures.checking([], {}) == {}
