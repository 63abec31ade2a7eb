"""Tables of figures: a row for each measure, a column for each group of questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import TypeAlias

from eval.measures.answers import ANSWER_MEASURES
from eval.measures.calibration import JointMeasure, style_auc, support_measures, trust_families, trust_measures
from eval.measures.claims import CLAIM_MEASURES
from eval.measures.conversations import INTENT_MEASURES, REWRITING_MEASURES
from eval.measures.costs import COST_MEASURES
from eval.measures.disagreement import SIDES_MEASURES
from eval.measures.forms import FORM_MEASURES
from eval.measures.ranking import ranking
from eval.measures.readability import readability_measures
from eval.runs.records import (
    ClaimRecord,
    IntentRecord,
    QuestionRecord,
    Record,
    RecordType,
    RewritingRecord,
    SidesRecord,
    group_by_suite,
    of_type,
)
from eval.suites import SPLITS

# Measure, then group of questions with `all` first, then figure.
Table: TypeAlias = dict[str, dict[str, float]]
# Measure, then record id, then value.
Values: TypeAlias = dict[str, dict[str, float]]

LOWER_IS_BETTER = frozenset(
    {
        "area under risk-coverage",
        "Brier score",
        "true claims marked",
        "words an answer",
        "sentences an answer",
        "sentences that do not stand alone",
        "false alarms",
        "false alarms: uncited",
        "needless suggestions",
        "wrong cells",
        *COST_MEASURES,
    }
)
# The column beside the ROC AUC of confidence: what the wording of the questions gives to a model that reads no paper.
QUESTION_ALONE = "question alone"
# Columns of a table; the groups of one with more become rows.
_MAX_COLUMNS = 12


def figures(records: Sequence[Record]) -> dict[str, Table]:
    """Return the table of each suite, and that of `trust` if answerable and unanswerable questions were asked."""
    tables = {suite: _table(members) for suite, members in group_by_suite(records).items()}
    tables |= {name: _trust_table(members) for name, members in trust_families(records).items()}
    return {suite: table for suite, table in tables.items() if table}


def values(records: Sequence[Record]) -> Values:
    """Return the values of each measure that is a mean, for the records that it applies to."""
    questions = of_type(records, QuestionRecord)
    by_measure = _question_values(questions) | _apply(readability_measures() | COST_MEASURES, questions)
    by_measure |= _apply(CLAIM_MEASURES, of_type(records, ClaimRecord))
    by_measure |= _apply(SIDES_MEASURES, of_type(records, SidesRecord))
    by_measure |= _apply(INTENT_MEASURES, of_type(records, IntentRecord))
    return by_measure | _apply(REWRITING_MEASURES, of_type(records, RewritingRecord))


def groups(records: Sequence[Record]) -> dict[str, tuple[str, ...]]:
    """Return the groups of each record by its id, the split first; a group that all records share is left out."""
    by_record = {record.id: _groups(record) for record in records}
    if len({record.split for record in records}) < 2:
        return {name: members[1:] for name, members in by_record.items()}
    return by_record


def blocks(name: str, table: Table) -> dict[str, Table]:
    """Return a table as tables that fit a page: one with many groups has those other than the splits as rows."""
    columns = {column for row in table.values() for column in row}
    if len(columns) <= _MAX_COLUMNS:
        return {name: table}
    splits = {
        measure: {group: row[group] for group in ("all", *SPLITS) if group in row} for measure, row in table.items()
    }
    by_group: Table = {}
    for measure, row in table.items():
        for group, value in row.items():
            if group not in splits[measure]:
                by_group.setdefault(group, {})[measure] = value
    return {name: splits, f"{name}, by group": by_group}


def _question_values(questions: Sequence[QuestionRecord]) -> Values:
    """Return the values of search and answers; questions with an expected form have measures of their own."""
    formed = [record for record in questions if record.expectation]
    others = [record for record in questions if not record.expectation]
    by_measure = ranking([record for record in others if record.answerable]) | _apply(ANSWER_MEASURES, others)
    for name, by_record in _apply(FORM_MEASURES, formed).items():
        by_measure.setdefault(name, {}).update(by_record)
    return by_measure


def _apply(measures: Mapping[str, Callable[[RecordType], float | None]], records: Sequence[RecordType]) -> Values:
    by_measure = {
        name: {record.id: value for record in records if (value := measure(record)) is not None}
        for name, measure in measures.items()
    }
    return {name: by_record for name, by_record in by_measure.items() if by_record}


def _table(records: Sequence[Record]) -> Table:
    members = groups(records)
    means = {name: _mean_by_group(by_record, members) for name, by_record in values(records).items()}
    return means | _joint_rows(support_measures(records))


def _joint_rows(measures: Mapping[str, JointMeasure]) -> Table:
    return {name: {"all": measure.value} for name, measure in measures.items()}


def _trust_table(records: Sequence[Record]) -> Table:
    table = _joint_rows(trust_measures(records))
    if table and (style := style_auc(records)) is not None:
        table["ROC AUC of confidence"][QUESTION_ALONE] = style
    return table


def _groups(record: Record) -> tuple[str, ...]:
    """Return the split; then label, label and wording of an annotated claim; then the difficulty or kind."""
    strata: tuple[str, ...] = ()
    if isinstance(record, ClaimRecord) and record.label:
        strata = (record.label, f"{record.label}, {record.wording}")
    kind = (record.group,) if record.group not in ("all", record.suite) else ()
    return (record.split, *strata, *kind)


def _mean_by_group(by_record: Mapping[str, float], groups: Mapping[str, Sequence[str]]) -> dict[str, float]:
    members: dict[str, list[float]] = {"all": list(by_record.values())}
    for level in range(max(map(len, groups.values()), default=0)):  # splits come before the other groups
        for record_id, value in by_record.items():
            for group in groups[record_id][level : level + 1]:
                members.setdefault(group, []).append(value)
    return {group: fmean(group_values) for group, group_values in members.items()}
