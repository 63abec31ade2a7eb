"""The network that the question adapter is fitted by: pieces belong to words, and MaxSim is that of a search."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from eval.training.examples import AnnotatedAbstract
from eval.training.retrieval_data import PaperVectors, Prepared, SearchText, annotated_texts
from eval.training.retrieval_network import LowRank, _owners, late_scores
from eval.training.retriever import WEIGHTS

RANDOM = np.random.default_rng(3)


def test_a_piece_belongs_to_the_content_word_that_it_is_part_of() -> None:
    text = SearchText("do re-rankers help?", ("a",), "dev", "hard")
    prepared = Prepared(text, (3, 6, 14), np.full(3, 1 / 3, dtype=np.float32), np.zeros(1, np.float32), (0,))
    spans = [(0, 0), (0, 2), (3, 5), (5, 6), (6, 10), (10, 13), (14, 18), (18, 19), (0, 0)]
    assert _owners(prepared, spans).tolist() == [-1, -1, 0, -1, 1, 1, 2, -1, -1]


def test_a_layer_starts_without_changes() -> None:
    linear = torch.nn.Linear(6, 4)
    inputs = torch.randn(2, 6)
    assert torch.equal(LowRank(linear, 2)(inputs), linear(inputs))


def test_maxsim_takes_the_most_similar_stored_word_of_each_word_by_its_weight() -> None:
    signs = tuple(RANDOM.choice(np.array([-1, 1], np.int8), size=(count, 16)) for count in (5, 0, 3))
    collection = PaperVectors(("a", "b", "c"), np.zeros((3, 16), np.float32), signs, ())
    words = torch.nn.functional.normalize(torch.randn(2, 16), dim=1)
    weights = torch.tensor([0.75, 0.25])
    scores = late_scores(words, weights, collection, [0, 1, 2])
    for row, stored in enumerate(signs):
        best = (stored @ words.numpy().T).max(axis=0) / 4 if len(stored) else np.zeros(2)
        assert float(scores[row]) == pytest.approx(float(best @ weights.numpy()), abs=1e-5)


def test_only_true_paraphrases_of_the_training_part_are_learnt_from_beside_questions() -> None:
    claims = (
        {"text": "true", "label": "supported", "wording": "paraphrased"},
        {"text": "close", "label": "supported", "wording": "close"},
        {"text": "false", "label": "contradicted", "wording": "paraphrased"},
    )
    questions = ({"text": "why?", "level": "hard"},)
    papers = [AnnotatedAbstract(part, "", ("A.",), part, questions, (), claims) for part in ("train", "dev")]
    assert [(text.text, text.part) for text in annotated_texts(papers)] == [
        ("why?", "train"),
        ("why?", "dev"),
        ("true", "train"),
    ]
    assert "easy" not in WEIGHTS
