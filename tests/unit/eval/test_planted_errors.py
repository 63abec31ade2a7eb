"""Planting lies in answers and counting those that are marked."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from eval.training.perturb import paraphrase
from tests.conftest import Run


def test_lies_and_true_sentences_are_counted_by_source_and_kind(evaluate: Callable[..., Run]) -> None:
    figures = evaluate("lies", "--split", "dev", "--limit", 6, "--json").json
    assert set(figures) == {
        "true: claims",
        "lies: claims",
        "lies: claims made wrong",
        "true: sentences",
        "lies: sentences made wrong",
    }
    assert figures["true: sentences"]["as they stand"].startswith("0.000 of ")
    for kinds in figures.values():
        whole, *parts = (int(told.split(" of ")[1]) for told in kinds.values())
        assert whole == sum(parts) > 0
        assert all(0 <= float(told.split(" of ")[0]) <= 1 for told in kinds.values())


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("We show that it gains 41 %.", "The authors report that they demonstrate that it gains 41 percent."),
        ("BERT improves our results.", "The authors report that BERT raises their results."),
    ],
)
def test_a_sentence_paraphrase_says_the_same(sentence: str, told: str) -> None:
    assert paraphrase(sentence) == told
