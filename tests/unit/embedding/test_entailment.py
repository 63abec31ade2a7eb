"""Entailment by a tiny cross-encoder with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant import embedding, factory
from assistant.errors import ModelError
from assistant.settings import Settings

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "ice", "bees", "bread", "melts"]


def make(folder: Path, labels: list[str]) -> Path:
    """Return the folder of a cross-encoder with these labels."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS),
        max_position_embeddings=32,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        initializer_range=2.0,
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    BertTokenizer(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def test_its_labels_may_come_in_any_order_and_case(tmp_path: Path) -> None:
    pairs = [("ice melts", "bees"), ("bread", "bread")]
    usual = embedding.load_entailment(str(make(tmp_path / "usual", ["contradiction", "neutral", "entailment"])))
    reordered = embedding.load_entailment(str(make(tmp_path / "other", ["Entailment", "CONTRADICTION", "neutral"])))
    expected, probabilities = usual.predict(pairs), reordered.predict(pairs)
    assert expected.shape == (2, 3)
    assert np.allclose(expected.sum(axis=1), 1.0, atol=1e-5)
    assert not np.allclose(expected[0], expected[1])
    assert np.allclose(probabilities, expected[:, [1, 2, 0]], atol=1e-5)
    assert usual.predict([]).shape == (0, 3)


def test_a_model_with_other_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is not an entailment model: its labels are good, bad"):
        embedding.load_entailment(str(make(tmp_path / "other", ["good", "bad"])))


@pytest.mark.parametrize("name", ["/no/such/folder", "somebody/some-model"])
def test_a_missing_model_is_a_model_error_in_one_line(name: str) -> None:
    with pytest.raises(ModelError) as failure:
        embedding.load_entailment(name)
    assert "\n" not in str(failure.value)


def test_it_is_off_unless_the_settings_name_it(settings: Settings, tmp_path: Path) -> None:
    folder = make(tmp_path / "model", ["contradiction", "neutral", "entailment"])
    changes: dict[str, Any] = {"nli": str(folder)}
    assert factory.open_entailment(settings.nli) is None
    opened = factory.open_entailment(settings.model_copy(update=changes).nli)
    assert opened is not None
    assert opened.name == str(folder)
