"""Training the pair reader: it learns, can be interrupted, and trains what the reader runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertTokenizer

from assistant.embedding.fine_tuned import FineTuned, load_weights
from assistant.embedding.pair_input import MAX_QUERY, windows
from assistant.embedding.pair_reader import PackagedPairReader
from assistant.embedding.torch_model import TorchModel
from eval.training import pair_encoding, pair_export, pair_network, pair_recipe, pair_training
from eval.training.examples import CONTRADICTED, NOT_STATED, SUPPORTED, Example
from eval.training.pair_encoding import UNKNOWN, Encoded
from eval.training.pair_network import PairNetwork
from tests.tiny import a_tiny_bert

WORDS = "bees dance sleep fly sing not ice melts why do how long they and the".split()
MAX_PIECES = 32
STAGE = pair_training.Stage("tiny", epochs=6, batch_pieces=120, encoder_rate=2e-3, head_rate=2e-2)


def examples() -> list[Example]:
    """Return claims and questions whose labels a word decides."""
    verbs = ("dance", "sleep", "fly", "sing")
    claims = [
        Example(f"bees {verb}", (f"bees {said}{verb}", "ice melts"), label, evidence=(0,))
        for verb in verbs
        for said, label in (("", SUPPORTED), ("not ", CONTRADICTED))
    ]
    other = [Example(f"bees {verb}", ("ice melts", "ice melts"), NOT_STATED) for verb in verbs]
    questions = [
        Example(f"how long do bees {verb}", ("ice melts", f"long they {verb if known else 'and'}"), answers=known)
        for verb in verbs
        for known in (True, False)
    ]
    return [*claims, *other, *questions]


def encoded(tokenizer: Any) -> list[Encoded]:
    return pair_encoding.encode(tokenizer, examples(), MAX_PIECES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_tiny_bert(tmp_path_factory.mktemp("bert"), WORDS)


@pytest.fixture
def tokenizer(folder: Path) -> Any:
    return BertTokenizer.from_pretrained(folder)


@pytest.fixture
def train(folder: Path, tokenizer: Any, tmp_path: Path) -> Any:
    """Return a function that trains a network from the seed in a folder of this name, and returns it."""

    def train(name: str, seed: int = 1) -> PairNetwork:
        torch.manual_seed(seed)
        network = pair_network.load_network(str(folder))
        (tmp_path / name).mkdir(exist_ok=True)
        workshop = pair_training.Workshop(tmp_path / name, torch.device("cpu"))
        pair_training.train(STAGE, network, repeat(encoded(tokenizer)), workshop)
        return network

    return train


def mean_loss(network: PairNetwork, tokenizer: Any) -> float:
    batch = pair_network.collate(pair_encoding.encode(tokenizer, examples(), MAX_PIECES))
    with torch.inference_mode():
        return float(pair_network.loss(network.eval()(batch), batch))


def is_equal(first: PairNetwork, second: PairNetwork) -> bool:
    one, two = first.state_dict(), second.state_dict()
    return all(torch.equal(one[name], two[name]) for name in one.keys() | two.keys())


def test_the_loss_falls_and_frozen_embeddings_stay(train: Any, folder: Path, tokenizer: Any) -> None:
    torch.manual_seed(1)
    fresh = pair_network.load_network(str(folder))
    trained = train("plain")
    assert mean_loss(trained, tokenizer) < 0.9 * mean_loss(fresh, tokenizer)
    for name in ("word_embeddings", "position_embeddings"):
        before, after = (getattr(network.encoder.embeddings, name).weight for network in (fresh, trained))
        assert torch.equal(before, after)


def test_a_training_is_the_same_when_it_is_repeated(train: Any) -> None:
    assert is_equal(train("first"), train("second"))


@pytest.mark.parametrize("steps", [3, 7, 8])
def test_an_interrupted_training_goes_on_to_the_same_weights(
    train: Any, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    monkeypatch.setattr(pair_training, "_CHECKPOINT_STEPS", 4)
    uninterrupted, step, taken = train("whole"), pair_training._step, list[int]()

    def interrupted(*arguments: Any) -> torch.Tensor:
        if len(taken) == steps:
            raise KeyboardInterrupt
        taken.append(1)
        return step(*arguments)

    monkeypatch.setattr(pair_training, "_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train("broken")
    monkeypatch.setattr(pair_training, "_step", step)
    seed = 1 if steps < 4 else 2  # what a checkpoint holds replaces the new heads
    assert is_equal(train("broken", seed), uninterrupted)


def test_an_interruption_while_a_checkpoint_is_written_leaves_the_one_before(
    train: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair_training, "_CHECKPOINT_STEPS", 4)
    uninterrupted, save, saved = train("whole"), torch.save, list[int]()

    def broken(state: Any, file: Path) -> None:
        saved.append(1)
        if len(saved) == 2:
            file.write_bytes(b"half of it")
            raise KeyboardInterrupt
        save(state, file)

    monkeypatch.setattr(torch, "save", broken)
    with pytest.raises(KeyboardInterrupt):
        train("broken")
    monkeypatch.setattr(torch, "save", save)
    assert is_equal(train("broken", seed=2), uninterrupted)


def test_a_finished_stage_is_not_trained_again(train: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    finished = train("plain")
    monkeypatch.setattr(pair_training, "_step", lambda *_: pytest.fail("a step was taken"))
    assert is_equal(train("plain", seed=2), finished)


def test_batches_hold_each_example_once_and_stay_within_the_limit(tokenizer: Any) -> None:
    from random import Random

    shown = pair_encoding.encode(tokenizer, examples() * 5, MAX_PIECES)
    batches = pair_training._batches(shown, STAGE, Random(1))  # noqa: S311 - reproducible, not secret
    assert sorted(map(id, shown)) == sorted(id(item) for batch in batches for item in batch)
    assert all(max(len(item.ids) for item in batch) * len(batch) <= STAGE.batch_pieces for batch in batches)


def test_a_part_of_an_epoch_takes_that_part_of_its_batches(tokenizer: Any) -> None:
    epoch = encoded(tokenizer)
    whole, half, longer = (
        len(pair_training._plan(replace(STAGE, epochs=epochs), repeat(epoch))) for epochs in (1, 0.5, 1.5)
    )
    assert (half, longer) == (whole // 2, whole + whole // 2)


# What is trained is what runs


class Loaded:
    """A model as sentence-transformers has it: the encoder of a network with its tokenizer."""

    device = torch.device("cpu")
    prompts: Mapping[str, str] = {}

    def __init__(self, encoder: Any, tokenizer: Any) -> None:
        self.encoder, self.tokenizer = encoder, tokenizer

    def eval(self) -> Loaded:
        return self

    def get_embedding_dimension(self) -> int:
        return int(self.encoder.config.hidden_size)

    def get_max_seq_length(self) -> int:
        return MAX_PIECES

    def __getitem__(self, position: int) -> SimpleNamespace:
        return SimpleNamespace(model=self.encoder)


@pytest.fixture
def network(folder: Path) -> PairNetwork:
    torch.manual_seed(3)
    return pair_network.load_network(str(folder)).eval()


def run(network: PairNetwork, tokenizer: Any, texts: Sequence[tuple[str, Sequence[str]]]) -> Iterator[Any]:
    heads = {name: value.numpy() for name, value in network.state_dict().items() if not name.startswith("encoder.")}
    weights = FineTuned({}, heads, {"support": 1.0, "answers": 1.0}, "tiny")
    return PackagedPairReader(TorchModel(Loaded(network.encoder, tokenizer)), weights).read(texts)


def test_the_reader_computes_what_the_network_was_trained_to(network: PairNetwork, tokenizer: Any) -> None:
    shown = examples()
    batch = pair_network.collate(pair_encoding.encode(tokenizer, shown, 448))
    with torch.inference_mode():
        support, answers, sentence = network(batch)
    support, answers, sentence = support.softmax(dim=1), answers.sigmoid(), sentence.sigmoid()
    for row, reading in enumerate(run(network, tokenizer, [(item.query, item.sentences) for item in shown])):
        assert reading.contradicted == pytest.approx(float(support[row, CONTRADICTED]), abs=1e-5)
        assert reading.supported == pytest.approx(float(support[row, SUPPORTED]), abs=1e-5)
        assert reading.answers == pytest.approx(float(answers[row]), abs=1e-5)
        assert reading.answering == pytest.approx(sentence[row, :, 0].tolist(), abs=1e-5)
        assert reading.deciding == pytest.approx(sentence[row, :, 1].tolist(), abs=1e-5)


def test_an_example_is_tokenized_as_the_reader_s_first_window(tokenizer: Any) -> None:
    for query in ("bees dance", "bees " * 200, ""):
        sentences = ("ice melts", "", "bees not sleep")
        (item,) = pair_encoding.encode(tokenizer, [Example(query, sentences)], 448)
        texts = tokenizer([query, *sentences], add_special_tokens=False)["input_ids"]
        (window,) = windows(texts[0], texts[1:], tokenizer.cls_token_id, tokenizer.sep_token_id)
        assert (tuple(item.ids), item.first) == (window.ids, window.query_length)
        assert tuple(item.sentence) == window.owners
        assert item.first <= MAX_QUERY + 2


def test_a_text_is_cut_at_the_limit_and_what_was_cut_off_has_no_label(tokenizer: Any) -> None:
    example = Example("bees dance", ("ice melts " * 5, "bees dance", "they sing"), SUPPORTED, evidence=(0, 2))
    (item,) = pair_encoding.encode(tokenizer, [example], 16)
    assert len(item.ids) == len(item.sentence) == 16
    assert item.ids[-1] == tokenizer.sep_token_id
    assert item.evidence.tolist() == [1, 0, UNKNOWN]


def test_an_unknown_label_costs_nothing(network: PairNetwork, tokenizer: Any) -> None:
    def loss(*shown: Example) -> float:
        batch = pair_network.collate(pair_encoding.encode(tokenizer, shown, 32))
        with torch.inference_mode():
            return float(pair_network.loss(network(batch), batch))

    unlabelled, claim = Example("bees dance", ("bees dance",)), Example("bees dance", ("bees dance",), SUPPORTED)
    assert loss(unlabelled) == 0.0
    assert loss(claim) > 0.0
    assert loss(claim, unlabelled) == pytest.approx(loss(claim) / 2, abs=1e-5)
    assert loss(replace(claim, weight=0.5)) == pytest.approx(loss(claim) / 2, abs=1e-5)
    assert np.isfinite(loss(Example("", ("",), SUPPORTED, True, (0,))))


# What is shipped


def test_what_is_exported_is_the_trained_network_without_what_it_shares(
    train: Any, folder: Path, tokenizer: Any, tmp_path: Path
) -> None:
    trained, shipped = train("plain").eval(), pair_network.load_network(str(folder)).eval()
    pair_export.export(trained, {"support": 1.0, "answers": 1.0}, tmp_path / "reader.safetensors")
    weights = load_weights(tmp_path / "reader.safetensors")
    assert not any("word_embeddings" in name for name in weights.encoder)
    tensors = {name: torch.from_numpy(value) for name, value in weights.encoder.items()}
    missing, unexpected = shipped.encoder.load_state_dict(tensors, strict=False)
    assert unexpected == []
    assert all(name.split(".")[1] in ("word_embeddings", "position_embeddings") for name in missing)
    batch = pair_network.collate(pair_encoding.encode(tokenizer, examples(), MAX_PIECES))
    shipped.load_state_dict({name: torch.from_numpy(value) for name, value in weights.heads.items()}, strict=False)
    with torch.inference_mode():
        for ours, theirs in zip(shipped(batch), trained(batch), strict=True):
            assert ours.numpy() == pytest.approx(theirs.numpy(), abs=0.2)


def test_the_revision_is_that_of_the_values(train: Any, tmp_path: Path) -> None:
    network = train("plain")
    revisions = []
    for change in (0.0, 0.0, 0.5):
        with torch.no_grad():
            network.support.bias += change
        pair_export.export(network, {"support": 1.0, "answers": 1.0}, tmp_path / "reader.safetensors")
        revisions.append(load_weights(tmp_path / "reader.safetensors").revision)
    assert revisions[0] == revisions[1] != revisions[2]


def test_the_temperature_of_an_overconfident_network_is_above_one(network: PairNetwork, tokenizer: Any) -> None:
    with torch.no_grad():
        network.support.weight *= 50
    temperatures = pair_export.fit_temperatures(network, tokenizer, examples())
    assert temperatures["support"] > 1.0
    assert 0.2 <= temperatures["answers"] <= 5.0


# Examples in files, teachers and students


def test_examples_come_back_from_their_file(tokenizer: Any, tmp_path: Path) -> None:
    written = encoded(tokenizer)
    pair_encoding.save(written, tmp_path / "own.npz")
    for before, after in zip(written, pair_encoding.load(tmp_path / "own.npz"), strict=True):
        for name in ("ids", "sentence", "evidence"):
            assert np.array_equal(getattr(before, name), getattr(after, name))
        for name in ("first", "support", "answers", "weight", "prior"):
            assert getattr(before, name) == getattr(after, name)
    assert [file.name for file in tmp_path.iterdir()] == ["own.npz"]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tokenizer: Any, tmp_path: Path) -> Path:
    """Return a folder of encoded examples, for a recipe with short stages."""
    for name in ("GENERAL", "OWN", "TAUGHT_GENERAL", "TAUGHT_OWN"):
        monkeypatch.setattr(pair_recipe, name, replace(STAGE, name=name, epochs=4))
    pair_encoding.save(encoded(tokenizer), tmp_path / pair_recipe.GENERAL_FILE)
    for number in range(pair_recipe.OWN_EPOCHS):
        pair_encoding.save(encoded(tokenizer), tmp_path / pair_recipe.OWN_FILE.format(number))
    return tmp_path


def count_layers(network: PairNetwork) -> int:
    encoder: Any = network.encoder
    return len(encoder.encoder.layer)


def test_a_student_has_fewer_layers_and_judges_as_its_teachers_do(
    folder: Path, small: Path, tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair_recipe, "STUDENT_LAYERS", (0,))
    device = torch.device("cpu")
    teachers = [pair_recipe.train_teacher(str(folder), small, device, number) for number in range(2)]
    before = [teacher.state_dict() for teacher in teachers]
    student = pair_recipe.train_student(str(folder), small, device, teachers, layers=(0,))
    assert [count_layers(network) for network in (student, *teachers)] == [1, 2, 2]
    assert all(
        torch.equal(old[name], value)
        for old, teacher in zip(before, teachers, strict=True)
        for name, value in teacher.state_dict().items()
    )
    batch = pair_network.collate(encoded(tokenizer))
    torch.manual_seed(9)
    stranger = pair_network.load_network(str(folder), layers=(0,)).eval()
    taught = pair_network.judge(teachers, batch)
    with torch.inference_mode():
        losses = [float(pair_network.taught_loss(network(batch), taught, batch)) for network in (student, stranger)]
    assert losses[0] < 0.9 * losses[1]


def test_the_whole_recipe_goes_on_from_what_is_finished(
    folder: Path, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair_recipe, "STUDENT_LAYERS", (0,))
    trained = pair_recipe.train_reader(str(folder), small, torch.device("cpu"), teachers=2)
    monkeypatch.setattr(pair_training, "_step", lambda *_: pytest.fail("a step was taken"))
    assert is_equal(pair_recipe.train_reader(str(folder), small, torch.device("cpu"), teachers=2), trained)


def test_a_student_s_weights_are_shipped_and_run_with_its_layers(folder: Path, tmp_path: Path) -> None:
    network = pair_network.load_network(str(folder), layers=(0,))
    pair_export.export(network, {"support": 1.0, "answers": 1.0}, tmp_path / "reader.safetensors")
    assert load_weights(tmp_path / "reader.safetensors").layers == 1
