"""Any text has the same number of finite features, and its form is told apart from its topic."""

from __future__ import annotations

import numpy as np
import pytest

from assistant.question.form import form

TEXTS = [
    "",
    " ",
    "?",
    "a" * 10_000,
    "word " * 2_000,
    "\u202ehow do bees dance\u202c",
    "\x00\x07\x1b[31m",
    "\ud800 unpaired",
    "今日は、氷河はどうですか",
    "как дела",
    "مرحبا",
    "\N{WAVING HAND SIGN}" * 50,
]


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_has_features(text: str) -> None:
    features = form(text)
    assert features.shape == form("How do bees dance?").shape
    assert features.dtype == np.float32
    assert np.isfinite(features).all()
    assert np.abs(features).max() <= 20.0


def test_the_same_text_has_the_same_features() -> None:
    assert (form("How do bees dance?") == form("How do bees dance?")).all()


def test_the_order_of_words_is_a_feature() -> None:
    assert (form("is it dancing") != form("it is dancing")).any()
