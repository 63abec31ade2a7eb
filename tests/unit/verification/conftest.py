from __future__ import annotations

import pytest

from assistant.logistic import LogisticModel
from assistant.verification import support
from assistant.verification.comparison import SupportFeatures


@pytest.fixture(autouse=True)
def plain_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the probabilities of a fake reader stand as they are, but for a wrong number: what is fitted is measured."""
    for name, weights in {
        "SUPPORT": SupportFeatures(1.0, 0.0, 1.0, 0.0, -3.0, -3.0, -3.0, 0.0),
        "CONTRADICTION": SupportFeatures(0.0, 1.0, 0.0, 1.0, 0.5, 0.5, 0.5, 0.0),
    }.items():
        monkeypatch.setattr(support, name, LogisticModel(0.0, weights))
