"""The message reader tells any text what it wants, the same on every engine and in every thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assistant.embedding import load_message_reader, message_reader
from assistant.embedding.message_reader import PackagedMessageReader
from assistant.errors import ModelError


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> PackagedMessageReader:
    return load_message_reader(tmp_path_factory.mktemp("models"))


STRANGE = ["", " ", "?!", "a" * 10_000, "word " * 5_000, "\u202ebees\u202c", "\x00\x1b[31m bees", "今日は氷河", "مرحبا"]


@pytest.mark.parametrize("message", STRANGE)
def test_the_probabilities_of_any_text_sum_to_one(reader: PackagedMessageReader, message: str) -> None:
    probabilities = reader.read(message)
    assert sum(probabilities.values()) == pytest.approx(1.0)
    assert min(probabilities.values()) >= 0


@pytest.mark.parametrize(
    ("message", "intent"),
    [("hello there!", "chitchat"), ("what is a magnetar", "definition"), ("papers on soil carbon", "list")],
)
def test_a_plain_message_is_told(reader: PackagedMessageReader, message: str, intent: str) -> None:
    probabilities = reader.read(message)
    assert max(probabilities, key=probabilities.__getitem__) == intent


def test_several_threads_read_what_one_reads(reader: PackagedMessageReader) -> None:
    messages = ["hello", "does sleep help memory?", "which papers did Curie write", "asdf jkl"] * 4
    alone = [reader.read(message) for message in messages]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(reader.read, messages)) == alone


def test_an_engine_hardly_changes_a_probability(reader: PackagedMessageReader, tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    other = load_message_reader(tmp_path, "openvino")
    for message in ("hello", "does sleep help memory?", "compare bees and ants"):
        exact, converted = reader.read(message), other.read(message)
        assert list(converted.values()) == pytest.approx(list(exact.values()), abs=0.05)


def test_missing_weights_are_a_model_error_with_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_reader, "MESSAGE_READER", tmp_path / "gone.safetensors")
    with pytest.raises(ModelError, match=r"gone\.safetensors are missing; reinstall paperchat"):
        load_message_reader(tmp_path)
