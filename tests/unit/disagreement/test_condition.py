from __future__ import annotations

import pytest

from assistant.disagreement.condition import condition


@pytest.mark.parametrize(
    "sentence",
    [
        "The benefit was seen only in patients older than 65 years, while the others had none.",
        "The effect depends on the learning rate schedule.",
        "Pruning helps when the model is large, and hurts otherwise.",
    ],
)
def test_a_condition_is_named_in_the_words_of_the_sentence(sentence: str) -> None:
    phrase = condition(sentence)
    assert phrase is not None
    assert phrase in sentence


@pytest.mark.parametrize(
    "sentence",
    ["", "?", "Statins lower cholesterol.", "We trained 40 models on three data sets.", "Bees dance in the dark."],
)
def test_a_plain_sentence_has_no_condition(sentence: str) -> None:
    assert condition(sentence) is None
