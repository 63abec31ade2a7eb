"""What is stored of the risk of firm answers, and how it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.answering import firm_risk
from assistant.answering.firm_risk import RiskThreshold
from assistant.errors import LibraryError


def test_a_stored_threshold_is_described_with_its_promise_and_its_size(tmp_path: Path) -> None:
    firm_risk.store(tmp_path, RiskThreshold(0.87, 0.05, 0.9, 120, 150))
    assert firm_risk.describe(tmp_path) == (
        "at most 5% cite no right paper from a confidence of 0.87, with 90% certainty "
        "(n = 120 of 150 questions), by the self-test"
    )


def test_that_no_confidence_keeps_the_risk_is_said(tmp_path: Path) -> None:
    firm_risk.store(tmp_path, RiskThreshold(None, 0.05, 0.9, 0, 150))
    assert "no confidence is high enough that at most 5% cite no right paper (n = 150" in firm_risk.describe(tmp_path)


def test_a_library_without_a_self_test_says_how_to_fit_it(tmp_path: Path) -> None:
    assert firm_risk.describe(tmp_path) == "not fitted: python -m eval selftest fits it"


@pytest.mark.parametrize("content", ["{", "[]", '{"threshold": 1}', "\udcff"])
def test_a_damaged_file_is_named_with_the_cure(tmp_path: Path, content: str) -> None:
    (tmp_path / firm_risk.FILE).write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(LibraryError, match=r"firm_risk\.json is damaged .* delete it: python -m eval selftest"):
        firm_risk.describe(tmp_path)
