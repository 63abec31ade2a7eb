"""Measures of verdicts on claims: a function from a record to its value, None where the measure does not apply."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from assistant.schema import Verdict
from eval.measures.answers import contains_evidence
from eval.runs.records import ClaimRecord


def _accuracy(record: ClaimRecord) -> float:
    """Return 1 if the verdict agrees with the label; a failed claim counts as wrong."""
    return float(record.verdict is not None and (record.verdict is Verdict.SUPPORTED) == record.supported)


def _true_claim_marked(record: ClaimRecord) -> float | None:
    """Return 1 if a supported claim is marked as doubtful; a failed claim counts as marked."""
    if not record.supported:
        return None
    return float(record.verdict is None or record.verdict.is_doubtful)


def _three_way_accuracy(record: ClaimRecord) -> float | None:
    """Return 1 if the verdict is the label of the claim; a verdict of neither kind stands for "not stated"."""
    if not record.label or record.contradiction is None:
        return None
    verdict = str(record.verdict)
    return float(record.label == (verdict if verdict in ("supported", "contradicted") else "not stated"))


def _evidence_shown(record: ClaimRecord, passages: Sequence[str]) -> float | None:
    return float(contains_evidence(record.evidence, passages)) if record.evidence else None


CLAIM_MEASURES: dict[str, Callable[[ClaimRecord], float | None]] = {
    "accuracy": _accuracy,
    "three-way accuracy": _three_way_accuracy,
    "true claims marked": _true_claim_marked,
    "gold sentence behind it": lambda record: _evidence_shown(record, (record.passage,)),
    "gold sentence in top 3": lambda record: _evidence_shown(record, record.nearest),
}
