"""Milliseconds by stage, tokens and money; and what an answer of a language model costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from eval.runs.records import QuestionRecord, Record, of_type

_QUANTILES = 0.5, 0.95


def costs(records: Sequence[Record]) -> dict[str, dict[str, float]]:
    """Return the median, 95th percentile and maximum of the milliseconds of each stage."""
    stages: dict[str, list[float]] = {}
    for record in records:
        for stage, milliseconds in record.timings.items():
            stages.setdefault(stage, []).append(milliseconds)
    return {stage: _summary(milliseconds) for stage, milliseconds in stages.items()}


def tokens(records: Iterable[Record]) -> tuple[int, int] | None:
    """Count the tokens that a language model read and wrote; None if no model wrote an answer."""
    answers = [record.answer for record in of_type(records, QuestionRecord) if record.answer]
    counted = [answer for answer in answers if answer.tokens_in is not None]
    if not counted:
        return None
    return sum(answer.tokens_in or 0 for answer in counted), sum(answer.tokens_out or 0 for answer in counted)


def price(counts: tuple[int, int], prices: tuple[float, float]) -> float:
    """Return what the tokens read and written cost, at prices for a million of each."""
    return sum(count * million for count, million in zip(counts, prices, strict=True)) / 1e6


def _calls(record: QuestionRecord) -> float | None:
    return record.answer.calls if record.answer else None


def _tokens(record: QuestionRecord) -> float | None:
    """Return the tokens that were read and written for the answer."""
    answer = record.answer
    return None if answer is None or answer.tokens_in is None else answer.tokens_in + (answer.tokens_out or 0)


def _seconds(record: QuestionRecord) -> float | None:
    """Return the time to the whole answer, where a language model took part."""
    total_ms = record.timings.get("total_ms")
    return None if total_ms is None or _calls(record) is None else total_ms / 1000


# A function from a record to its value; None where no language model was called.
COST_MEASURES: dict[str, Callable[[QuestionRecord], float | None]] = {
    "calls an answer": _calls,
    "tokens an answer": _tokens,
    "seconds an answer": _seconds,
}


def _summary(milliseconds: Sequence[float]) -> dict[str, float]:
    median, high = np.quantile(milliseconds, _QUANTILES)
    return {"p50": float(median), "p95": float(high), "max": max(milliseconds)}
