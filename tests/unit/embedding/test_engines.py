"""What computes the embedder: every engine agrees with the exact one, the fastest is found once and remembered."""

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
from assistant.embedding import PACKAGED, engines, openvino_body
from assistant.errors import ModelError, SettingsError
from assistant.settings import load

TEXTS = ["Bees dance to tell where flowers are.", "Ice sheets melt from below. " * 20, "Bread"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def exact(home: Path) -> embedding.SentenceEncoder:
    return embedding.load(PACKAGED, home)


def record(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / "embedder.engine").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("engine", ["float32", "medium", "bfloat16", "openvino", "openvino-int8"])
def test_every_engine_gives_nearly_the_same_vectors(engine: str, home: Path, exact: embedding.SentenceEncoder) -> None:
    other = embedding.load(PACKAGED, home, engine=engine)
    assert other.engine == engine
    for ours, theirs in zip(other.encode_documents(TEXTS), exact.encode_documents(TEXTS), strict=True):
        assert ours.vector @ theirs.vector >= engines._AGREES
        assert ours.spans == theirs.spans
        assert ours.tokens == pytest.approx(theirs.tokens, abs=0.1)


def test_the_fastest_engine_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_ENGINES", {name: engines._ENGINES[name] for name in ("float32", "medium")})
    first = embedding.load(PACKAGED, tmp_path, engine="auto")
    held = record(tmp_path)
    assert held["engine"] == first.engine == min(held["seconds"], key=held["seconds"].get)
    (other,) = {"float32", "medium"} - {first.engine}
    (tmp_path / "embedder.engine").write_text(json.dumps(held | {"engine": other}), encoding="utf-8")
    assert embedding.load(PACKAGED, tmp_path, engine="auto").engine == other


@pytest.mark.parametrize("spoilt", ["", "[]", "null", '{"machine": 1}', '{"engine": "none", "machine": "here"}'])
def test_a_record_of_another_machine_or_of_nothing_is_not_believed(
    spoilt: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_race", lambda *_: {"float32": 2.0, "medium": 1.0})
    (tmp_path / "embedder.engine").write_text(spoilt, encoding="utf-8")
    assert embedding.load(PACKAGED, tmp_path, engine="auto").engine == "medium"
    assert record(tmp_path)["engine"] == "medium"


def test_an_engine_that_does_not_agree_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(model: Any, _: engines.Place) -> Any:
        model[0].model.embeddings.word_embeddings.weight.data.zero_()
        return model

    monkeypatch.setattr(engines, "_ENGINES", {"float32": engines._ENGINES["float32"], "broken": broken})
    embedding.load(PACKAGED, tmp_path, engine="auto")
    assert record(tmp_path)["seconds"].keys() == {"float32"}


def test_without_openvino_the_others_race_and_naming_it_is_an_error_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    embedding.load(PACKAGED, tmp_path, engine="auto")
    assert "float32" in record(tmp_path)["seconds"]
    assert "openvino" not in record(tmp_path)["seconds"]
    with pytest.raises(ModelError, match=r"pip install 'paperchat\[fast\]'"):
        embedding.load(PACKAGED, tmp_path, engine="openvino")


def test_half_precision_needs_a_graphics_processor(tmp_path: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a graphics processor")
    with pytest.raises(ModelError, match="float16 needs a graphics processor"):
        embedding.load(PACKAGED, tmp_path, engine="float16")


def test_an_engine_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(SettingsError, match="PAPERCHAT_ENGINE"):
        load(engine="steam")


@pytest.mark.parametrize("engine", ["openvino", "openvino-int8"])
def test_a_converted_model_is_kept_and_one_that_is_damaged_is_converted_again(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, converted = openvino_body._converted, []

    def counted(*arguments: Any) -> Any:
        converted.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(openvino_body, "_converted", counted)
    first = embedding.load(PACKAGED, tmp_path, engine=engine)
    again = embedding.load(PACKAGED, tmp_path, engine=engine)
    assert len(converted) == 1
    for text in TEXTS:
        assert np.array_equal(first.encode_documents([text])[0].vector, again.encode_documents([text])[0].vector)
    (kept,) = (tmp_path / "openvino").iterdir()
    (kept / "body.xml").write_text("<net", encoding="utf-8")
    for _ in range(2):
        assert len(embedding.load(PACKAGED, tmp_path, engine=engine).encode_documents(TEXTS)) == 3
    assert len(converted) == 2


def test_weights_of_eight_bits_are_the_exact_ones_to_half_a_step() -> None:
    import openvino

    weights = np.array([[-1.0, 0.3, 2.0], [0.0, 0.0, 0.0], [0.25, 0.5, 1.0], [-3.0, -2.0, -0.7]], dtype=np.float32)
    network = openvino.Model([openvino_body._as_bytes(openvino, weights)], [], "weights")
    (found,) = openvino.compile_model(network, "CPU")([]).values()
    spans = np.maximum(weights.max(axis=1), 0) - np.minimum(weights.min(axis=1), 0)
    assert (np.abs(found - weights) <= spans[:, None] / 255 / 2 + 1e-6).all()


def test_openvino_does_not_report_its_use(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from assistant import embedding as encoder; "
        f"encoder.load({PACKAGED!r}, Path({str(tmp_path)!r}), engine='openvino').encode_documents(['ice']); "
        "print(sys.modules['openvino_telemetry'])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "None\n"


def test_libraries_of_different_engines_are_interchangeable(settings: Any, home: Path) -> None:
    exact, other = embedding.load(PACKAGED, home), embedding.load(PACKAGED, home, engine="medium")
    factory.open_library(settings, exact).close()
    library = factory.open_library(settings, other)
    library.close()
    with closing(factory.open_catalog(settings.home)) as catalog:
        held = factory.held_recipe(settings, catalog)
    assert held is not None
    assert held["engine"] == "float32"
