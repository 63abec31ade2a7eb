from __future__ import annotations

import pytest

from assistant.verification.proper_names import mentions, names


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Trained on ImageNet, it is best.", ["ImageNet"]),
        ("Bees dance. Glaciers melt.", []),
        ("Of the bees in Bavaria's hives", ["Bavaria"]),
        ("GPT-4o and T5 beat BERT; BERT is older", ["GPT-4o", "T5", "BERT"]),
        ("nothing is named, not even 42 of them", []),
        ("", []),
    ],
)
def test_names_are_capitals_within_a_sentence_and_words_with_capitals_or_digits_inside(
    text: str, found: list[str]
) -> None:
    assert names(text) == found


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("results on ImageNet", "ImageNet"),
        ("results on image-net", "ImageNet"),
        ("large language models", "LLM"),
        ("large language models", "LLMs"),
        ("GPT4 is good", "GPT-4"),
        ("the MS-MARCO passages", "MSMARCO"),
        ("harder than $\\text{MATH}^2$", "MATH²"),
        ("an $R^2$ of 0.9", "R²"),
    ],
)
def test_a_text_speaks_of_a_name_however_it_is_written(text: str, name: str) -> None:
    assert mentions(text, name)


@pytest.mark.parametrize(("text", "name"), [("results on CIFAR", "ImageNet"), ("a dance", "DNA"), ("", "BERT")])
def test_a_text_does_not_speak_of_another_name(text: str, name: str) -> None:
    assert not mentions(text, name)
