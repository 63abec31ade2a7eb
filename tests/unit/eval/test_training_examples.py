"""What the pair reader is trained on: read with clear errors, in parts that share nothing, and mixed by seed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant.errors import InputError
from eval.training import examples, hard_negatives, mixture
from eval.training.examples import (
    CLAIM_SETS,
    CONTRADICTED,
    MEASURED_SETS,
    NOT_STATED,
    QUESTION_SETS,
    SUPPORTED,
    Example,
)
from tests.training_data import ABSTRACTS, write, write_contrasts, write_training_data


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a few lines of every set that a training reads."""
    monkeypatch.setattr(examples, "CONTRASTS", (write_contrasts(tmp_path),))
    return write_training_data(tmp_path)


def encode(texts: list[str]) -> Any:
    """Return unit vectors of letters."""
    vectors = np.array([[text.count(letter) + 0.01 for letter in "abcdefghijklmnop0123456789"] for text in texts])
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def sources(data: Path) -> mixture.Sources:
    return mixture.read_sources(data, *hard_negatives.find_nearest(data, encode))


# Reading


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
@pytest.mark.parametrize(
    ("line", "complaint"),
    [("{", "not JSON"), ("[]", "not an object"), ('{"id": 1}', "the object lacks text, label")],
)
def test_a_bad_line_is_an_error_that_names_file_and_line(tmp_path: Path, name: str, line: str, complaint: str) -> None:
    file = write(tmp_path / name, [{"id": 0, "text": "a", "label": "S"}, line])
    with pytest.raises(InputError, match=rf"{name}:2: {complaint}"):
        list(examples.read_lines(file, "id", "text", "label"))


def test_a_missing_or_damaged_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    rows = [{"id": number} for number in range(2000)]
    cut = write(tmp_path / "cut.jsonl.gz", rows)
    cut.write_bytes(cut.read_bytes()[:-200])
    (tmp_path / "latin.jsonl").write_bytes('{"id": "é"}'.encode("latin-1"))
    (tmp_path / "plain.jsonl.gz").write_text("{}")
    for name in ("gone.jsonl", "cut.jsonl.gz", "latin.jsonl", "plain.jsonl.gz"):
        with pytest.raises(InputError, match=rf"{name}: cannot be read .*copy the data again"):
            list(examples.read_lines(tmp_path / name))


def test_an_unknown_label_is_an_error_that_names_the_labels(data: Path) -> None:
    write(data / "judge" / "nli" / "snli.jsonl.gz", [{"claim": "a", "evidence": "b", "label": "X"}])
    with pytest.raises(InputError, match="snli: 'X' is not a label; name one of R, N, S"):
        list(examples.public_examples(data, {"snli": 9}, "nli"))


def test_a_bad_line_of_the_evidence_is_an_error_that_names_file_and_line(data: Path) -> None:
    write(data / "scifact" / "evidence.tsv", ["1\t0\tSUPPORT\t2", "1\t0\tSUPPORT"])
    with pytest.raises(InputError, match=r"evidence\.tsv:2: "):
        list(examples.science_claims(data, "train"))


def test_of_a_public_set_at_most_so_many_are_taken_always_the_same(data: Path) -> None:
    first, again = (list(examples.public_examples(data, {"snli": 4, "fm2": 0}, "nli")) for _ in range(2))
    assert len(first) == 4
    assert first == again
    assert {example.group for example in first} == {"snli"}


def test_the_only_sentence_with_the_answer_is_the_evidence(data: Path) -> None:
    answered, unanswered = examples.public_examples(data, {"qasper": 9}, "qa")
    if not answered.answers:
        answered, unanswered = unanswered, answered
    assert (answered.answers, answered.evidence) == (True, (1,))
    assert (unanswered.answers, unanswered.evidence) == (False, None)


def test_labels_of_science_claims_come_with_their_sentences_and_cited_papers_without_one_state_nothing(
    data: Path,
) -> None:
    claims = list(examples.science_claims(data, "train"))
    assert [(claim.query, claim.support, claim.evidence) for claim in claims] == [
        ("claim 1", SUPPORTED, (0, 1, 2)),
        ("claim 2", CONTRADICTED, (1,)),
        ("claim 1", NOT_STATED, None),
    ]


def test_an_annotated_abstract_yields_its_claims_questions_and_near_misses(data: Path) -> None:
    paper = examples.read_annotated(data)[1]
    assert [(claim.support, claim.evidence) for claim in examples.claims_of(paper)] == [
        (SUPPORTED, (1,)),
        (CONTRADICTED, (1,)),
        (NOT_STATED, None),
    ]
    assert [(question.answers, question.evidence) for question in examples.questions_of(paper)] == [
        (True, (1,)),
        (False, None),
    ]


# Parts


def test_the_parts_of_the_annotated_abstracts_share_nothing_and_stay_the_same(data: Path) -> None:
    papers = examples.read_annotated(data)
    parts = {part: {paper.id for paper in papers if paper.part == part} for part in ("train", "dev", "test")}
    assert sum(map(len, parts.values())) == len(set.union(*parts.values())) == ABSTRACTS
    assert all(parts.values())
    assert parts == {
        part: {paper.id for paper in examples.read_annotated(data) if paper.part == part} for part in parts
    }
    assert len(parts["train"]) > 3 * len(parts["test"]) / 2


def test_nothing_that_is_measured_is_trained_on(data: Path, sources: mixture.Sources) -> None:
    measured = {paper.sentences for paper in examples.read_annotated(data) if paper.part != "train"}
    drawn = [example for seed in range(5) for example in mixture.epoch(sources, seed)]
    for example in drawn:
        assert example.sentences not in measured
        assert example.sentences[1:] not in measured
    held_back = [paper for paper in examples.read_annotated(data) if paper.part != "train"]
    assert not {paper.id for paper in sources.papers} & {paper.id for paper in (*held_back, *examples.contrasts("dev"))}
    assert "claim 3" not in {example.query for example in drawn}
    assert not any(mixture.held_back_title(title) for title, _ in sources.unanswered)
    assert 0 < len(sources.unanswered) < 8
    assert "Do cells 9 die?" not in {example.query for example in drawn}
    assert not {*CLAIM_SETS, *QUESTION_SETS} & {*MEASURED_SETS}


def test_the_contrasting_claims_come_in_pairs_of_a_true_and_a_false_one() -> None:
    train, dev = examples.contrasts("train"), examples.contrasts("dev")
    assert (len(train), len(dev)) == (250 + 1352, 110 + 148)
    assert not {paper.id for paper in train} & {paper.id for paper in dev}
    assert not {paper.sentences for paper in train} & {paper.sentences for paper in dev}
    for paper in (*train, *dev):
        labels = [claim.support for claim in examples.claims_of(paper)]
        assert labels.count(CONTRADICTED) == labels.count(SUPPORTED)


def test_what_is_said_of_an_abstract_names_sentences_that_it_has() -> None:
    levels = Counter[str]()
    for paper in (*examples.contrasts("train"), *examples.contrasts("dev")):
        positions = range(len(paper.sentences))
        for example in (*examples.questions_of(paper), *examples.claims_of(paper)):
            assert example.query.strip()
            assert set(example.evidence or ()) <= set(positions), paper.id
            assert example.evidence or not example.answers
        levels.update(str(question.group) for question in examples.questions_of(paper))
    assert levels == {"medium": 360 + 1500, "hard": 360 + 2999, "near miss": 720 + 1500}


def test_a_question_is_written_once() -> None:
    papers = (*examples.contrasts("train"), *examples.contrasts("dev"))
    questions = [question.query.casefold() for paper in papers for question in examples.questions_of(paper)]
    assert len(set(questions)) == len(questions)


# Wrong papers


def test_a_query_s_own_paper_is_not_among_its_wrong_ones(data: Path) -> None:
    nearest, many = hard_negatives.find_nearest(data, encode)
    papers = examples.training_abstracts(data)
    owners = [number for number, paper in enumerate(papers) for _ in paper.claims]
    assert len(nearest["claims"]) == len(owners)
    assert all(owner not in row for owner, row in zip(owners, nearest["claims"], strict=True))
    askers = [number for number, paper in enumerate(papers) for _ in paper.questions]
    assert all(owner not in row for owner, row in zip(askers, nearest["questions"], strict=True))
    assert nearest["many"].max() < len(many) == 40


def test_the_many_papers_are_long_enough_and_none_is_annotated(data: Path) -> None:
    many = hard_negatives.many_papers(data, examples.read_annotated(data))
    assert {row["id"] for row in many} == {f"m{number}" for number in range(40)}
    assert many == hard_negatives.many_papers(data, examples.read_annotated(data))


# The mixture


def test_an_epoch_is_the_same_for_the_same_seed_and_another_for_another(sources: mixture.Sources) -> None:
    assert mixture.epoch(sources, 3) == mixture.epoch(sources, 3)
    assert mixture.epoch(sources, 3) != mixture.epoch(sources, 4)


def test_every_question_is_also_shown_beside_wrong_papers_that_do_not_answer_it(sources: mixture.Sources) -> None:
    drawn = mixture.epoch(sources, 1)
    questions = {question["text"] for paper in sources.papers for question in paper.questions}
    for question in questions:
        shown = [example for example in drawn if example.query == question]
        assert [example.answers for example in shown].count(True) == 1
        assert [example.answers for example in shown].count(False) >= 2
    assert all(example.evidence is None for example in drawn if example.group == "wrong paper")


def test_an_epoch_has_claims_of_every_label_and_evidence_within_its_sentences(sources: mixture.Sources) -> None:
    drawn = mixture.epoch(sources, 2)
    assert {example.support for example in drawn} == {CONTRADICTED, NOT_STATED, SUPPORTED, None}
    assert all(max(example.evidence, default=0) < len(example.sentences) for example in drawn if example.evidence)


def test_a_title_is_put_before_the_sentences_and_is_never_evidence() -> None:
    example = mixture.with_title(Example("q", ("A.", "B."), evidence=(0, 1)), "T")
    assert (example.sentences, example.evidence) == (("T", "A.", "B."), (1, 2))
    assert mixture.with_title(Example("q", ("A.",)), "T").evidence is None


def test_a_few_sentences_always_contain_the_deciding_ones_in_order() -> None:
    sentences = ("bees dance here", "nothing", "bees fly", "the proof", "bees dance")
    chosen = mixture.select_sentences(Example("bees dance", sentences, SUPPORTED, evidence=(3,)), 2)
    assert chosen.sentences == ("bees dance here", "the proof", "bees dance")
    assert chosen.evidence == (1,)
    assert mixture.select_sentences(Example("bees dance", sentences, NOT_STATED), 1).evidence is None
