"""The suites over the seeds are sound, and a broken suite is refused by file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import InputError
from assistant.schema import Paper
from eval.suites import SEEDS as SUITES
from eval.suites import Question, load, load_claims, load_dialogs

FILES = [SUITES / f"{name}.jsonl" for name in ("single", "multi", "unanswerable")]
DIALOGS, CLAIMS, FORMS = (SUITES / f"{name}.jsonl" for name in ("dialogs", "claims", "forms"))


@pytest.fixture(params=FILES, ids=lambda file: str(file.stem))
def questions(request: pytest.FixtureRequest) -> list[Question]:
    return load(request.param)


def test_every_file_is_a_suite_of_questions_dialogs_claims_or_forms() -> None:
    assert {*FILES, DIALOGS, CLAIMS, FORMS} == set(SUITES.glob("*.jsonl"))


def test_ids_are_unique_over_all_suites() -> None:
    ids = [question.id for file in FILES for question in load(file)]
    assert len(set(ids)) == len(ids)


def test_no_question_is_asked_twice_or_blank() -> None:
    texts = [question.text.strip().casefold() for file in FILES for question in load(file)]
    assert len(set(texts)) == len(texts)
    assert all(texts)


def test_every_question_is_of_the_dev_or_the_test_half(questions: list[Question]) -> None:
    assert {question.split for question in questions} == {"dev", "test"}


def test_a_split_is_its_half_and_both_are_the_whole(questions: list[Question]) -> None:
    file = SUITES / f"{questions[0].id.rsplit('-', 1)[0]}.jsonl"
    dev, test = load(file, "dev"), load(file, "test")
    assert {question.split for question in dev} == {"dev"}
    assert sorted(question.id for question in [*dev, *test]) == sorted(question.id for question in questions)


def test_every_paper_that_answers_is_in_the_library(questions: list[Question], papers: dict[str, Paper]) -> None:
    assert {paper for question in questions for paper in question.papers} <= set(papers)


def test_every_sentence_of_evidence_stands_in_an_abstract_that_answers(
    questions: list[Question], papers: dict[str, Paper]
) -> None:
    lost = [
        (question.id, sentence)
        for question in questions
        for sentence in question.evidence
        if not any(sentence in papers[paper].abstract for paper in question.papers)
    ]
    assert lost == []


def test_a_question_of_several_papers_has_two_to_five_and_evidence_from_each(papers: dict[str, Paper]) -> None:
    for question in load(SUITES / "multi.jsonl"):
        assert 2 <= len(question.papers) <= 5
        silent = [
            paper for paper in question.papers if not any(each in papers[paper].abstract for each in question.evidence)
        ]
        assert (question.id, silent) == (question.id, [])


def test_every_turn_of_a_dialog_has_its_papers_and_their_sentences(papers: dict[str, Paper]) -> None:
    for dialog in load_dialogs(DIALOGS):
        assert 3 <= len(dialog.turns) <= 4
        assert dialog.turns[0].group == "alone"
        for turn in dialog.turns:
            texts = [papers[paper].abstract for paper in turn.papers]
            assert texts
            assert all(any(sentence in text for text in texts) for sentence in turn.evidence)


def test_dialogs_hold_turns_that_need_history_turns_that_do_not_and_switches() -> None:
    groups = [turn.group for dialog in load_dialogs(DIALOGS) for turn in dialog.turns]
    assert {group: groups.count(group) >= 25 for group in set(groups)} == dict.fromkeys(
        ("history", "alone", "switch"), True
    )


def test_every_claim_is_about_a_paper_and_its_evidence_stands_there(papers: dict[str, Paper]) -> None:
    claims = load_claims(CLAIMS)
    assert all(sentence in papers[claim.paper].abstract for claim in claims for sentence in claim.evidence)
    assert all(claim.evidence for claim in claims)
    assert sum(claim.supported for claim in claims) * 2 == len(claims) == 80


@pytest.mark.parametrize("split", ["dev", "test"])
def test_dialogs_and_claims_are_halved_too(split: str) -> None:
    assert abs(2 * len(load_dialogs(DIALOGS, split)) - len(load_dialogs(DIALOGS))) <= 1
    claims = load_claims(CLAIMS, split)
    assert len(claims) == 40
    assert 15 <= sum(claim.supported for claim in claims) <= 25


def test_every_paper_has_exactly_one_question_of_its_own(papers: dict[str, Paper]) -> None:
    question_record = [paper for question in load(SUITES / "single.jsonl") for paper in question.papers]
    assert len(papers) == 278
    assert sorted(question_record) == sorted(papers)


def test_every_answerable_question_has_evidence_and_every_other_has_no_paper() -> None:
    assert all(question.evidence and question.papers for question in load(SUITES / "single.jsonl"))
    assert not any(question.evidence or question.papers for question in load(SUITES / "unanswerable.jsonl"))


# The loader

GOOD: dict[str, Any] = {"id": "1", "question": "Why?", "papers": ["a"], "split": "dev"}


def suite(folder: Path, *rows: Any) -> Path:
    file = folder / "suite.jsonl"
    file.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return file


def test_a_question_has_its_group_from_difficulty_or_kind(tmp_path: Path) -> None:
    rows = [GOOD, GOOD | {"id": "2", "difficulty": "hard", "evidence": ["E."]}, GOOD | {"id": "3", "kind": "near"}]
    assert load(suite(tmp_path, *rows)) == [
        Question("1", "Why?", frozenset("a"), "dev", "all"),
        Question("2", "Why?", frozenset("a"), "dev", "hard", ("E.",)),
        Question("3", "Why?", frozenset("a"), "dev", "near"),
    ]


@pytest.mark.parametrize(
    "bad",
    [
        "{",
        "[]",
        "3",
        '"text"',
        "null",
        *({k: v for k, v in GOOD.items() if k != key} for key in GOOD),
        GOOD | {"papers": 1},
    ],
)
def test_a_line_that_is_no_question_is_refused_by_file_and_line(tmp_path: Path, bad: Any) -> None:
    file = suite(tmp_path, GOOD, "", bad)
    with pytest.raises(InputError, match="not a valid line of this suite") as refused:
        load(file)
    assert (refused.value.source, refused.value.line) == (str(file), 3)


def test_an_id_met_twice_is_refused_by_file_and_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"suite\.jsonl:2: the id 1 is used twice"):
        load(suite(tmp_path, GOOD, GOOD))


def test_an_id_met_twice_is_refused_although_one_is_of_another_split(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="used twice"):
        load(suite(tmp_path, GOOD, GOOD | {"split": "test"}), "dev")


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_a_suite_without_questions_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="has no question"):
        load(suite(tmp_path, text))


def test_a_suite_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.jsonl: cannot be read"):
        load(tmp_path / "none.jsonl")


def test_a_suite_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "suite.jsonl"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"suite\.jsonl"):
        load(file)


@pytest.mark.parametrize("split", ["dve", "", None])
def test_a_question_of_no_half_is_refused_by_file_and_line(tmp_path: Path, split: Any) -> None:
    with pytest.raises(InputError, match=r"suite\.jsonl:1"):
        load(suite(tmp_path, GOOD | {"split": split}))


def test_a_claim_that_is_neither_supported_nor_not_is_refused_by_file_and_line(tmp_path: Path) -> None:
    claim = {"id": "1", "claim": "Ice melts.", "paper": "a", "kind": "number", "split": "dev"}
    file = suite(tmp_path, claim | {"supported": True}, claim | {"id": "2", "supported": "yes"})
    with pytest.raises(InputError, match=r"suite\.jsonl:2: .*supported must be true or false"):
        load_claims(file)


def test_a_turn_without_a_question_is_refused_by_file_and_line(tmp_path: Path) -> None:
    turn = {"question": "Why?", "papers": ["a"], "needs_history": False, "kind": "first"}
    silent = {"papers": ["a"], "needs_history": True, "kind": "pronoun"}
    file = suite(tmp_path, {"id": "1", "split": "dev", "turns": [turn, silent]})
    with pytest.raises(InputError, match=r"suite\.jsonl:1"):
        load_dialogs(file)
