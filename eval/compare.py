"""Compare two runs on the questions that both asked, with a paired bootstrap and a randomisation test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import permutation_test

from assistant.errors import InputError
from eval import measures
from eval.measures import JointMeasure
from eval.measures.calibration import Array
from eval.runs.records import ClaimRecord, QuestionRecord, Record, RewritingRecord, text_of
from eval.runs.storage import Run
from eval.suites import SPLITS

_RESAMPLES = 2000
_CONFIDENCE = 0.95
# Measures by which a question passes or fails.
PASS_MEASURES = (
    "R@1",
    "gold paper cited",
    "gold sentence quoted",
    "not answered firmly",
    "refused",
    "accuracy",
    "three-way accuracy",
    "research recognised",
    "intent accuracy",
    "follow-up recognised",
    "form recognised",
    "policy kept",
    "both sides cited",
)
# Measures that are compared within each group of questions, too.
STRATIFIED = (*PASS_MEASURES, "R@5", "R@10", "firm", "citation precision", "same papers in top 5")

Pairs: TypeAlias = Sequence[tuple[Record, Record]]
Columns: TypeAlias = tuple[Array, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """A measure in both runs, over a group of questions.

    `low` and `high` bound the difference, `p` is that of a two-sided randomisation test.
    """

    suite: str
    measure: str
    before: float
    after: float
    low: float
    high: float
    p: float
    questions: int
    group: str = "all"


@dataclass(frozen=True, slots=True)
class MeasureChange:
    """A question that passes a measure in one run and fails it in the other."""

    suite: str
    measure: str
    better: bool
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class RunComparison:
    """Two runs side by side; `left_out` counts the records that only one of them has."""

    before: str
    after: str
    differences: tuple[Difference, ...]
    changes: tuple[MeasureChange, ...]
    left_out: int


def compare(before: Run, after: Run) -> RunComparison:
    """Compare two runs. Raises InputError if they share no question, or ask different questions under the same id."""
    first, second = _by_key(before.records), _by_key(after.records)
    common = sorted(first.keys() & second.keys())
    if not common:
        raise InputError(after.name, f"has no question in common with {before.name}")
    if changed := [key for key in common if _content(first[key]) != _content(second[key])]:
        suite, name = changed[0]
        raise InputError(after.name, f"{len(changed)} questions differ from those of {before.name}, as {suite} {name}")
    pairs = [(first[key], second[key]) for key in common]
    return RunComparison(
        before.name,
        after.name,
        tuple(_differences(pairs)),
        tuple(_changes(pairs)),
        len(first.keys() ^ second.keys()),
    )


def _by_key(records: Iterable[Record]) -> dict[tuple[str, str], Record]:
    return {(record.suite, record.id): record for record in records}


def _content(record: Record) -> tuple[object, ...]:
    text = text_of(record)
    if isinstance(record, QuestionRecord):
        return text, record.papers, record.evidence, record.expectation
    if isinstance(record, ClaimRecord):
        return text, record.paper, record.supported
    return text, record.reference if isinstance(record, RewritingRecord) else record.group


def _differences(pairs: Pairs) -> Iterable[Difference]:
    for suite, suite_pairs in _by_suite(pairs).items():
        yield from _mean_differences(suite, suite_pairs)
        yield from _joint_differences(suite, suite_pairs, measures.support_measures)
    # Confidence is compared only where both runs answered; otherwise different questions would be compared.
    answered = [pair for pair in pairs if all(map(_has_answer, pair))]
    for table, family in measures.trust_families([before for before, _ in answered]).items():
        members = {(record.suite, record.id) for record in family}
        family_pairs = [pair for pair in answered if (pair[0].suite, pair[0].id) in members]
        yield from _joint_differences(table, family_pairs, measures.trust_measures)


def _mean_differences(suite: str, pairs: Pairs) -> Iterable[Difference]:
    """Compare the measures of a suite that are means: over all questions, and some of them by group."""
    before, after = (measures.values(records) for records in zip(*pairs, strict=True))
    members = measures.groups([record for record, _ in pairs])
    for name in before:
        common = sorted(before[name].keys() & after.get(name, {}).keys())
        for group, ids in _groups(common, members, name).items():
            columns = [np.array([values[name][record_id] for record_id in ids]) for values in (before, after)]
            yield _difference(suite, name, np.mean, (columns[0],), (columns[1],), group)


def _groups(ids: Sequence[str], members: Mapping[str, Sequence[str]], measure: str) -> dict[str, Sequence[str]]:
    """Return the records that a measure is compared over: all, then those of each group but the splits."""
    by_group: dict[str, list[str]] = {"all": list(ids)} if ids else {}
    names = {group for record_id in ids for group in members[record_id]} if measure in STRATIFIED else set()
    for group in sorted(names - set(SPLITS)):
        by_group[group] = [record_id for record_id in ids if group in members[record_id]]
    return dict(by_group)


def _has_answer(record: Record) -> bool:
    return isinstance(record, QuestionRecord) and record.answer is not None


def _joint_differences(
    suite: str, pairs: Pairs, measure: Callable[[Sequence[Record]], Mapping[str, JointMeasure]]
) -> Iterable[Difference]:
    before, after = (measure([pair[run] for pair in pairs]) for run in (0, 1))
    for name in before:
        yield _difference(suite, name, before[name].function, before[name].columns, after[name].columns)


def _difference(
    suite: str, name: str, function: Callable[..., float], before: Columns, after: Columns, group: str = "all"
) -> Difference:
    first, second = float(function(*before)), float(function(*after))
    low = high = second - first
    p = 1.0
    if len(before[0]) > 1 and any(not np.array_equal(*columns) for columns in zip(before, after, strict=True)):
        low, high = _interval(function, before, after)
        p = _p_value(function, before, after)
    return Difference(suite, name, first, second, low, high, p, len(before[0]), group)


def _interval(function: Callable[..., float], before: Columns, after: Columns) -> tuple[float, float]:
    """Return the percentile interval of a bootstrap over questions, each drawn with its values in both runs.

    Efron and Tibshirani 1993, "An introduction to the bootstrap", chapter 13. Not scipy's, which fails on a resample
    without a figure, such as one in which all claims are supported.
    """
    count = len(before[0])
    resamples = np.random.default_rng(0).integers(0, count, (_RESAMPLES, count))
    if function is np.mean:
        differences = (after[0] - before[0])[resamples].mean(axis=1)
    else:
        differences = np.array(
            [
                function(*(column[rows] for column in after)) - function(*(column[rows] for column in before))
                for rows in resamples
            ]
        )
    bounds = [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2]
    low, high = np.quantile(differences[np.isfinite(differences)], bounds)
    return float(low), float(high)


def _p_value(function: Callable[..., float], before: Columns, after: Columns) -> float:
    """Return the p-value of a randomisation test that exchanges the values of the two runs at random.

    Unlike the bootstrap's it is never zero and shows that two or three questions prove nothing. Smucker, Allan and
    Carterette 2007, "A comparison of statistical significance tests for information retrieval evaluation".
    """
    columns = [np.concatenate(pair) for pair in zip(before, after, strict=True)]
    is_mean = function is np.mean  # which takes all permutations at once
    rows = np.arange(len(columns[0])).reshape(2, -1)

    def difference(first: NDArray[np.int64], second: NDArray[np.int64], axis: int = -1) -> Any:
        if is_mean:
            return columns[0][second].mean(axis=axis) - columns[0][first].mean(axis=axis)
        return function(*(column[second] for column in columns)) - function(*(column[first] for column in columns))

    result = permutation_test(
        tuple(rows),
        difference,
        permutation_type="samples",
        vectorized=is_mean,
        n_resamples=_RESAMPLES,
        rng=np.random.default_rng(0),
    )
    return float(result.pvalue)


def _by_suite(pairs: Pairs) -> dict[str, Pairs]:
    groups: dict[str, list[tuple[Record, Record]]] = {}
    for pair in pairs:
        groups.setdefault(pair[0].suite, []).append(pair)
    return dict(groups)


def _changes(pairs: Pairs) -> Iterable[MeasureChange]:
    for suite, suite_pairs in _by_suite(pairs).items():
        before, after = (measures.values(records) for records in zip(*suite_pairs, strict=True))
        for name in PASS_MEASURES:
            for record, _ in suite_pairs:
                old, new = before.get(name, {}).get(record.id), after.get(name, {}).get(record.id)
                if old is not None and new is not None and (old >= 1) != (new >= 1):
                    yield MeasureChange(suite, name, new > old, record.id, text_of(record))
