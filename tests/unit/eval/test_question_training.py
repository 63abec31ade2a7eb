"""The classifiers of questions are fitted on files whose faults are named, the same on every run."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from assistant import factory
from assistant.errors import InputError
from assistant.question import linear
from assistant.question.follow_up import Relation
from assistant.question.intent import Intent
from eval.training import dialogs, intents, softmax
from eval.training.messages import DialogTurn, read_dialogs, read_messages, read_questions, read_titles, split_of
from tests.fakes import WordHashEmbedder


def write(file: Path, *rows: object) -> None:
    text = "\n".join(json.dumps(row) for row in rows)
    file.write_bytes(gzip.compress(text.encode()) if file.suffix == ".gz" else text.encode())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder of data of every kind, with two messages of each intent."""
    messages = [{"q": f"{intent} number {number}", "intent": intent} for intent in Intent for number in range(9)]
    turns = [("bees dance", "new"), ("and why", "history"), ("ice melts", "switch"), ("back to bees", "return")]
    conversations = [
        {"turns": [{"q": f"{text} {number}", "standalone": f"{text} {number}", "kind": kind} for text, kind in turns]}
        for number in range(9)
    ]
    abstract = {"id": "a", "title": "Bees", "split": "dev", "questions": [{"text": "why do bees dance"}]}
    write(tmp_path / "intent.jsonl", *messages)
    write(tmp_path / "dialogs.jsonl", *conversations)
    write(tmp_path / "annotated.jsonl.gz", abstract, abstract | {"id": "b", "split": "train"})
    return tmp_path


@pytest.fixture(autouse=True)
def word_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory, "open_embedder", lambda _: WordHashEmbedder())
    monkeypatch.setattr(softmax, "_MAX_STEPS", 3)


def test_the_data_is_read_with_its_splits(data: Path) -> None:
    assert {message.split for message in read_messages(data)} == {"train", "dev", "test"}
    assert read_dialogs(data)[0][1] == DialogTurn("and why 0", "and why 0", "history")
    assert read_questions(data, "dev") == ["why do bees dance"]
    assert sum(len(read_titles(data, split)) for split in ("train", "dev", "test")) == 2
    assert split_of("bees") == split_of("bees")


@pytest.mark.parametrize(
    ("name", "row", "fault"),
    [
        ("intent.jsonl", {"q": "hi", "intent": "greeting"}, r"intent\.jsonl, line 1: needs `q` and an `intent`"),
        ("intent.jsonl", ["hi"], r"line 1: is not a JSON object"),
        ("dialogs.jsonl", {"turns": [{"q": "hi"}]}, r"dialogs\.jsonl, line 1: needs `turns`"),
        ("annotated.jsonl.gz", {"id": "a"}, r"annotated\.jsonl\.gz, line 1: needs `id`, `split` and `questions`"),
    ],
)
def test_a_bad_line_is_named(data: Path, name: str, row: object, fault: str) -> None:
    write(data / name, row)
    with pytest.raises(InputError, match=fault):
        _ = (read_messages(data), read_dialogs(data), read_questions(data, "dev"))


def test_a_missing_or_cut_file_is_named_with_the_option_that_finds_it(data: Path) -> None:
    (data / "annotated.jsonl.gz").write_bytes((data / "annotated.jsonl.gz").read_bytes()[:30])
    with pytest.raises(InputError, match=r"annotated\.jsonl\.gz: cannot be read.*--data"):
        read_questions(data, "dev")
    (data / "intent.jsonl").unlink()
    with pytest.raises(InputError, match=r"intent\.jsonl: cannot be read.*--data"):
        read_messages(data)


def test_messages_made_at_random_are_the_same_on_every_run() -> None:
    assert intents.keyboard_mash(20) == intents.keyboard_mash(20)
    phrased = intents.phrasings()
    assert phrased == intents.phrasings()
    assert {message.intent for message, _ in phrased} == set(Intent)
    assert not any("{" in message.text for message, _ in phrased if message.intent is not Intent.NOISE)


def test_a_fit_learns_from_labels_and_from_sets_of_labels() -> None:
    rows = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], dtype=np.float32)
    possible = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 1, 1]], dtype=np.float32)
    fitted = softmax.fit(rows, possible, np.ones(4, np.float32), 0.01, ("ice", "bees", "bread"))
    assert softmax.predict(fitted, rows[:2]).argmax(axis=1).tolist() == [0, 1]


def test_the_intents_command_writes_weights_and_prints_figures(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    intents.main(data, tmp_path / "intents.npz")
    assert linear.load(tmp_path / "intents.npz").applies_to(WordHashEmbedder())
    printed = capsys.readouterr().out
    assert "train and dev, cross-validated: " in printed
    assert "annotated, dev: " in printed


def test_the_dialogs_command_writes_weights_and_prints_figures(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dialogs.main(data, tmp_path)
    assert linear.load(tmp_path / "follow_ups.npz").labels == tuple(map(str, Relation))
    assert linear.load(tmp_path / "follow_ups_form.npz").applies_to(WordHashEmbedder())
    assert "needs the conversation" in capsys.readouterr().out


def test_a_turn_is_an_example_with_the_topics_before_it(data: Path) -> None:
    examples = dialogs.examples(read_dialogs(data)[:1])
    assert [example.relation for example in examples] == [Relation.CONTINUATION, Relation.STANDALONE, Relation.RETURN]
    assert examples[-1].topics == ("ice melts 0", "bees dance 0")
