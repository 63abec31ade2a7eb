"""Weights are read whole or refused, with the file and the cure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assistant.errors import ModelError
from assistant.question import linear
from assistant.question.linear import LinearClassifier
from tests.fakes import WordHashEmbedder


@pytest.fixture
def classifier() -> LinearClassifier:
    weights = np.array([[1.0, 0.0], [0.0, 2.0]], dtype=np.float32)
    return LinearClassifier(("ice", "bees"), weights, np.zeros(2, np.float32), "word-hash", "1")


@pytest.fixture
def file(classifier: LinearClassifier, tmp_path: Path) -> Path:
    linear.save(classifier, tmp_path / "weights" / "topics.npz")
    return tmp_path / "weights" / "topics.npz"


def test_a_saved_classifier_predicts_the_same(classifier: LinearClassifier, file: Path) -> None:
    features = np.array([0.5, 1.0], dtype=np.float32)
    probabilities = linear.load(file).probabilities(features)
    assert probabilities == pytest.approx(classifier.probabilities(features), abs=1e-3)
    assert sum(probabilities.values()) == pytest.approx(1.0)
    assert probabilities["bees"] > probabilities["ice"]


def test_features_beyond_any_scale_give_probabilities(classifier: LinearClassifier) -> None:
    assert classifier.probabilities(np.array([1e4, -1e4], dtype=np.float32)) == {"ice": 1.0, "bees": 0.0}


def test_a_classifier_applies_to_the_embedder_that_it_was_fitted_on(file: Path) -> None:
    class OtherRevision(WordHashEmbedder):
        revision = "2"

    assert linear.load(file).applies_to(WordHashEmbedder())
    assert not linear.load(file).applies_to(OtherRevision())


def test_missing_weights_are_named_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"lost\.npz is missing: reinstall paperchat"):
        linear.load(tmp_path / "lost.npz")


@pytest.mark.parametrize("kept", [0, 10, 200, -1])
def test_cut_weights_are_named_with_the_cure(file: Path, kept: int) -> None:
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(ModelError, match=r"topics\.npz is damaged: reinstall paperchat"):
        linear.load(file)


def test_weights_of_other_labels_are_refused(classifier: LinearClassifier, tmp_path: Path) -> None:
    other = LinearClassifier(("ice",), classifier.weights, classifier.bias, "word-hash", "1")
    linear.save(other, tmp_path / "other.npz")
    with pytest.raises(ModelError, match=r"other\.npz is damaged"):
        linear.load(tmp_path / "other.npz")


def test_pickled_weights_are_never_loaded(tmp_path: Path) -> None:
    file = tmp_path / "pickled.npz"
    names = np.array(["ice", None], dtype=object)
    np.savez(file, labels=names, weights=names, bias=names, embedder=names, revision=names)
    with pytest.raises(ModelError, match="is damaged"):
        linear.load(file)
