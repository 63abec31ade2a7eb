"""The measures of form and content, worked out by hand on small answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import InputError
from assistant.schema import Strength
from eval import measures
from eval.compare import compare
from eval.measures.forms import FORM_MEASURES
from eval.report import page
from eval.runs import storage
from eval.runs.answer_records import AnswerRecord, RowRecord, TableRecord
from eval.runs.records import QuestionRecord, from_json, to_json
from eval.suites.forms import Expectation, Form, Policy, Side
from tests.evaluation import answer_record, question_record, run_of, sentence_record

SIDES = (Side("DPO", ("a", "b")), Side("PPO", ("c",)))
HALF_KNOWN = (Side("DPO", ("a",)), Side("ORPO", ()))


def asked(
    answer: AnswerRecord | None,
    form: Form = Form.FACT,
    policy: Policy = Policy.ANSWER,
    papers: str = "a",
    evidence: tuple[str, ...] = (),
    **expected: Any,
) -> QuestionRecord:
    """Return the record of a question of a form; without an answer it failed."""
    record = question_record(
        "q", papers, answer=answer, suite="forms", group=form, evidence=evidence, error=None if answer else "timed out"
    )
    return replace(record, expectation=Expectation(form, policy, **expected))


def table(*rows: RowRecord, columns: tuple[str, ...] = ("authors",)) -> TableRecord:
    return TableRecord(columns, rows, len(rows))


ABSTENTION = replace(answer_record(Strength.NONE), nearest=("z",))


@pytest.mark.parametrize(("intent", "value"), [("list", 1.0), ("fact", 0.0), ("", 0.0)])
def test_a_form_is_recognised_if_the_intent_of_the_answer_is_it(intent: str, value: float) -> None:
    assert FORM_MEASURES["form recognised"](asked(replace(answer_record(), intent=intent), Form.LIST)) == value


@pytest.mark.parametrize("form", [Form.ABSTAIN, Form.PARTIAL, Form.OTHER_LANGUAGE])
def test_a_form_that_says_how_hard_a_question_is_is_no_intent(form: Form) -> None:
    assert FORM_MEASURES["form recognised"](asked(answer_record(), form)) is None


@pytest.mark.parametrize(
    ("policy", "strength", "value"),
    [
        (Policy.ANSWER, Strength.FIRM, 1.0),
        (Policy.ANSWER, Strength.TENTATIVE, 0.0),
        (Policy.ANSWER, Strength.NONE, 0.0),
        (Policy.PARTIAL, Strength.TENTATIVE, 1.0),
        (Policy.PARTIAL, Strength.FIRM, 0.0),
        (Policy.ABSTAIN, Strength.NONE, 1.0),
        (Policy.ABSTAIN, Strength.TENTATIVE, 0.0),
    ],
)
def test_the_policy_is_kept_if_the_strength_is_the_expected_one(
    policy: Policy, strength: Strength, value: float
) -> None:
    answer = replace(answer_record(strength), nearest=("z",))
    assert FORM_MEASURES["policy kept"](asked(answer, policy=policy)) == value


@pytest.mark.parametrize(("sentences", "value"), [(0, 1.0), (2, 1.0), (3, 0.0)])
def test_a_partial_answer_has_at_most_two_sentences(sentences: int, value: float) -> None:
    answer = answer_record(Strength.TENTATIVE, "a", sentences=[sentence_record(1)] * sentences)
    record = asked(answer, Form.PARTIAL, Policy.PARTIAL)
    assert (FORM_MEASURES["partial in two sentences"](record), FORM_MEASURES["policy kept"](record)) == (value, value)
    assert FORM_MEASURES["abstention plain"](record) is None


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        (ABSTENTION, 1.0),
        (replace(ABSTENTION, nearest=()), 0.0),
        (replace(ABSTENTION, cited=answer_record(cited="a").cited), 0.0),
        (replace(ABSTENTION, sentences=(sentence_record(1),)), 0.0),
    ],
)
def test_an_abstention_quotes_nothing_and_names_the_nearest_papers(answer: AnswerRecord, value: float) -> None:
    record = asked(answer, Form.ABSTAIN, Policy.ABSTAIN, papers="")
    assert (FORM_MEASURES["abstention plain"](record), FORM_MEASURES["policy kept"](record)) == (value, value)
    assert FORM_MEASURES["partial in two sentences"](record) is None


def test_cited_papers_are_right_if_relevant_or_borderline_and_each_counts_once() -> None:
    record = asked(answer_record(cited="abxy"), papers="a", borderline=("b",))
    assert FORM_MEASURES["gold paper cited"](record) == 1.0
    assert FORM_MEASURES["cited papers right"](record) == 0.5


def test_a_borderline_paper_alone_is_no_gold_paper() -> None:
    assert FORM_MEASURES["gold paper cited"](asked(answer_record(cited="b"), papers="a", borderline=("b",))) == 0.0


def test_the_recall_of_a_list_counts_citations_and_rows_and_misses_no_borderline_paper() -> None:
    answer = replace(answer_record(cited="a"), table=table(RowRecord("b", "B", ()), RowRecord("x", "X", ())))
    record = asked(answer, Form.LIST, papers="abcd", borderline=("e",))
    assert FORM_MEASURES["list recall"](record) == 0.5
    assert FORM_MEASURES["list precision"](record) == pytest.approx(2 / 3)
    assert FORM_MEASURES["cited papers right"](record) is None


def test_a_refused_list_has_no_recall_and_no_precision() -> None:
    record = asked(ABSTENTION, Form.LIST, papers="ab")
    assert (FORM_MEASURES["list recall"](record), FORM_MEASURES["list precision"](record)) == (0.0, None)


@pytest.mark.parametrize(("cited", "value"), [("ac", 1.0), ("abc", 1.0), ("ab", 0.0), ("", 0.0)])
def test_both_sides_of_a_comparison_are_cited(cited: str, value: float) -> None:
    record = asked(answer_record(cited=cited), Form.COMPARISON, papers="abc", sides=SIDES)
    assert FORM_MEASURES["both sides cited"](record) == value


def test_a_side_that_the_library_does_not_know_need_not_be_cited() -> None:
    record = asked(answer_record(cited="a"), Form.COMPARISON, Policy.PARTIAL, sides=HALF_KNOWN)
    assert FORM_MEASURES["both sides cited"](record) == 1.0


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        (answer_record(text="By Danqi  CHEN."), 0.5),
        (answer_record(text="By Danqi Chen: 3 papers."), 1.0),
        (answer_record(text="Three papers are by Danqi Chen."), 1.0),
        (answer_record(text="By Danqi Chenoweth: 31 papers."), 0.0),
        (replace(answer_record(), opening="3 papers", table=table(RowRecord("a", "A", ("Danqi Chen", None)))), 1.0),
        (replace(answer_record(), table=table(RowRecord("a", "3 Danqi Chen", ()))), 1.0),
        (replace(answer_record(Strength.NONE), reason="3 papers, none of Danqi Chen"), 1.0),
        (answer_record(cited="a", passages=["Danqi Chen wrote 3."]), 0.0),
    ],
)
def test_expected_text_is_looked_for_as_whole_words_in_text_reason_and_table(
    answer: AnswerRecord, value: float
) -> None:
    record = asked(answer, Form.METADATA, strings=("Danqi Chen", "3"))
    assert FORM_MEASURES["expected text shown"](record) == value


def test_a_question_that_failed_scores_zero_wherever_it_applies() -> None:
    failed = asked(None, Form.COMPARISON, evidence=("Ice.",), sides=SIDES, strings=("x",))
    found = {name: measure(failed) for name, measure in FORM_MEASURES.items()}
    assert {name for name, value in found.items() if value == 0.0} == {
        "form recognised",
        "policy kept",
        "gold paper cited",
        "gold sentence quoted",
        "both sides cited",
        "expected text shown",
    }
    assert {value for value in found.values() if value} == set()


def test_a_search_alone_has_no_figure_of_form() -> None:
    searched = replace(asked(None), error=None, only_search=True)
    assert {measure(searched) for measure in FORM_MEASURES.values()} == {None}


def test_the_table_of_a_suite_of_forms_has_its_own_measures_by_form_and_no_trust() -> None:
    right = replace(answer_record(cited="a", text="It melts [1]."), intent="fact")
    figures = measures.figures(
        [asked(right), replace(asked(ABSTENTION, Form.ABSTAIN, Policy.ABSTAIN, papers=""), id="r")]
    )
    assert figures.keys() == {"forms"}
    assert figures["forms"]["policy kept"] == {"all": 1.0, "fact": 1.0, "abstain": 1.0}
    assert figures["forms"]["gold paper cited"] == {"all": 1.0, "fact": 1.0}
    assert {"R@5", "refused", "answered"}.isdisjoint(figures["forms"])


def test_a_record_with_an_expectation_is_read_as_it_was_written(tmp_path: Path) -> None:
    answer = replace(answer_record(cited="a"), intent="comparison", table=table(RowRecord("a", None, ("x", None))))
    record = asked(answer, Form.COMPARISON, Policy.PARTIAL, sides=SIDES, borderline=("b",), strings=("x",))
    assert from_json(to_json(record)) == record
    with storage.recording(tmp_path, run_of([record]).description) as (_, append):
        append([record])
    assert storage.load(tmp_path, "one").records == (record,)


def test_runs_that_expect_different_answers_are_not_compared() -> None:
    first, second = asked(answer_record()), asked(answer_record(), policy=Policy.ABSTAIN)
    with pytest.raises(InputError, match="differ"):
        compare(run_of([first]), run_of([second], "two"))


def test_the_page_of_a_run_names_a_broken_policy() -> None:
    text = page([run_of([asked(answer_record(cited="a"), Form.ABSTAIN, Policy.ABSTAIN, papers="")])])
    assert "answered, answered in part or refused by mistake" in text
    assert "policy kept" in text
