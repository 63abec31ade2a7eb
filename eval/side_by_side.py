"""Put runs side by side: what their answers are worth, and what they cost, on the questions that all of them asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from assistant.errors import InputError
from eval import measures
from eval.measures import COST_MEASURES
from eval.runs.records import QuestionRecord, of_type
from eval.runs.storage import Run

# The worth of answers that are written; the costs come below.
WORTH = ("answered", "sentences supported", "gold paper cited", "gold sentence quoted", "words an answer")


@dataclass(frozen=True, slots=True)
class SideBySide:
    """A row for each measure of a suite with its mean in each run; None where it does not apply.

    `strategies` has for each run how a language model wrote its answers, "" without one.
    """

    runs: tuple[str, ...]
    strategies: tuple[str, ...]
    rows: tuple[MeasureRow, ...]


@dataclass(frozen=True, slots=True)
class MeasureRow:
    """A measure over the questions of a suite, by run."""

    suite: str
    measure: str
    questions: int
    means: tuple[float | None, ...]


def side_by_side(runs: Sequence[Run]) -> SideBySide:
    """Return the runs side by side. Raises InputError where fewer than two are given."""
    if len(runs) < 2:
        raise InputError("compare", "it takes two runs or more")
    asked = [{(record.suite, record.id): record for record in of_type(run.records, QuestionRecord)} for run in runs]
    common = [key for key in asked[0] if all(key in records for records in asked)]
    suites = dict.fromkeys(suite for suite, _ in common)
    rows = [
        row
        for suite in suites
        for row in _rows(suite, [[records[key] for key in common if key[0] == suite] for records in asked])
    ]
    names, strategies = tuple(run.name for run in runs), tuple(_strategies(records.values()) for records in asked)
    return SideBySide(names, strategies, tuple(rows))


def _rows(suite: str, records_by_run: Sequence[Sequence[QuestionRecord]]) -> list[MeasureRow]:
    values = [measures.values(records) for records in records_by_run]
    rows = []
    for measure in (*WORTH, *COST_MEASURES):
        means = tuple(fmean(by_measure[measure].values()) if measure in by_measure else None for by_measure in values)
        if any(mean is not None for mean in means):
            rows.append(MeasureRow(suite, measure, len(records_by_run[0]), means))
    return rows


def _strategies(records: Iterable[QuestionRecord]) -> str:
    """Return the strategies by which the answers were written, joined if they differ."""
    return ", ".join(sorted({record.answer.strategy for record in records if record.answer and record.answer.strategy}))
