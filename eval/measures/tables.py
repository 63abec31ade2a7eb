"""Tables of figures: a row for each measure, a column for each group of questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import TypeAlias, TypeVar

from eval.measures.answers import ANSWER_MEASURES
from eval.measures.calibration import TRUST, JointMeasure, support_measures, trust_measures
from eval.measures.claims import CLAIM_MEASURES
from eval.measures.ranking import ranking
from eval.runs.records import ClaimRecord, QuestionRecord, Record, group_by_suite, split_by_type

# Measure, then group of questions with `all` first, then figure.
Table: TypeAlias = dict[str, dict[str, float]]
# Measure, then record id, then value.
Values: TypeAlias = dict[str, dict[str, float]]
RecordType = TypeVar("RecordType", QuestionRecord, ClaimRecord)

LOWER_IS_BETTER = frozenset({"area under risk-coverage", "Brier score"})


def figures(records: Sequence[Record]) -> dict[str, Table]:
    """Return the table of each suite, and that of `trust` if answerable and unanswerable questions were asked."""
    tables = {suite: _table(members) for suite, members in group_by_suite(records).items()}
    tables[TRUST] = _joint_rows(trust_measures(records))
    return {suite: table for suite, table in tables.items() if table}


def values(records: Sequence[Record]) -> Values:
    """Return the values of each measure that is a mean, for the records that it applies to."""
    questions, claims = split_by_type(records)
    by_measure = ranking([record for record in questions if record.answerable])
    by_measure |= _apply(ANSWER_MEASURES, questions)
    return by_measure | _apply(CLAIM_MEASURES, claims)


def _apply(measures: Mapping[str, Callable[[RecordType], float | None]], records: Sequence[RecordType]) -> Values:
    by_measure = {
        name: {record.id: value for record in records if (value := measure(record)) is not None}
        for name, measure in measures.items()
    }
    return {name: by_record for name, by_record in by_measure.items() if by_record}


def _table(records: Sequence[Record]) -> Table:
    groups = {record.id: _groups(record) for record in records}
    if len({record.split for record in records}) < 2:
        groups = {name: members[1:] for name, members in groups.items()}  # the split would repeat the column `all`
    means = {name: _mean_by_group(by_record, groups) for name, by_record in values(records).items()}
    return means | _joint_rows(support_measures(records))


def _joint_rows(measures: Mapping[str, JointMeasure]) -> Table:
    return {name: {"all": measure.value} for name, measure in measures.items()}


def _groups(record: Record) -> tuple[str, ...]:
    """Return the split, then the difficulty or kind unless all records share it."""
    return (record.split, record.group) if record.group not in ("all", record.suite) else (record.split,)


def _mean_by_group(by_record: Mapping[str, float], groups: Mapping[str, Sequence[str]]) -> dict[str, float]:
    members: dict[str, list[float]] = {"all": list(by_record.values())}
    for level in range(2):  # splits come before the other groups
        for record_id, value in by_record.items():
            for group in groups[record_id][level : level + 1]:
                members.setdefault(group, []).append(value)
    return {group: fmean(group_values) for group, group_values in members.items()}
