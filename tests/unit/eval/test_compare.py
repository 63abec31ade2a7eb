"""Is one run better than another? Differences worked out by hand, and what must hold of any."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from assistant.errors import InputError
from assistant.schema import Strength, Verdict
from eval import compare as comparing
from eval.compare import Difference, MeasureChange, RunComparison, compare
from eval.runs.records import QuestionRecord, Record
from tests.conftest import ROOT
from tests.evaluation import answer_record, claim_record, question_record, run_of, sentence_record


def beside(before: Sequence[Record], after: Sequence[Record]) -> RunComparison:
    return compare(run_of(before, "before"), run_of(after, "after"))


def difference(found: RunComparison, measure: str, suite: str = "single") -> Difference:
    return next(each for each in found.differences if (each.suite, each.measure) == (suite, measure))


def searched(places: Sequence[int]) -> list[QuestionRecord]:
    """Questions whose paper is found at these places, 0 the first."""
    return [question_record(f"q{number:03}", "a", "z" * place + "a") for number, place in enumerate(places)]


def replied(confidences: Sequence[float], suite: str = "single") -> list[QuestionRecord]:
    """Answerable and unanswerable questions in turn, replied to with these confidences."""
    return [
        question_record(
            f"{number:03}", "" if number % 2 else "a", "a", answer_record(cited="a", confidence=each), suite=suite
        )
        for number, each in enumerate(confidences)
    ]


MIXED: tuple[Record, ...] = (
    *replied([0.9, 0.2, 0.7, 0.4]),
    question_record(
        "gold",
        "a",
        "ab",
        answer_record(cited="a", sentences=[sentence_record(1)], passages=["Ice."]),
        evidence=["Ice."],
    ),
    claim_record("1", True, Verdict.SUPPORTED, 0.9),
    claim_record("2", False, Verdict.SUPPORTED, 0.7),
)
OTHER: tuple[Record, ...] = (
    *replied([0.5, 0.6, 0.1, 0.3]),
    question_record("gold", "a", "ba", answer_record(Strength.NONE), evidence=["Ice."]),
    claim_record("1", True, Verdict.UNSUPPORTED, 0.1),
    claim_record("2", False, Verdict.UNSUPPORTED, 0.2),
)


@pytest.fixture
def roughly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer draws, for what must hold of any number of them."""
    monkeypatch.setattr(comparing, "_RESAMPLES", 200)


def test_a_difference_is_that_of_the_means_over_the_questions_of_both() -> None:
    found = difference(beside(searched([0, 1, 9, 9]), searched([0, 0, 1, 9])), "R@1")
    assert (found.before, found.after, found.questions) == (0.25, 0.5, 4)
    assert difference(beside(searched([1, 1]), searched([0, 1])), "RR@10") == Difference(
        "single", "RR@10", 0.5, 0.75, 0.0, 0.5, 1.0, 2
    )


@pytest.mark.usefixtures("roughly")
def test_the_differences_of_confidence_and_support_are_those_of_all_questions_together() -> None:
    found = beside(MIXED, OTHER)
    before = (0.1**2 + 0.2**2 + 0.3**2 + 0.4**2 + 0.5**2) / 5
    after = (0.5**2 + 0.6**2 + 0.9**2 + 0.3**2 + 0.5**2) / 5
    brier = difference(found, "Brier score", "trust")
    assert (brier.before, brier.after) == pytest.approx((before, after))
    assert brier.questions == 5
    support = difference(found, "ROC AUC", "claims")
    assert (support.before, support.after) == (1.0, 0.0)


def test_of_identical_runs_every_difference_is_nothing_and_every_p_is_one() -> None:
    found = beside(MIXED, MIXED)
    assert len(found.differences) > 15
    assert {(each.after - each.before, each.low, each.high, each.p) for each in found.differences} == {(0, 0, 0, 1)}
    assert (found.changes, found.left_out) == ((), 0)


def test_a_planted_improvement_is_found_and_nothing_else() -> None:
    before = searched([3, 0] * 20)
    top = searched([0])[0].retrieved
    after = [replace(record, retrieved=top) if number < 16 else record for number, record in enumerate(before)]
    found = beside(before, after)
    better = difference(found, "R@1")
    assert (better.before, better.after) == (0.5, 0.7)
    assert 0 < better.low < 0.2 < better.high < 0.4
    assert better.p < 0.02
    same = difference(found, "R@5")
    assert (same.before, same.after, same.p) == (1.0, 1.0, 1.0)


def test_an_improvement_and_a_decline_of_the_same_size_are_no_difference() -> None:
    found = difference(beside(searched([0, 1] * 10), searched([1, 0] * 10)), "R@1")
    assert found.after == found.before
    assert found.low < 0 < found.high
    assert found.p == 1.0


@pytest.mark.parametrize(("questions", "least"), [(1, 1.0), (2, 0.5), (3, 0.25), (4, 0.125)])
def test_a_few_questions_prove_nothing(questions: int, least: float) -> None:
    found = difference(beside(searched([1] * questions), searched([0] * questions)), "R@1")
    assert found.after - found.before == 1.0
    assert found.p == least


@pytest.mark.usefixtures("roughly")
def test_swapped_runs_mirror() -> None:
    forth, back = beside(MIXED, OTHER), beside(OTHER, MIXED)
    for one in forth.differences:
        other = difference(back, one.measure, one.suite)
        assert (other.before, other.after, other.questions) == (one.after, one.before, one.questions)
        assert (other.low, other.high) == pytest.approx((-one.high, -one.low))
        assert other.p == pytest.approx(one.p)
    assert {replace(each, better=not each.better) for each in forth.changes} == set(back.changes)


def test_the_same_comparison_is_the_same_in_every_process() -> None:
    code = "from tests.unit.eval.test_compare import *; print(beside(searched([0, 1, 2]), searched([1, 0, 0])))"
    elsewhere = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert elsewhere.stdout.strip() == str(beside(searched([0, 1, 2]), searched([1, 0, 0])))


def test_questions_that_changed_sides_are_listed_with_their_texts() -> None:
    before = [question_record("up", "a", "ba"), question_record("down", "a", "ab"), question_record("stays", "a", "ab")]
    after = [question_record("up", "a", "ab"), question_record("down", "a", "ba"), question_record("stays", "a", "ab")]
    right, wrong = claim_record("1", True, Verdict.SUPPORTED), claim_record("1", True, Verdict.UNSUPPORTED)
    assert set(beside([*before, right], [*after, wrong]).changes) == {
        MeasureChange("single", "R@1", True, "up", "up?"),
        MeasureChange("single", "R@1", False, "down", "down?"),
        MeasureChange("claims", "accuracy", False, "1", "1."),
    }


def test_a_question_that_failed_in_one_run_is_a_change_of_side() -> None:
    answered, failed = (
        question_record("one", "a", "a", answer_record(cited="a")),
        question_record("one", "a", error="timed out"),
    )
    assert {(each.measure, each.better) for each in beside([answered], [failed]).changes} == {
        ("R@1", False),
        ("gold paper cited", False),
    }


def test_questions_of_one_run_only_are_left_out_and_counted() -> None:
    found = beside(searched([0, 0, 5, 5]), [*searched([0, 0]), question_record("new", "a", "a")])
    assert found.left_out == 3
    assert (difference(found, "R@1").before, difference(found, "R@1").questions) == (1.0, 2)


def test_confidence_is_compared_on_the_questions_to_which_both_replied() -> None:
    before, after = replied([0.9, 0.2, 0.8, 0.1]), replied([0.9, 0.2, 0.8, 0.1])
    before[0] = question_record("000", "a", error="timed out")
    after[2] = question_record("002", "a", error="timed out")
    # With one answerable question failed in each, none is left to tell confidence by.
    assert "trust" not in {each.suite for each in beside(before, after).differences}
    more = replied([0.9, 0.2, 0.8, 0.1, 0.7, 0.3])
    found = difference(beside([*before, *more[4:]], [*after, *more[4:]]), "Brier score", "trust")
    assert (found.questions, found.after - found.before) == (4, 0)


def test_a_measure_that_applies_to_no_question_of_both_has_no_difference() -> None:
    answered = answer_record(cited="a", sentences=[sentence_record(1)])
    refused = answer_record(Strength.NONE)
    found = beside(
        [question_record("1", "a", "a", answered), question_record("2", "a", "a", refused)],
        [question_record("1", "a", "a", refused), question_record("2", "a", "a", answered)],
    )
    assert "citation recall" not in {each.measure for each in found.differences}


def test_different_questions_under_one_id_are_refused() -> None:
    for other in (
        question_record("q", "a", "a", question="Another?"),
        question_record("q", "b", "a"),
        question_record("q", "a", evidence=["x"]),
    ):
        with pytest.raises(InputError, match="after: 1 questions differ from those of before, as single q"):
            beside([question_record("q", "a", "a")], [other])
    with pytest.raises(InputError, match="1 questions differ from those of before, as claims 1"):
        beside([claim_record("1", True)], [claim_record("1", False)])


def test_runs_with_nothing_in_common_are_refused() -> None:
    for after in ([question_record("two", "a")], [question_record("one", "a", suite="multi")], []):
        with pytest.raises(InputError, match="after: has no question in common with before"):
            beside([question_record("one", "a")], after)


@pytest.mark.usefixtures("roughly")
@effort(max_examples=20)
@given(st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), min_size=1, max_size=12))
def test_the_interval_holds_the_difference_of_means_and_p_is_a_share(places: list[tuple[int, int]]) -> None:
    before, after = (searched(each) for each in zip(*places, strict=True))
    for each in beside(before, after).differences:
        assert each.low - 1e-9 <= each.after - each.before <= each.high + 1e-9
        assert -1 <= each.low <= each.high <= 1
        assert 0 < each.p <= 1


@pytest.mark.usefixtures("roughly")
@effort(max_examples=20)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=10))
def test_figures_of_all_questions_together_have_intervals_in_order(pairs: list[tuple[float, float]]) -> None:
    before, after = (replied(each) for each in zip(*pairs, strict=True))
    found = beside(before, after).differences
    assert {each.measure for each in found if each.suite == "trust"} == {
        "area under risk-coverage",
        "Brier score",
        "ROC AUC of confidence",
        "rejected at 5 % false refusals",
    }
    for each in found:
        assert each.low <= each.high
        assert 0 < each.p <= 1
