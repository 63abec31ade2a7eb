"""Runs of several strategies side by side: what their answers are worth, and what they cost."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from assistant.errors import InputError
from assistant.schema import Verdict
from eval import terminal
from eval.measures import COST_MEASURES
from eval.runs.records import QuestionRecord
from eval.side_by_side import side_by_side
from tests.evaluation import answer_record, question_record, run_of, sentence_record


def strategy_record(name: str, strategy: str, calls: int, supported: bool, seconds: float) -> QuestionRecord:
    sentences = [
        sentence_record(1),
        sentence_record(1, verdict=Verdict.SUPPORTED if supported else Verdict.UNSUPPORTED),
    ]
    answer = replace(
        answer_record(cited="a", sentences=sentences, tokens=(100 * calls, 10 * calls)), strategy=strategy, calls=calls
    )
    return question_record(name, "a", "a", answer, timings={"total_ms": 1000 * seconds})


def test_strategies_stand_side_by_side_with_their_worth_and_their_cost() -> None:
    single = run_of([strategy_record(name, "single", 1, False, 2.0) for name in ("one", "two")], "single")
    best = run_of([strategy_record(name, "best-of-n", 3, True, 6.0) for name in ("one", "two", "three")], "best")
    beside = side_by_side([single, best])
    means = {row.measure: row.means for row in beside.rows}
    assert beside.strategies == ("single", "best-of-n")
    assert means["sentences supported"] == (0.5, 1.0)
    assert means["gold paper cited"] == (1.0, 1.0)
    assert means["calls an answer"] == (1.0, 3.0)
    assert means["tokens an answer"] == (110.0, 330.0)
    assert means["seconds an answer"] == (2.0, 6.0)
    assert {row.questions for row in beside.rows} == {2}, "only the questions that both asked count"
    shown = terminal.format_side_by_side(beside)
    assert re.search(r"^ +single +best-of-n$", shown, re.MULTILINE)
    assert re.search(r"^ +tokens an answer +110\.000 +330\.000$", shown, re.MULTILINE)


def test_runs_without_a_model_have_no_costs_and_no_table_of_them() -> None:
    runs = [run_of([question_record("one", "a", "a", answer_record(cited="a"))], name) for name in ("before", "after")]
    beside = side_by_side(runs)
    assert not {row.measure for row in beside.rows} & COST_MEASURES.keys()
    assert terminal.format_side_by_side(beside) == ""


def test_one_run_alone_is_not_compared() -> None:
    with pytest.raises(InputError, match="two runs"):
        side_by_side([run_of([question_record("one", "a", "a")], "alone")])
