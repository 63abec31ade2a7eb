"""The weights of a fine-tuned encoder come back nearly as they were, and a file that is not usable says what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from assistant.embedding import fine_tuned
from assistant.embedding.fine_tuned import FineTuned, load_weights, save_weights
from assistant.errors import ModelError
from assistant.question.intent import Intent

RANDOM = np.random.default_rng(5)


def values(*shape: int) -> Any:
    return RANDOM.standard_normal(shape).astype(np.float32)


WEIGHTS = FineTuned(
    encoder={"layer.weight": values(16, 24), "layer.bias": values(16), "zero.weight": np.zeros((4, 6), np.float32)},
    heads={"support.weight": values(3, 12), "support.bias": values(3), "answers.weight": values(1, 12)},
    temperatures={"support": 1.3, "answers": 0.9},
    revision="r1",
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save_weights(WEIGHTS, tmp_path / "new" / "reader.safetensors", {"data": "three sets"})
    return tmp_path / "new" / "reader.safetensors"


def rewritten(file: Path, **metadata: str) -> Path:
    """Write the same tensors with other metadata."""
    with safe_open(file, framework="numpy") as stored:
        kept = stored.metadata()
    save_file(load_file(file), file, metadata=kept | metadata)
    return file


def test_a_matrix_of_the_encoder_comes_back_within_half_a_quantum_of_its_row(file: Path) -> None:
    restored = load_weights(file).encoder
    assert restored.keys() == WEIGHTS.encoder.keys()
    for name in ("layer.weight", "zero.weight"):
        exact = WEIGHTS.encoder[name]
        quantum = np.abs(exact).max(axis=1, keepdims=True) / 127
        assert (np.abs(restored[name] - exact) <= 0.5001 * quantum + 1e-9).all()
        assert restored[name].dtype == np.float32


def test_vectors_and_heads_come_back_to_the_digits_of_half_precision(file: Path) -> None:
    restored = load_weights(file)
    assert restored.encoder["layer.bias"] == pytest.approx(WEIGHTS.encoder["layer.bias"], rel=1e-3)
    assert restored.heads.keys() == WEIGHTS.heads.keys()
    for name, exact in WEIGHTS.heads.items():
        assert restored.heads[name] == pytest.approx(exact, rel=1e-3, abs=1e-6)


def test_temperatures_and_revision_come_back_and_notes_are_kept_in_the_file(file: Path) -> None:
    restored = load_weights(file)
    assert (restored.temperatures, restored.revision) == (WEIGHTS.temperatures, "r1")
    with safe_open(file, framework="numpy") as stored:
        assert stored.metadata()["data"] == "three sets"


def test_matrices_take_a_byte_a_weight(file: Path) -> None:
    assert load_file(file)["layer.weight"].dtype == np.int8


@given(st.integers(3, 9), st.integers(3, 9), st.floats(1e-3, 1e3), st.integers(0, 99))
def test_what_was_read_is_written_again_unchanged(rows: int, columns: int, scale: float, seed: int) -> None:
    exact = (scale * np.random.default_rng(seed).standard_normal((rows, columns))).astype(np.float32)
    once = quantized_and_back(exact)
    assert np.allclose(quantized_and_back(once), once, rtol=1e-6, atol=0)


def quantized_and_back(matrix: Any) -> Any:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        file = Path(folder) / "reader.safetensors"
        save_weights(FineTuned({"matrix": matrix}, {}, {}, "r"), file, {})
        return load_weights(file).encoder["matrix"]


def test_missing_weights_are_a_model_error_that_names_file_and_cure(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.safetensors are missing; .* pip install --force-reinstall"):
        load_weights(tmp_path / "gone.safetensors")


@pytest.mark.parametrize("size", [0, 4, 100, -10])
def test_weights_that_were_cut_are_a_model_error_that_names_file_and_cure(file: Path, size: int) -> None:
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(ModelError, match=r"reader\.safetensors are damaged .* pip install --force-reinstall"):
        load_weights(file)


def test_a_folder_in_place_of_the_weights_is_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="are damaged"):
        load_weights(tmp_path)


@pytest.mark.parametrize("metadata", [{"format": "0"}, {"format": "2"}, {"encoder": "0" * 64}])
def test_weights_of_another_version_or_encoder_are_a_model_error_with_the_cure(
    file: Path, metadata: dict[str, str]
) -> None:
    with pytest.raises(ModelError, match=r"reader\.safetensors are of another version; .* pip install --force"):
        load_weights(rewritten(file, **metadata))


def test_a_file_of_tensors_without_a_version_is_a_model_error(tmp_path: Path) -> None:
    save_file({"weight": values(2, 2)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match="another version"):
        load_weights(tmp_path / "other.safetensors")


@pytest.mark.parametrize(
    ("file", "heads", "layers"),
    [
        (fine_tuned.PAIR_READER, {"support", "answers", "sentence"}, 4),
        (fine_tuned.MESSAGE_READER, {"weight", "bias"}, 3),
    ],
)
def test_the_packaged_weights_are_of_this_version_and_complete(file: Path, heads: set[str], layers: int) -> None:
    weights = load_weights(file)
    assert {name.split(".")[0] for name in weights.heads} == heads
    assert all(0.1 < temperature < 10 for temperature in weights.temperatures.values())
    assert (weights.layers, bool(weights.revision)) == (layers, True)
    assert all(np.isfinite(value).all() for value in (*weights.encoder.values(), *weights.heads.values()))
    assert file.stat().st_size < 8_000_000


def test_a_message_reader_has_the_intents_as_its_labels() -> None:
    assert load_weights(fine_tuned.MESSAGE_READER).labels == tuple(Intent)
