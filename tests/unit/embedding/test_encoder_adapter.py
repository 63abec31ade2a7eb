"""The encoder adapter comes back as it was, changes every text that is encoded, and fails with a cure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from assistant import embedding
from assistant.embedding import sentence_encoder
from assistant.embedding.encoder_adapter import ADAPTER_FILE, EncoderAdapter, load_adapter, save_adapter
from assistant.embedding.packaged_model import PACKAGED_REVISION
from assistant.errors import ModelError

RANDOM = np.random.default_rng(5)
QUESTION = "Can robots learn to walk without being told how?"


def values(*shape: int) -> Any:
    return RANDOM.standard_normal(shape).astype(np.float32)


ADAPTER = EncoderAdapter({"layer.weight": values(2, 6)}, {"layer.weight": values(4, 2)}, "r1")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save_adapter(ADAPTER, tmp_path / "new" / "adapter.safetensors", {"data": "questions"})
    return tmp_path / "new" / "adapter.safetensors"


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> embedding.SentenceEncoder:
    return embedding.load_embedder(embedding.PACKAGED, tmp_path_factory.mktemp("home"))


def test_factors_come_back_to_the_digits_of_half_precision(file: Path) -> None:
    restored = load_adapter(file)
    assert restored.revision == "r1"
    assert restored.down["layer.weight"] == pytest.approx(ADAPTER.down["layer.weight"], rel=1e-3, abs=1e-4)
    assert restored.up["layer.weight"] == pytest.approx(ADAPTER.up["layer.weight"], rel=1e-3, abs=1e-4)
    assert restored.changes()["layer.weight"].shape == (4, 6)


def test_the_packaged_adapter_is_small_and_changes_matrices_of_the_packaged_encoder() -> None:
    assert ADAPTER_FILE.stat().st_size < 3_000_000
    changes = load_adapter().changes()
    assert changes
    assert all(name.startswith("encoder.layer.") and change.ndim == 2 for name, change in changes.items())


def test_a_missing_adapter_is_a_model_error_that_names_file_and_cure(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.safetensors is missing; .* pip install --force-reinstall"):
        load_adapter(tmp_path / "gone.safetensors")


@pytest.mark.parametrize("size", [0, 4, 100, -10])
def test_an_adapter_that_was_cut_is_a_model_error_that_names_file_and_cure(file: Path, size: int) -> None:
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(ModelError, match=r"adapter\.safetensors is damaged .* pip install --force-reinstall"):
        load_adapter(file)


@pytest.mark.parametrize("metadata", [{"format": "0"}, {"encoder": "0" * 64}])
def test_an_adapter_of_another_version_or_encoder_is_a_model_error(file: Path, metadata: dict[str, str]) -> None:
    with safe_open(file, framework="numpy") as stored:
        before = stored.metadata()
    save_file(load_file(file), file, metadata=before | metadata)
    with pytest.raises(ModelError, match=r"adapter\.safetensors is of another version; .* pip install --force"):
        load_adapter(file)


def test_an_adapter_without_one_of_its_factors_is_a_model_error(file: Path) -> None:
    with safe_open(file, framework="numpy") as stored:
        metadata = stored.metadata()
    factors = load_file(file)
    save_file({"layer.weight.down": factors["layer.weight.down"]}, file, metadata=metadata)
    with pytest.raises(ModelError, match="a factor of a matrix is missing"):
        load_adapter(file)


def test_questions_and_papers_are_encoded_by_the_same_changed_weights(
    packaged: embedding.SentenceEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (question,), (paper,) = packaged.encode_queries([QUESTION]), packaged.encode_documents([QUESTION])
    assert question.vector == pytest.approx(paper.vector, abs=1e-6)
    monkeypatch.setattr(EncoderAdapter, "apply", lambda _, tensors: tensors)
    (unchanged,) = embedding.load_embedder(embedding.PACKAGED, tmp_path).encode_queries([QUESTION])
    assert question.spans == unchanged.spans
    assert 0.5 < float(question.vector @ unchanged.vector) < 0.999


def test_the_revision_of_the_embedder_names_encoder_and_adapter(packaged: embedding.SentenceEncoder) -> None:
    assert packaged.revision == f"{PACKAGED_REVISION}-{load_adapter().revision}"


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["openvino", "openvino-int8"])
def test_an_engine_encodes_nearly_as_the_exact_one(
    engine: str, packaged: embedding.SentenceEncoder, tmp_path: Path
) -> None:
    other = embedding.load_embedder(embedding.PACKAGED, tmp_path, engine=engine)
    (ours,), (exact,) = other.encode_queries([QUESTION]), packaged.encode_queries([QUESTION])
    assert float(ours.vector @ exact.vector) >= 0.99


def test_a_damaged_adapter_fails_before_anything_is_encoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentence_encoder, "load_adapter", lambda: load_adapter(tmp_path / "gone.safetensors"))
    with pytest.raises(ModelError, match="is missing"):
        embedding.load_embedder(embedding.PACKAGED, tmp_path)
