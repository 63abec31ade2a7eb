"""The suites over the annotated abstracts: what is written of the data, by which parts, and what is refused."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from assistant.errors import InputError
from eval.suites import (
    ABSTRACTS,
    Claim,
    LabelledMessage,
    Question,
    RewrittenDialog,
    annotated,
    load,
    load_claims,
    load_messages,
    load_rewritten,
    parts,
    selection,
)
from eval.suites.selection import OVER_ABSTRACTS, Suite
from eval.training import question_style
from tests.evaluation import write

ABSTRACT: dict[str, Any] = {
    "id": "arxiv:1",
    "title": "",
    "abstract": "Ice melts fast. Bees dance.",
    "sentences": ["Ice melts fast.", "Bees dance."],
    "split": "dev",
    "questions": [{"text": "How fast does ice melt?", "level": "easy", "sentences": [0]}],
    "near_misses": ["Where does ice melt?"],
    "claims": [
        {"text": "Ice melts slowly.", "label": "contradicted", "sentences": [0], "kind": "entity", "wording": "close"},
        {"text": "Bees sing.", "label": "not stated", "sentences": [1], "kind": "unstated", "wording": "paraphrased"},
    ],
}
MESSAGE = {"q": "thanks a lot", "intent": "chitchat"}
DIALOG = {"turns": [{"q": "How do bees dance?", "standalone": "How do bees dance?", "kind": "new"}]}


def abstracts(count: int) -> list[dict[str, Any]]:
    """Abstracts of the split `train`, and one of dev."""
    others = [ABSTRACT | {"id": f"arxiv:{number}", "split": "train"} for number in range(2, count + 1)]
    return [ABSTRACT, *others]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of data, and a style by length in the place of the encoder's."""

    def lengths(texts: Sequence[str]) -> NDArray[np.float64]:
        return np.array([[len(text)] for text in texts], dtype=np.float64)

    monkeypatch.setattr(question_style, "_encode", lengths)
    write(tmp_path / "annotated.jsonl.gz", abstracts(10))
    write(tmp_path / "intent.jsonl", [MESSAGE, *({"q": f"q{number}", "intent": "fact"} for number in range(20))])
    write(tmp_path / "dialogs.jsonl", [DIALOG])
    return tmp_path


# Parts


def test_an_abstract_of_dev_stays_there_and_a_fifth_of_train_is_test() -> None:
    names = [f"arxiv:{number}" for number in range(500)]
    assert {parts.part_of_abstract(name, "dev") for name in names} == {"dev"}
    test = [name for name in names if parts.part_of_abstract(name, "train") == "test"]
    assert test == [name for name in names if zlib.crc32(name.encode()) % 5 == 0]
    assert {parts.part_of_abstract(name, "train") for name in names} == {"train", "test"}


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(ValueError, match="'tset' is neither train nor dev"):
        parts.part_of_abstract("arxiv:1", "tset")


def test_texts_are_divided_by_their_hash() -> None:
    texts = [f"text {number}" for number in range(100)]
    remainders = {
        part: {zlib.crc32(t.encode()) % 5 for t in texts if parts.part_of_text(t) == part} for part in parts.PARTS
    }
    assert remainders == {"test": {0}, "dev": {1}, "train": {2, 3, 4}}


# Writing


def test_every_abstract_is_a_paper_but_only_dev_and_test_are_asked_about(data: Path, tmp_path: Path) -> None:
    counts = annotated.write(data, tmp_path / "suites")
    assert counts["papers"] == 10
    questions = load(tmp_path / "suites" / "questions.jsonl.gz")
    assert len(questions) == counts["questions"] == counts["near"] == counts["claims"] / 2 < 10
    assert {question.split for question in questions} == {"dev", "test"}


def test_questions_claims_and_near_misses_keep_what_was_annotated(data: Path, tmp_path: Path) -> None:
    annotated.write(data, tmp_path / "suites")
    question, *_ = load(tmp_path / "suites" / "questions.jsonl.gz", "dev")
    assert (question.text, question.group) == ("How fast does ice melt?", "easy")
    assert question.papers == {"arxiv:1"}
    assert question.evidence == ("Ice melts fast.",)
    near, *_ = load(tmp_path / "suites" / "near.jsonl.gz", "dev")
    assert (near.text, near.papers, near.group) == ("Where does ice melt?", frozenset(), "all")
    contradicted, not_stated = load_claims(tmp_path / "suites" / "claims.jsonl.gz", "dev")
    assert contradicted == Claim(
        "arxiv:1-c1",
        "Ice melts slowly.",
        "arxiv:1",
        supported=False,
        split="dev",
        group="entity",
        evidence=("Ice melts fast.",),
        label="contradicted",
        wording="close",
    )
    assert (not_stated.label, not_stated.wording) == ("not stated", "paraphrased")


def test_the_style_of_a_question_is_a_probability_that_no_other_question_about_its_abstract_taught(data: Path) -> None:
    rows = [annotated._annotated(row) for row in abstracts(10)]
    questions, near = question_style.add_style(
        annotated._about(rows, annotated.question_rows), annotated._about(rows, annotated.near_miss_rows)
    )
    assert all(0 <= line["style"] <= 1 for line in (*questions, *near))
    assert min(line["style"] for line in questions) > 0.5 > max(line["style"] for line in near)


def test_the_same_data_make_the_same_files(data: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        annotated.write(data, tmp_path / name)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"questions": [{"text": "?", "level": "hrad", "sentences": [0]}]}, "'hrad' is not one of easy, medium, hard"),
        ({"questions": [{"text": "?", "level": "hard", "sentences": [2]}]}, "list index out of range"),
        ({"questions": [{"text": "?", "level": "hard", "sentences": [-1]}]}, "a negative index"),
        ({"claims": [{**ABSTRACT["claims"][0], "label": "true"}]}, "'true' is not one of supported"),
        ({"claims": [{**ABSTRACT["claims"][0], "wording": "far"}]}, "'far' is not one of close"),
        ({"split": "test"}, "'test' is neither train nor dev"),
        ({"questions": None}, "TypeError"),
    ],
)
def test_a_bad_abstract_is_refused_by_file_and_line(tmp_path: Path, change: dict[str, Any], complaint: str) -> None:
    write(tmp_path / "annotated.jsonl.gz", [ABSTRACT, deepcopy(ABSTRACT) | {"id": "arxiv:2"} | change])
    with pytest.raises(InputError, match=rf"annotated\.jsonl\.gz:2: not a valid line of this file.*({complaint})"):
        annotated.read_annotated(tmp_path / "annotated.jsonl.gz")


def test_a_line_that_is_not_json_and_a_missing_file_are_refused_by_name(tmp_path: Path) -> None:
    write(tmp_path / "annotated.jsonl", [ABSTRACT, "{"])
    with pytest.raises(InputError, match=r"annotated\.jsonl:2: not JSON"):
        annotated.read_annotated(tmp_path / "annotated.jsonl")
    with pytest.raises(InputError, match=r"nowhere\.jsonl: cannot be read"):
        annotated.read_annotated(tmp_path / "nowhere.jsonl")


@pytest.mark.parametrize(
    ("file", "line", "complaint"),
    [("intent.jsonl", {"q": "hello"}, "KeyError"), ("dialogs.jsonl", {"turns": []}, "IndexError")],
)
def test_a_bad_message_or_conversation_is_refused_by_file_and_line(
    data: Path, tmp_path: Path, file: str, line: dict[str, Any], complaint: str
) -> None:
    write(data / file, [line])
    with pytest.raises(InputError, match=rf"{file}:1: not a valid line of this file: {complaint}"):
        annotated.write(data, tmp_path / "suites")


def test_the_command_tells_what_it_wrote_or_what_is_wrong(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(annotated.write, "__defaults__", (data / "suites",))
    assert annotated.main([str(data)]) == 0
    assert "papers          10" in capsys.readouterr().out
    assert annotated.main([str(data / "nowhere")]) == 1
    assert "annotated.jsonl.gz: cannot be read" in capsys.readouterr().err
    assert annotated.main([]) == 2


# Reading


@pytest.fixture(scope="module")
def suites() -> list[Suite]:
    return selection.read(["abstracts"])


def test_abstracts_names_all_suites_over_one_library(suites: list[Suite]) -> None:
    assert tuple(suite.name for suite in suites) == OVER_ABSTRACTS
    assert {suite.library for suite in suites} == {"abstracts"}
    assert {len(suite.papers or ()) for suite in suites} == {899}


def test_the_seeds_stay_the_default() -> None:
    assert [suite.name for suite in selection.read((), limit=1)] == list(selection.OVER_SEEDS)


def test_every_question_and_claim_is_about_a_paper_with_its_evidence(suites: list[Suite]) -> None:
    abstracts_by_id = {paper.id: paper.abstract for paper in suites[0].papers or ()}
    for suite in suites:
        for item in suite.items:
            if isinstance(item, Question | Claim):
                papers = item.papers if isinstance(item, Question) else {item.paper}
                texts = [abstracts_by_id[paper] for paper in papers]
                assert all(any(sentence in text for text in texts) for sentence in item.evidence)


def test_every_part_of_every_suite_has_items(suites: list[Suite]) -> None:
    for suite in suites:
        assert {item.split for item in suite.items} == {"dev", "test"}


def test_questions_have_a_style_and_claims_a_label_and_a_wording(suites: list[Suite]) -> None:
    items = [item for suite in suites for item in suite.items]
    assert all(item.style is not None for item in items if isinstance(item, Question))
    claims = [item for item in items if isinstance(item, Claim)]
    assert {claim.label for claim in claims} == set(annotated.LABELS)
    assert all(claim.supported is (claim.label == "supported") for claim in claims)


def test_the_files_are_small() -> None:
    assert sum(file.stat().st_size for file in ABSTRACTS.iterdir()) < 1_500_000


def test_research_is_told_from_the_rest() -> None:
    messages = load_messages(ABSTRACTS / "intents.jsonl.gz")
    research = {message.intent for message in messages if message.is_research}
    assert {"fact", "claim", "followup", "metadata"} <= research
    assert not research & {"chitchat", "noise", "injection", "off_topic", "meta_assistant"}


@pytest.mark.parametrize(
    "turn", [{"question": "Why?", "standalone": "Why?", "kind": "other"}, {"question": "Why?", "kind": "new"}]
)
def test_a_bad_turn_is_refused_by_file_and_line(tmp_path: Path, turn: dict[str, str]) -> None:
    write(tmp_path / "dialogs.jsonl", [{"id": "d", "split": "dev", "turns": [turn]}])
    with pytest.raises(InputError, match=r"dialogs\.jsonl:1: not a valid line of this suite"):
        load_rewritten(tmp_path / "dialogs.jsonl")


def test_a_bad_message_is_refused_by_file_and_line(tmp_path: Path) -> None:
    write(tmp_path / "intents.jsonl.gz", [{"id": "m", "split": "dev", "message": "hello"}])
    with pytest.raises(InputError, match=r"intents\.jsonl\.gz:1: not a valid line of this suite: KeyError"):
        load_messages(tmp_path / "intents.jsonl.gz")


# Smaller libraries


def test_a_smaller_library_has_the_papers_of_the_items_and_is_shared() -> None:
    few = selection.with_fewer_papers(selection.read(["abstracts-questions", "abstracts-claims"], limit=5))
    first, second = (suite.papers or () for suite in few)
    assert first == second
    assert len(first) <= 60 + 10
    ids = {paper.id for paper in first}
    for suite in few:
        for item in suite.items:
            assert not isinstance(item, Question) or item.papers <= ids
            assert not isinstance(item, Claim) or item.paper in ids


def test_a_library_without_papers_of_its_own_stays_as_it_is() -> None:
    suites = selection.read(["single"], limit=2)
    assert selection.with_fewer_papers(suites) == suites


def test_records_of_a_conversation_have_the_ids_of_its_turns(suites: list[Suite]) -> None:
    dialog = next(item for item in suites[-1].items if isinstance(item, RewrittenDialog))
    assert selection.record_ids(dialog) == tuple(turn.id for turn in dialog.turns)
    message = next(item for item in suites[-2].items if isinstance(item, LabelledMessage))
    assert selection.record_ids(message) == (message.id,)
