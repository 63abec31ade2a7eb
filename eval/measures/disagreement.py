"""Measures of both sides of a claim: a function from a record to its value, None where it does not apply.

Only the papers that are known to take a side are judged: of another paper that is shown, nothing is known.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean

from eval.runs.records import SidesRecord, SideTaken

_TOP = 10


def _found(record: SidesRecord) -> dict[str, SideTaken]:
    return {side.paper: side for side in (record.taken or ())[:_TOP]}


def _recall(record: SidesRecord) -> float:
    """Return the share of the known papers among the first ten, on whichever side."""
    found = _found(record)
    return fmean(float(side.paper in found) for side in record.known)


def _recall_of_side(record: SidesRecord, supports: bool) -> float | None:
    found = _found(record)
    known = [side for side in record.known if side.supports is supports]
    return fmean(float(side.paper in found) for side in known) if known else None


def _right_side(record: SidesRecord) -> float | None:
    """Return the share of the known papers among the first ten that are on their side; None without any."""
    found = _found(record)
    judged = [float(found[side.paper].supports is side.supports) for side in record.known if side.paper in found]
    return fmean(judged) if judged else None


def _both_shown(record: SidesRecord) -> float | None:
    """Return 1 if a known paper is among the first ten on each side; None where only one side is known."""
    if len({side.supports for side in record.known}) < 2:
        return None
    found = _found(record)
    right = {
        side.supports for side in record.known if side.paper in found and found[side.paper].supports is side.supports
    }
    return float(len(right) == 2)


SIDES_MEASURES: dict[str, Callable[[SidesRecord], float | None]] = {
    "recall of sides at 10": _recall,
    "recall of supporting papers at 10": lambda record: _recall_of_side(record, supports=True),
    "recall of contradicting papers at 10": lambda record: _recall_of_side(record, supports=False),
    "side right among found": _right_side,
    "both sides shown rightly": _both_shown,
}
