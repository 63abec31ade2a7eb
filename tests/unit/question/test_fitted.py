"""Classifiers of questions belong to one embedder: the package's, or one that they were fitted for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import ModelError
from assistant.question import fitted, linear
from assistant.question.encoder import QuestionEncoder
from assistant.question.linear import LinearClassifier
from tests.fakes import WordHashEmbedder

EMBEDDER = WordHashEmbedder()


def fit(models: Path, **changes: object) -> Path:
    """Store a classifier for the embedder, of the labels and the features of the package's."""
    packaged = linear.load(fitted.PACKAGED / fitted.FOLLOW_UPS)
    features = packaged.weights.shape[1] - 384 + EMBEDDER.dimension
    weights = np.ones((len(packaged.labels), features), np.float32)
    classifier = LinearClassifier(packaged.labels, weights, packaged.bias, EMBEDDER.name, EMBEDDER.revision)
    file = fitted.folder(models, EMBEDDER) / fitted.FOLLOW_UPS
    linear.save(replace(classifier, **changes), file)  # type: ignore[arg-type]
    return file


def test_the_classifiers_of_another_embedder_are_found_beside_its_models(tmp_path: Path) -> None:
    assert fitted.find(QuestionEncoder(EMBEDDER, tmp_path)) is None
    fit(tmp_path)
    found = fitted.find(QuestionEncoder(EMBEDDER, tmp_path))
    assert found is not None
    assert found.applies_to(EMBEDDER)
    assert fitted.find(QuestionEncoder(EMBEDDER)) is None, "no folder was named"


def test_a_revision_of_an_embedder_has_a_folder_of_its_own(tmp_path: Path) -> None:
    other = WordHashEmbedder()
    other.revision = "2"
    fit(tmp_path)
    assert fitted.find(QuestionEncoder(other, tmp_path)) is None
    assert fitted.folder(tmp_path, other) != fitted.folder(tmp_path, EMBEDDER)


@pytest.mark.parametrize("name", ["org/model", "/home/me/models/large", "..", "a" * 300, "模型"])
def test_any_name_of_an_embedder_names_a_folder(tmp_path: Path, name: str) -> None:
    embedder = WordHashEmbedder()
    embedder.name = name
    folder = fitted.folder(tmp_path, embedder)
    folder.mkdir(parents=True)
    assert folder.parent.parent == tmp_path


def test_a_fit_that_is_repeated_is_read_without_a_restart(tmp_path: Path) -> None:
    encoder = QuestionEncoder(EMBEDDER, tmp_path)
    fit(tmp_path)
    assert fitted.find(encoder) is not None
    fit(tmp_path, bias=np.full(3, 7.0, np.float32))
    found = fitted.find(encoder)
    assert found is not None
    assert found.bias[0] == 7.0


def test_without_fitted_classifiers_the_cure_is_named(tmp_path: Path) -> None:
    (classifier,) = fitted.faults(tmp_path, EMBEDDER)
    assert "not fitted to the embedder word-hash" in classifier
    assert "python -m eval fit-embedder" in classifier
    fit(tmp_path)
    assert fitted.faults(tmp_path, EMBEDDER) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"revision": "0"}, "belongs to another embedder or revision"),
        ({"weights": np.ones((3, 9), np.float32)}, "was fitted by another version of paperchat"),
        ({"labels": tuple("abc")}, "was fitted by another version of paperchat"),
    ],
)
def test_stored_weights_that_do_not_fit_are_passed_over_and_named(
    tmp_path: Path, changes: dict[str, object], fault: str
) -> None:
    file = fit(tmp_path, **changes)
    assert fitted.find(QuestionEncoder(EMBEDDER, tmp_path)) is None
    named = fitted.faults(tmp_path, EMBEDDER)[0]
    assert named == f"{file} {fault}: fit it again by {fitted.COMMAND}"


def test_a_cut_file_is_passed_over_and_named(tmp_path: Path) -> None:
    file = fit(tmp_path)
    file.write_bytes(file.read_bytes()[:100])
    assert fitted.find(QuestionEncoder(EMBEDDER, tmp_path)) is None
    assert fitted.faults(tmp_path, EMBEDDER)[0] == f"{file} is damaged: fit it again by {fitted.COMMAND}"


def test_damaged_weights_of_the_package_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitted, "PACKAGED", tmp_path)
    with pytest.raises(ModelError, match=r"follow_ups\.npz is missing: reinstall paperchat"):
        fitted.find(QuestionEncoder(EMBEDDER))
