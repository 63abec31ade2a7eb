"""Thresholds with a guarantee: worked out by hand, and held against simulated questions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from assistant.answering.firm_risk import RiskThreshold
from eval import measures
from eval.measures import conformal
from eval.measures.conformal import risk_threshold
from tests.evaluation import answer_record, question_record

OUTCOMES = st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=300)


def threshold_of(outcomes: list[tuple[float, bool]], **options: float) -> RiskThreshold:
    confidence = np.array([value for value, _ in outcomes], dtype=float)
    return risk_threshold(confidence, np.array([float(right) for _, right in outcomes]), **options)


def test_it_takes_45_right_answers_to_show_a_risk_of_5_percent_with_90_percent_certainty() -> None:
    assert conformal.fewest_answers(0.05, 0.9) == 45
    assert conformal.p_value(45, 0, 0.05) == pytest.approx(0.95**45)
    assert threshold_of([(0.8, True)] * 44).threshold is None
    assert threshold_of([(0.8, True)] * 45) == RiskThreshold(0.0, 0.05, 0.9, 45, 45)


def test_the_threshold_lies_above_the_answers_that_are_wrong() -> None:
    found = threshold_of([(0.9, True)] * 100 + [(0.4, False)] * 50)
    assert found == RiskThreshold(0.41, 0.05, 0.9, 100, 150)


def test_confident_answers_that_are_wrong_leave_no_threshold() -> None:
    assert threshold_of([(0.95, False)] * 50 + [(0.5, True)] * 500).threshold is None


@given(OUTCOMES)
@effort(max_examples=50)
def test_the_answers_above_a_threshold_keep_the_risk_on_the_questions_it_was_fitted_on(
    outcomes: list[tuple[float, bool]],
) -> None:
    found = threshold_of(outcomes)
    if found.threshold is not None:
        reached = [right for value, right in outcomes if value >= found.threshold]
        assert len(reached) == found.answers >= conformal.fewest_answers(0.05, 0.9)
        assert reached.count(False) <= 0.05 * len(reached)


@given(OUTCOMES.flatmap(lambda outcomes: st.tuples(st.just(outcomes), st.permutations(outcomes))))
@effort(max_examples=25)
def test_the_order_of_the_questions_does_not_matter(
    orders: tuple[list[tuple[float, bool]], list[tuple[float, bool]]],
) -> None:
    first, second = orders
    assert threshold_of(first) == threshold_of(second)


def test_on_new_questions_the_promise_is_broken_no_more_often_than_the_certainty_allows() -> None:
    generator, broken, trials = np.random.default_rng(0), 0, 300
    for _ in range(trials):
        confidence = generator.random(400)
        found = risk_threshold(confidence, (generator.random(400) < confidence).astype(float), max_risk=0.2)
        # An answer of confidence c is right with probability c: above t the true risk is (1 - t) / 2.
        broken += found.threshold is not None and (1 - found.threshold) / 2 > 0.2
    assert broken / trials <= 0.1 + 3 * (0.1 * 0.9 / trials) ** 0.5


def test_a_run_has_a_threshold_for_each_table_of_trust() -> None:
    answerable = [
        question_record(f"a{number}", "a", "a", answer_record(cited="a", confidence=0.9)) for number in range(60)
    ]
    near = question_record("n", "", "a", answer_record(cited="a", confidence=0.3), suite="unanswerable")
    assert measures.firm_risks([*answerable, near]) == {"trust": RiskThreshold(0.31, 0.05, 0.9, 60, 61)}
    assert measures.firm_risks(answerable) == {}
