from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.tables.extraction import ValueForm, extract
from assistant.text.printable import one_line


@pytest.mark.parametrize(
    ("sentence", "value"),
    [
        ("It reaches an accuracy of 93% with 6,300 samples.", "93%"),
        ("We improve it from 55.6% to 81.6% on MATH.", "55.6%, 81.6%"),
        ("We studied 36 patients between visits.", "36 patients"),
        ("Training is 1.5x faster.", "1.5x"),
        ("No number stands here.", "No number stands here."),
    ],
)
def test_numbers_come_with_their_unit_or_what_they_count(sentence: str, value: str) -> None:
    assert extract(sentence, ValueForm.NUMBER) == value


@pytest.mark.parametrize(
    ("sentence", "value"),
    [
        ("We evaluate on the CIFAR-10 and ImageNet datasets.", "CIFAR-10, ImageNet"),
        ("Experiments on SQuAD 2.0 show gains.", "SQuAD 2.0"),
        ("MNIST is used.", "MNIST"),
        ("The code is at https://github.com/a/b.", "https://github.com/a/b"),
        ("Several corpora are used.", "Several corpora are used."),
    ],
)
def test_names_and_addresses_are_pulled_out(sentence: str, value: str) -> None:
    assert extract(sentence, ValueForm.NAME) == value


@given(st.text(max_size=200), st.sampled_from(ValueForm))
def test_a_value_never_has_words_that_its_sentence_lacks(sentence: str, form: ValueForm) -> None:
    text = one_line(sentence)
    assert all(part in text for part in extract(text, form).split(", ") if part)
