"""The suite of forms is sound, and a broken line is refused."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import InputError
from assistant.schema import Paper
from eval.suites import SEEDS, load
from eval.suites.forms import Expectation, Form, FormQuestion, Policy, Side, load_forms

FILE = SEEDS / "forms.jsonl"
# Questions of each form, at least.
LEAST = {
    Form.FACT: 25,
    Form.DEFINITION: 12,
    Form.COMPARISON: 18,
    Form.YES_NO: 15,
    Form.LIST: 20,
    Form.SUMMARY: 10,
    Form.METADATA: 25,
    Form.ABSTAIN: 15,
    Form.PARTIAL: 6,
    Form.OTHER_LANGUAGE: 6,
}
# Questions about the library itself and about authors, who wrote papers on several topics.
LIBRARY = "library"
NOT_RECORDED = "not recorded"


@pytest.fixture(scope="module")
def questions() -> list[FormQuestion]:
    return load_forms(FILE)


def known_ids(question: FormQuestion) -> set[str]:
    """Return the ids of the papers that the question names."""
    sides = {paper for side in question.expectation.sides for paper in side.papers}
    return {*question.papers, *question.expectation.borderline, *sides}


def test_there_are_at_least_140_questions_and_enough_of_each_form(questions: list[FormQuestion]) -> None:
    counts = Counter(question.expectation.form for question in questions)
    assert len(questions) >= 140
    assert {form: counts[form] >= least for form, least in LEAST.items()} == dict.fromkeys(Form, True)


def test_both_halves_have_as_many_questions_of_each_form_give_or_take_one(questions: list[FormQuestion]) -> None:
    dev, test = (Counter(q.expectation.form for q in questions if q.split == split) for split in ("dev", "test"))
    assert dev.total() == test.total()
    assert all(abs(dev[form] - test[form]) <= 1 for form in Form)


def test_no_topic_is_in_both_halves(questions: list[FormQuestion]) -> None:
    dev, test = ({q.topic for q in questions if q.split == split} for split in ("dev", "test"))
    assert dev & test == {LIBRARY}


def test_hardly_any_paper_answers_questions_of_both_halves(questions: list[FormQuestion]) -> None:
    dev, test = (
        {paper for q in questions if q.split == split and q.topic != LIBRARY for paper in q.papers}
        for split in ("dev", "test")
    )
    assert len(dev & test) <= 0.05 * min(len(dev), len(test))


def test_no_question_is_asked_twice_here_or_in_another_suite(questions: list[FormQuestion]) -> None:
    others = [q.text for name in ("single", "multi", "unanswerable") for q in load(SEEDS / f"{name}.jsonl")]
    texts = [text.strip().casefold() for text in (*others, *(question.text for question in questions))]
    assert all(texts)
    assert len(set(texts)) == len(texts)


def test_every_paper_named_is_in_the_library(questions: list[FormQuestion], papers: dict[str, Paper]) -> None:
    assert {paper for question in questions for paper in known_ids(question)} <= set(papers)


def test_evidence_stands_verbatim_in_an_abstract_that_answers(
    questions: list[FormQuestion], papers: dict[str, Paper]
) -> None:
    missing = [
        (question.id, sentence)
        for question in questions
        for sentence in question.evidence
        if not any(sentence in papers[paper].abstract for paper in question.papers)
    ]
    assert missing == []


@pytest.mark.parametrize("form", [Form.FACT, Form.DEFINITION, Form.YES_NO, Form.SUMMARY, Form.OTHER_LANGUAGE])
def test_a_question_that_quotations_answer_has_papers_and_evidence(questions: list[FormQuestion], form: Form) -> None:
    for question in questions:
        if question.expectation.form is form:
            assert (question.id, bool(question.papers and question.evidence)) == (question.id, True)
            assert question.expectation.policy is Policy.ANSWER


def test_a_list_has_4_to_25_papers(questions: list[FormQuestion]) -> None:
    sizes = {q.id: len(q.papers) for q in questions if q.expectation.form is Form.LIST}
    assert {name: size for name, size in sizes.items() if not 4 <= size <= 25} == {}


def test_no_paper_is_both_relevant_and_borderline(questions: list[FormQuestion]) -> None:
    assert not any(question.papers & set(question.expectation.borderline) for question in questions)


def test_a_comparison_with_an_unknown_side_is_to_be_answered_in_part(questions: list[FormQuestion]) -> None:
    comparisons = [question for question in questions if question.expectation.sides]
    partial = [q for q in comparisons if not all(side.papers for side in q.expectation.sides)]
    assert len(partial) == 6
    assert all((q in partial) == (q.expectation.policy is Policy.PARTIAL) for q in comparisons)
    assert all(any(side.papers for side in q.expectation.sides) for q in comparisons)


def test_an_unknown_side_is_in_no_abstract(questions: list[FormQuestion], papers: dict[str, Paper]) -> None:
    unknown = [side.name for q in questions for side in q.expectation.sides if not side.papers]
    texts = [f"{paper.title} {paper.abstract}" for paper in papers.values()]
    assert [name for name in unknown if any(re.search(rf"\b{re.escape(name)}(?!\w)", text) for text in texts)] == []


def test_the_papers_of_a_side_count_as_right_where_they_are_cited(questions: list[FormQuestion]) -> None:
    for question in questions:
        for side in question.expectation.sides:
            assert set(side.papers) <= question.papers | set(question.expectation.borderline), question.id


def test_a_question_that_is_not_answered_has_no_paper(questions: list[FormQuestion]) -> None:
    refused = [question for question in questions if question.expectation.policy is Policy.ABSTAIN]
    assert {q.expectation.form for q in refused} == {Form.ABSTAIN, Form.METADATA}
    assert not any(known_ids(question) or question.expectation.strings for question in refused)


def test_what_the_catalog_should_say_is_true_of_it(questions: list[FormQuestion], papers: dict[str, Paper]) -> None:
    for question in questions:
        for string in question.expectation.strings:
            relevant = [papers[paper] for paper in question.papers] or list(papers.values())
            if string.isdigit():
                assert len(relevant) == int(string), question.id
            elif string == NOT_RECORDED:
                assert not any(paper.authors or paper.year or paper.venue for paper in relevant), question.id
            else:
                names = [name for paper in relevant for name in (*paper.authors, paper.title or "")]
                assert any(string in name for name in names), question.id


def test_every_paper_of_an_author_belongs_to_the_list(questions: list[FormQuestion], papers: dict[str, Paper]) -> None:
    authors = {author for paper in papers.values() for author in paper.authors}
    for question in questions:
        for author in authors & set(question.expectation.strings) if question.topic == LIBRARY else ():
            assert question.papers == {paper.id for paper in papers.values() if author in paper.authors}


# The loader

GOOD: dict[str, Any] = {
    "id": "1",
    "question": "Why?",
    "split": "dev",
    "form": "fact",
    "topic": "ice",
    "policy": "answer",
    "papers": ["a"],
}
SIDES = [{"name": "DPO", "papers": ["a"]}, {"name": "PPO", "papers": []}]


def suite(folder: Path, *rows: dict[str, Any]) -> Path:
    file = folder / "forms.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return file


def test_a_line_is_read_with_what_is_expected_of_its_answer(tmp_path: Path) -> None:
    row = GOOD | {"form": "comparison", "policy": "partial", "sides": SIDES, "borderline": ["b"], "expected": ["x"]}
    (question,) = load_forms(suite(tmp_path, row))
    assert (question.text, question.papers, question.group) == ("Why?", frozenset("a"), "comparison")
    assert question.expectation == Expectation(
        Form.COMPARISON, Policy.PARTIAL, ("b",), (Side("DPO", ("a",)), Side("PPO", ())), ("x",)
    )


@pytest.mark.parametrize(
    "bad",
    [
        *({key: value for key, value in GOOD.items() if key != missing} for missing in GOOD),
        GOOD | {"form": "poem"},
        GOOD | {"policy": "perhaps"},
        GOOD | {"form": "comparison"},
        GOOD | {"form": "comparison", "sides": SIDES[:1]},
        GOOD | {"sides": SIDES},
    ],
)
def test_a_malformed_line_is_refused_by_file_and_line(tmp_path: Path, bad: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"forms\.jsonl:2: not a valid line of this suite"):
        load_forms(suite(tmp_path, GOOD, bad))
