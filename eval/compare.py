"""Is one run better than another? Differences on the questions that both asked, with a paired bootstrap and test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import permutation_test

from assistant.errors import InputError
from eval import measures
from eval.measures import Array
from eval.records import Asked, Record
from eval.runs import Run

_RESAMPLES = 2000
_CONFIDENCE = 0.95
# Measures that put a question on one of two sides.
SIDES = ("R@1", "gold paper cited", "gold sentence quoted", "not answered firmly", "refused", "accuracy")


@dataclass(frozen=True, slots=True)
class Difference:
    """A measure in both runs. `low` and `high` bound the difference; `p`: how often chance alone makes one as large."""

    suite: str
    measure: str
    before: float
    after: float
    low: float
    high: float
    p: float
    questions: int


@dataclass(frozen=True, slots=True)
class Change:
    """A question that changed sides."""

    suite: str
    measure: str
    better: bool
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs side by side; `left_out` records were in one of them only."""

    before: str
    after: str
    differences: tuple[Difference, ...]
    changes: tuple[Change, ...]
    left_out: int


def compare(before: Run, after: Run) -> Comparison:
    """The second run beside the first. Raises InputError where no question was asked in both."""
    one, other = _by_key(before.records), _by_key(after.records)
    common = sorted(one.keys() & other.keys())
    if not common:
        raise InputError(after.name, f"asked no question that {before.name} asked too")
    if changed := [key for key in common if _asks(one[key]) != _asks(other[key])]:
        suite, name = changed[0]
        raise InputError(after.name, f"{len(changed)} questions differ from those of {before.name}, as {suite} {name}")
    pairs = [(one[key], other[key]) for key in common]
    return Comparison(
        before.name,
        after.name,
        tuple(_differences(pairs)),
        tuple(_changes(pairs)),
        len(one.keys() ^ other.keys()),
    )


def _by_key(records: Iterable[Record]) -> dict[tuple[str, str], Record]:
    return {(record.suite, record.id): record for record in records}


def _asks(record: Record) -> tuple[object, ...]:
    if isinstance(record, Asked):
        return record.question, record.papers, record.evidence
    return record.claim, record.paper, record.supported


Pairs = Sequence[tuple[Record, Record]]


def _differences(pairs: Pairs) -> Iterable[Difference]:
    for suite, own in _by_suite(pairs).items():
        before, after = (measures.values(records) for records in zip(*own, strict=True))
        for name in before:
            if both := sorted(before[name].keys() & after.get(name, {}).keys()):
                columns = tuple(np.array([values[name][each] for each in both]) for values in (before, after))
                yield _difference(suite, name, np.mean, columns[:1], columns[1:])
        yield from _joint(suite, own, measures.joint)
    # Confidence is compared where both replied: otherwise replies to different questions would stand side by side.
    yield from _joint(measures.TRUST, [pair for pair in pairs if all(map(_has_reply, pair))], measures.trust)


def _has_reply(record: Record) -> bool:
    return isinstance(record, Asked) and record.reply is not None


def _joint(
    suite: str, pairs: Pairs, measure: Callable[[Sequence[Record]], Mapping[str, measures.Joint]]
) -> Iterable[Difference]:
    before, after = (measure([pair[place] for pair in pairs]) for place in (0, 1))
    for name in before:
        yield _difference(suite, name, before[name].of, before[name].columns, after[name].columns)


def _difference(
    suite: str, name: str, of: Callable[..., float], before: tuple[Array, ...], after: tuple[Array, ...]
) -> Difference:
    one, other = float(of(*before)), float(of(*after))
    low = high = other - one
    p = 1.0
    if len(before[0]) > 1 and any(not np.array_equal(*columns) for columns in zip(before, after, strict=True)):
        low, high = _interval(of, before, after)
        p = _chance(of, before, after)
    return Difference(suite, name, one, other, low, high, p, len(before[0]))


def _interval(of: Callable[..., float], before: tuple[Array, ...], after: tuple[Array, ...]) -> tuple[float, float]:
    """Percentile bootstrap over questions, each drawn with what both runs made of it.

    Efron and Tibshirani 1993, "An introduction to the bootstrap", chapter 13. Drawn here rather than by scipy, which
    takes no draw without a figure, as of claims that all happen to be supported.
    """
    count = len(before[0])
    draws = np.random.default_rng(0).integers(0, count, (_RESAMPLES, count))
    drawn = np.array([of(*(each[own] for each in after)) - of(*(each[own] for each in before)) for own in draws])
    low, high = np.quantile(drawn[np.isfinite(drawn)], [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2])
    return float(low), float(high)


def _chance(of: Callable[..., float], before: tuple[Array, ...], after: tuple[Array, ...]) -> float:
    """Randomisation test: how often the difference is as large where chance says which run a reply is of.

    Unlike the bootstrap's it is never zero, and tells that two or three questions prove nothing. Smucker, Allan and
    Carterette 2007, "A comparison of statistical significance tests for information retrieval evaluation".
    """
    both = [np.concatenate(columns) for columns in zip(before, after, strict=True)]
    places = np.arange(len(both[0])).reshape(2, -1)

    def difference(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
        return float(of(*(column[other] for column in both))) - float(of(*(column[one] for column in both)))

    found = permutation_test(
        tuple(places),
        difference,
        permutation_type="samples",
        vectorized=False,
        n_resamples=_RESAMPLES,
        rng=np.random.default_rng(0),
    )
    return float(found.pvalue)


def _by_suite(pairs: Pairs) -> dict[str, Pairs]:
    found: dict[str, list[tuple[Record, Record]]] = {}
    for pair in pairs:
        found.setdefault(pair[0].suite, []).append(pair)
    return dict(found)


def _changes(pairs: Pairs) -> Iterable[Change]:
    for suite, own in _by_suite(pairs).items():
        before, after = (measures.values(records) for records in zip(*own, strict=True))
        for name in SIDES:
            for record, _ in own:
                was, now = before.get(name, {}).get(record.id), after.get(name, {}).get(record.id)
                if was is not None and now is not None and (was >= 1) != (now >= 1):
                    text = record.question if isinstance(record, Asked) else record.claim
                    yield Change(suite, name, now > was, record.id, text)
