"""Engines of the embedder: each agrees with the exact one, and the fastest is found once and cached."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant import embedding, factory
from assistant.embedding import PACKAGED, engine_choice, openvino_layers, runtimes
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
    with closing(factory.open_catalog(settings.home)) as catalog:
        recipe = factory.stored_recipe(settings, catalog)
    assert recipe is not None
    assert recipe["engine"] == "float32"
