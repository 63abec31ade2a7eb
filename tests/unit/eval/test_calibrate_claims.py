"""Fitting the weights of support: the labels count alike, and what is printed is what the module spells."""

from __future__ import annotations

import re

import numpy as np
import pytest

from assistant.schema import Paper
from assistant.verification.comparison import SupportFeatures
from eval.training import calibrate_claims
from eval.training.calibrate_claims import LabelledClaim
from eval.training.examples import CONTRADICTED, NOT_STATED, SUPPORTED
from tests.fakes import WordOverlapReader

LABELS = (CONTRADICTED, NOT_STATED, SUPPORTED)


def claims(count: int) -> list[LabelledClaim]:
    texts = {SUPPORTED: "bees dance", CONTRADICTED: "bees do not dance", NOT_STATED: "ants sing at night"}
    return [
        LabelledClaim(
            texts[label], Paper(f"p{number}", f"Bees dance. Owls sleep {number} hours.", "On bees"), label, "close"
        )
        for number in range(count)
        for label in LABELS
    ]


def test_the_features_of_a_claim_are_those_of_its_paper_with_the_title() -> None:
    reader = WordOverlapReader()
    labelled = claims(2)
    rows = calibrate_claims.read_features(labelled, reader)
    assert reader.pairs[0] == ("bees do not dance", ("On bees", "Bees dance.", "Owls sleep 0 hours."))
    for claim, row in zip(labelled, rows, strict=True):
        assert (row.supported > row.contradicted) == (claim.label == SUPPORTED) or claim.label == NOT_STATED


def test_a_wrong_number_is_a_feature() -> None:
    labelled = LabelledClaim("Owls sleep 9 hours.", Paper("p", "Owls sleep 3 hours."), CONTRADICTED, "close")
    (row,) = calibrate_claims.read_features([labelled], WordOverlapReader())
    assert row.wrong_number == 1.0


def test_the_fitted_weights_are_spelled_as_in_the_module_and_follow_the_reader() -> None:
    labelled = claims(20)
    printed = calibrate_claims.fit([(labelled, calibrate_claims.read_features(labelled, WordOverlapReader()))])
    for name, feature in (("SUPPORT", "supported"), ("CONTRADICTION", "contradicted")):
        (spelled,) = re.findall(
            rf"^{name} = LogisticModel\(-?\d+\.\d\d, SupportFeatures\((.*)\)\)$", printed, flags=re.MULTILINE
        )
        weights = SupportFeatures(
            **{key: float(value) for key, value in (pair.split("=") for pair in spelled.split(", "))}
        )
        assert getattr(weights, feature) > 0
    assert printed.count("60 claims: accuracy 1.000, area 1.000") == 2


def test_each_label_of_a_set_weighs_alike_however_often_it_occurs() -> None:
    labels = [SUPPORTED] * 6 + [CONTRADICTED] * 3 + [NOT_STATED]
    weights = calibrate_claims._equal_weights(labels)
    totals = [weights[np.array(labels) == label].sum() for label in LABELS]
    assert totals == pytest.approx([totals[0]] * 3)
