"""The classifiers of questions are fitted on files whose faults are named, the same on every run."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assistant import factory
from assistant.answering import calibration
from assistant.embedding import fine_tuned, message_reader
from assistant.embedding.packaged_model import PACKAGED, locate
from assistant.errors import InputError
from assistant.question import fitted, linear, subject
from assistant.question.encoder import QuestionEncoder
from assistant.question.follow_up import Relation
from assistant.question.intent import Intent
from assistant.question.summary_topic import topic_in
from assistant.settings import Settings
from eval.suites import ABSTRACTS, SEEDS, load_dialogs
from eval.training import dialogs, fit_embedder, intents, message_network, softmax, summary_topics
from eval.training.calibrate import Fitted
from eval.training.examples import read_lines
from eval.training.messages import (
    DialogTurn,
    read_dialogs,
    read_further,
    read_further_dialogs,
    read_messages,
    read_questions,
    read_titles,
)
from eval.training.phrasings import keyboard_mash, phrasings
from tests.fakes import WordHashEmbedder

pytestmark = pytest.mark.slow


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
    abstract |= {"sentences": ["Bees dance."], "near_misses": [], "claims": []}
    (tmp_path / "judge").mkdir()
    write(tmp_path / "judge" / "intent.jsonl", *messages)
    write(tmp_path / "judge" / "dialogs.jsonl", *conversations)
    write(tmp_path / "judge" / "annotated.jsonl.gz", abstract, abstract | {"id": "b", "split": "train"})
    return tmp_path


@pytest.fixture(autouse=True)
def word_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factory, "open_embedder", lambda _: WordHashEmbedder())
    monkeypatch.setattr(softmax, "_MAX_STEPS", 3)


def test_the_data_is_read_with_its_splits(data: Path) -> None:
    assert {message.part for message in read_messages(data)} == {"train", "dev", "test"}
    assert read_dialogs(data)[0][1] == DialogTurn("and why 0", "and why 0", "history")
    assert read_questions(data, "dev") == ["why do bees dance"]
    assert len([*read_titles(data, "train"), *read_titles(data, "dev"), *read_titles(data, "test")]) == 2


@pytest.mark.parametrize(
    ("name", "row", "fault"),
    [
        ("intent.jsonl", {"q": "hi", "intent": "greeting"}, r"intent\.jsonl.*1.*the intent has to be one of fact, "),
        ("intent.jsonl", ["hi"], r"intent\.jsonl.*not an object"),
        ("dialogs.jsonl", {"turns": [{"q": "hi"}]}, r"dialogs\.jsonl.*1.*each of the `turns` needs"),
        ("annotated.jsonl.gz", {"id": "a"}, r"annotated\.jsonl\.gz.*1.*lacks title"),
    ],
)
def test_a_bad_line_is_named(data: Path, name: str, row: object, fault: str) -> None:
    write(data / "judge" / name, row)
    with pytest.raises(InputError, match=fault):
        _ = (read_messages(data), read_dialogs(data), read_questions(data, "dev"))


def test_a_missing_or_cut_file_is_named(data: Path) -> None:
    (data / "judge" / "annotated.jsonl.gz").write_bytes((data / "judge" / "annotated.jsonl.gz").read_bytes()[:30])
    with pytest.raises(InputError, match=r"annotated\.jsonl\.gz: cannot be read"):
        read_questions(data, "dev")
    (data / "judge" / "intent.jsonl").unlink()
    with pytest.raises(InputError, match=r"intent\.jsonl: cannot be read"):
        read_messages(data)


def test_messages_made_at_random_are_the_same_on_every_run() -> None:
    assert keyboard_mash(20) == keyboard_mash(20)
    phrased = phrasings()
    assert phrased == phrasings()
    assert {message.intent for message, _ in phrased} == set(Intent)
    assert not any("{" in message.text for message, _ in phrased if message.intent is not Intent.NOISE)


def test_a_fit_learns_from_labels_and_from_sets_of_labels() -> None:
    rows = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], dtype=np.float32)
    possible = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 1, 1]], dtype=np.float32)
    fitted = softmax.fit(rows, possible, np.ones(4, np.float32), 0.01, ("ice", "bees", "bread"))
    assert softmax.predict(fitted, rows[:2]).argmax(axis=1).tolist() == [0, 1]


def test_the_summary_topics_command_writes_weights_that_find_the_topic_and_says_what_it_misses(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(softmax, "_MAX_STEPS", 100)
    questions, words, wording = (tmp_path / name for name in ("marked.jsonl", "words.npz", "wording.txt"))
    write(questions, *({"q": f"what is known about [{topic}]"} for topic in ("bees", "sea ice", "bread")))
    summary_topics.main(data, questions, words, wording)
    assert topic_in("what is known about glaciers", subject.load(words, wording)) == "glaciers"
    assert "3 questions: topic found exactly" in capsys.readouterr().out


def test_the_intents_command_writes_weights_that_the_message_reader_reads(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(intents, "_further", lambda _: [])
    monkeypatch.setattr(fine_tuned, "MESSAGE_READER", tmp_path / "messages.safetensors")
    monkeypatch.setattr(message_reader, "MESSAGE_READER", tmp_path / "messages.safetensors")
    intents.main(data, tmp_path / "messages.safetensors", folds=1, epochs=1)
    printed = capsys.readouterr().out
    assert "train and dev, cross-validated: " in printed
    assert " of 1 questions declined" in printed
    reader = message_reader.load_message_reader(tmp_path / "cache")
    assert reader.read("why do bees dance").keys() == set(Intent)


def test_what_is_trained_is_what_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    location, _ = locate(PACKAGED, tmp_path / "verified")
    network = message_network.MessageNetwork(location, 2, seed=1)
    examples = [
        message_network.LabelledText(text, label, 1.0)
        for text, label in (("bees dance", (1.0, 0.0)), ("ice melts", (0.0, 1.0)), ("bees", (1.0, 1.0)))
    ]
    message_network.train(network, examples * 4, epochs=2, seed=1)
    file = tmp_path / "messages.safetensors"
    fine_tuned.save_weights(message_network.tuned(network, ["bees", "ice"], 2.0), file, {})
    monkeypatch.setattr(message_reader, "MESSAGE_READER", file)
    reader = message_reader.load_message_reader(tmp_path)
    assert fine_tuned.load_weights(file).layers == message_network.LAYERS
    for text in ("bees dance", "ice melts on the dance floor"):
        logits = message_network.logits(network, [text])[0] / 2.0
        expected = np.exp(logits) / np.exp(logits).sum()
        assert list(reader.read(text).values()) == pytest.approx(expected.tolist(), abs=0.02)


def test_the_messages_labelled_for_training_are_none_of_those_that_measure() -> None:
    further = {message.text.casefold() for message in read_further()}
    assert len(further) == len(read_further()) > 1000
    measured = {row["message"].casefold() for row in read_lines(ABSTRACTS / "intents.jsonl.gz")}
    assert not further & measured


def test_the_dialogs_command_writes_weights_and_prints_figures(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dialogs.main(data, tmp_path)
    assert linear.load(tmp_path / "follow_ups.npz").labels == tuple(map(str, Relation))
    assert linear.load(tmp_path / "follow_ups_form.npz").applies_to(WordHashEmbedder())
    assert "needs the conversation" in capsys.readouterr().out


def test_conversations_for_training_are_none_of_those_that_measure_and_complete_requests_need_nothing() -> None:
    further = read_further_dialogs()
    turns = [turn for dialog in further for turn in dialog]
    assert all(dialog[0].kind == "new" for dialog in further)
    assert all(turn.text == turn.standalone for turn in turns if turn.kind == "new")
    measured = {turn.text.casefold() for row in load_dialogs(SEEDS / "dialogs.jsonl") for turn in row.turns}
    assert not {turn.text.casefold() for turn in turns} & measured


def test_a_turn_is_an_example_with_the_topics_before_it(data: Path) -> None:
    examples = dialogs.turns(read_dialogs(data)[:1])
    assert [example.relation for example in examples] == [Relation.CONTINUATION, Relation.STANDALONE, Relation.RETURN]
    assert examples[-1].topics == ("ice melts 0", "bees dance 0")


def test_follow_ups_without_a_conversation_count_as_much_as_all_standalone_messages(data: Path) -> None:
    learned = dialogs.read(data).learned
    labelled = [example for example in learned if example.origin == "labelled messages" and example.fold >= 0]
    totals = {
        relation: sum(example.importance for example in labelled if example.relation is relation)
        for relation in (Relation.STANDALONE, Relation.CONTINUATION)
    }
    assert totals[Relation.STANDALONE] == pytest.approx(totals[Relation.CONTINUATION])


def test_complete_questions_on_another_topic_are_counted(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dialogs.main(data, tmp_path)
    printed = capsys.readouterr().out
    for source in ("labelled messages on research", "annotated dev questions", "single dev questions"):
        assert source in printed
    assert "after an unrelated question" in printed


def test_the_classifier_of_another_embedder_is_stored_where_its_questions_find_it(
    data: Path, settings: Settings
) -> None:
    (figures,) = fit_embedder.fit_embedder(settings, data, with_answers=False)
    assert "follow-ups, train and dev" in figures
    assert fitted.find(QuestionEncoder(WordHashEmbedder(), settings.shared)) is not None


def test_the_calibration_of_answers_is_fitted_and_found_by_the_assistant(
    data: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence = replace(calibration.PACKAGED.evidence, bias=-1.5)
    fitted_to_it = Fitted(replace(calibration.PACKAGED, evidence=evidence), ("figures",))
    monkeypatch.setattr(fit_embedder, "calibrate", lambda _: fitted_to_it)
    printed = list(fit_embedder.fit_embedder(settings, data))[-1]
    assert "figures" in printed
    assert "stored: " in printed
    assert factory.open_calibration(settings, WordHashEmbedder()).evidence == evidence


def test_the_packaged_embedder_needs_no_fit(data: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear.LinearClassifier, "applies_to", lambda *_: True)
    with pytest.raises(InputError, match="name another by the setting `embedder`"):
        next(fit_embedder.fit_embedder(settings, data))


def test_missing_data_are_named_before_anything_is_stored(data: Path, settings: Settings) -> None:
    (data / "judge" / "dialogs.jsonl").unlink()
    with pytest.raises(InputError, match=r"dialogs\.jsonl: cannot be read"):
        next(fit_embedder.fit_embedder(settings, data))
    assert not fitted.folder(settings.shared, WordHashEmbedder()).exists()
