"""What a run asks: suites by name, folders, and a part of either that is always the same."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.errors import InputError
from eval.suites import Claim, Question, ScriptedDialog, selection
from eval.suites.selection import Suite
from tests.conftest import ROOT
from tests.evaluation import PAPERS, QUESTIONS, TALK, write, write_claims


@pytest.fixture
def science(tmp_path: Path) -> Path:
    return write_claims(tmp_path / "science")


def test_without_a_name_every_suite_over_the_seeds_is_asked() -> None:
    assert [(exam.name, exam.library) for exam in selection.read(())] == [
        (name, "seeds") for name in selection.OVER_SEEDS
    ]


def test_a_limit_takes_the_items_in_the_order_of_the_suite() -> None:
    (some,), (all_of_them,) = selection.read(["single"], limit=16), selection.read(["single"])
    assert [item for item in all_of_them.items if item in some.items] == list(some.items)


def test_a_greater_limit_keeps_the_items_of_a_smaller_one() -> None:
    (few,), (more,) = selection.read(["single"], limit=8), selection.read(["single"], limit=16)
    assert set(few.items) < set(more.items)


def test_a_small_part_of_a_suite_has_items_of_several_kinds() -> None:
    for exam in selection.read((), limit=16):
        kinds = {
            turn.group
            for item in exam.items
            if isinstance(item, ScriptedDialog | Question | Claim)
            for turn in (item.turns if isinstance(item, ScriptedDialog) else (item,))
        }
        assert len(exam.items) == 16
        assert len(kinds) > 1 or exam.name == "multi"


def test_a_limit_beyond_the_suite_takes_all_of_it() -> None:
    assert selection.read(["multi"], limit=10_000) == selection.read(["multi"])


def test_a_suite_named_twice_is_refused(science: Path) -> None:
    for names in (["single", "single"], [str(science), str(science)]):
        with pytest.raises(InputError, match="a suite is named twice"):
            selection.read(names)


def test_a_name_that_is_neither_a_folder_nor_a_suite_is_refused_with_the_suites_that_there_are() -> None:
    with pytest.raises(InputError, match="nonsense: neither a folder, a file, nor one of single, multi, unanswerable"):
        selection.read(["nonsense"])


def test_an_unknown_split_is_refused(science: Path) -> None:
    with pytest.raises(InputError, match="'train' is not one of dev, test"):
        selection.read(["single"], "train")
    with pytest.raises(InputError, match="no judged question of the split train"):
        selection.read([str(science)], "train")


def test_a_file_holds_questions_about_ones_own_library(tmp_path: Path) -> None:
    line = {"id": "q1", "question": "When?", "papers": ["ice"], "split": "dev", "kind": "missing paper"}
    (tmp_path / "judged.jsonl").write_text(json.dumps(line))
    (exam,) = selection.read([str(tmp_path / "judged.jsonl")])
    assert exam == Suite(
        "judged", (Question("q1", "When?", frozenset({"ice"}), "dev", "missing paper"),), selection.USER_LIBRARY
    )
    with pytest.raises(InputError, match="no question of the split test"):
        selection.read([str(tmp_path / "judged.jsonl")], "test")


@pytest.mark.parametrize("name", ["single", "seeds", "trust", "own"])
def test_a_folder_that_is_called_like_something_of_ours_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=f"paperchat itself uses the name {name}; rename the file or folder"):
        selection.read([str(write_claims(tmp_path / "elsewhere" / name))])


def test_a_folder_gives_its_questions_and_its_claims_over_its_own_papers(science: Path) -> None:
    questions, claims = selection.read([str(science)])
    assert (questions.name, claims.name) == ("science", "science-claims")
    assert questions.library == claims.library == "science"
    assert [paper.id for paper in questions.papers or ()] == ["ice", "bees", "bread"]
    assert [item.id for item in claims.items] == ["1-ice", "2-bees", "3-bread"]


def test_a_folder_is_known_by_its_own_name_however_it_is_reached(
    science: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(science)
    assert [exam.name for exam in selection.read(["."])] == ["science", "science-claims"]


def test_a_folder_without_evidence_gives_its_questions_alone(science: Path) -> None:
    (science / "evidence.tsv").unlink()
    assert [exam.name for exam in selection.read([str(science)])] == ["science"]


def test_a_fault_of_a_folder_is_named_with_file_and_line(science: Path) -> None:
    write(science / "evidence.tsv", ["1\tice\tSUPPORT\t2", "2\tbees\tPERHAPS\t3"])
    with pytest.raises(InputError, match=r"evidence\.tsv:2: not a judgement of a claim"):
        selection.read([str(science)])


def test_a_conversation_comes_to_a_record_for_each_turn() -> None:
    assert selection.record_ids(TALK) == ("talk-1", "talk-2", "talk-3")
    assert selection.record_ids(QUESTIONS[0]) == ("q-ice",)


def test_a_digest_tells_suites_apart_by_every_question_judgement_and_paper() -> None:
    exam = Suite("tiny", QUESTIONS, "tiny", PAPERS)
    others = [
        replace(exam, items=(replace(QUESTIONS[0], text="Why?"), *QUESTIONS[1:])),
        replace(exam, items=(replace(QUESTIONS[0], papers=frozenset({"ice", "bees"})), *QUESTIONS[1:])),
        replace(exam, items=(*QUESTIONS, TALK)),
        replace(exam, papers=(replace(PAPERS[0], title=None), *PAPERS[1:])),
    ]
    assert len({selection.digest(each) for each in (exam, *others)}) == 5


def test_what_a_limit_takes_and_its_digest_are_the_same_in_every_process() -> None:
    code = (
        "from eval.suites import selection; suite, = selection.read(['multi'], limit=9); "
        "print([item.id for item in suite.items], selection.digest(suite))"
    )
    elsewhere = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    (here,) = selection.read(["multi"], limit=9)
    assert elsewhere.stdout.strip() == f"{[item.id for item in here.items]} {selection.digest(here)}"
