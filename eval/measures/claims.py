"""Measures of verdicts on claims: a function from a record to its value, None where the measure does not apply."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from assistant.schema import Verdict
from eval.measures.answers import contains_evidence
from eval.runs.records import ClaimRecord


def _accuracy(record: ClaimRecord) -> float:
    """Return 1 if the verdict agrees with the label; a failed claim counts as wrong."""
    return float(record.verdict is not None and (record.verdict is Verdict.SUPPORTED) == record.supported)


def _evidence_shown(record: ClaimRecord, passages: Sequence[str]) -> float | None:
    return float(contains_evidence(record.evidence, passages)) if record.evidence else None


CLAIM_MEASURES: dict[str, Callable[[ClaimRecord], float | None]] = {
    "accuracy": _accuracy,
    "gold sentence behind it": lambda record: _evidence_shown(record, (record.passage,)),
    "gold sentence in top 3": lambda record: _evidence_shown(record, record.nearest),
}
