"""What is evidence of nothing is told by its words."""

from __future__ import annotations

import numpy as np
import pytest

from assistant.digest.boilerplate import boilerplate_features, boilerplate_probability
from assistant.digest.standalone import BOILERPLATE_FROM, RolePrediction, predict


@pytest.mark.parametrize(
    "sentence",
    [
        "Code is available at https://example.org/ice.",
        "We believe our results will inspire further work in this area.",
        "We publicly release the code used for training and evaluating our models.",
    ],
)
def test_code_hopes_and_releases_are_boilerplate(sentence: str) -> None:
    assert boilerplate_probability(sentence) >= BOILERPLATE_FROM


@pytest.mark.parametrize(
    "sentence",
    [
        "Glaciers in the northern Alps lost a third of their ice between 1990 and 2020.",
        "Dropout with a rate of 0.5 lowers the error from 12.3 to 9.8 percent.",
        "The treatment reduced mortality by 12 % in patients older than 65.",
        "Small glaciers shrink first.",
        "The drug had no effect on blood pressure.",
    ],
)
def test_findings_are_not_boilerplate(sentence: str) -> None:
    assert boilerplate_probability(sentence) < BOILERPLATE_FROM


@pytest.mark.parametrize("sentence", ["", "x", "…", "\ud83d\ude00 " * 500, "word " * 5000])
def test_any_text_has_finite_features(sentence: str) -> None:
    assert np.isfinite(boilerplate_features(sentence.encode("utf-8", "replace").decode())).all()


def test_likely_boilerplate_is_that_whatever_else_it_is() -> None:
    assert RolePrediction(leans=0.9, boilerplate=BOILERPLATE_FROM).role == "boilerplate"
    assert predict("Code is available.", 6, "").role == "boilerplate"
