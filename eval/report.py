"""Runs as one page of HTML that needs nothing else: tables, curves and the questions that went worst."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment, StrictUndefined

from assistant.settings import Settings
from eval import measures
from eval.records import Checked, Record
from eval.runs import Run

_TEMPLATE = Path(__file__).parent / "report.html"
_WORST = 20
_SHOWN_HITS = 5
_BARS = 24
# Milliseconds below which a reply is as good as immediate.
_FASTEST = 0.1
# Charts are drawn on a square of so many units, the origin at its lower left.
_SIDE = 100.0


@dataclass(frozen=True, slots=True)
class Worst:
    """A question that went badly, what was wanted and what was found."""

    suite: str
    id: str
    text: str
    why: str
    wanted: tuple[str, ...]
    found: tuple[str, ...]
    reply: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """A run as the page shows it; points are in the units of a chart."""

    run: Run
    tables: dict[str, measures.Table]
    stages: dict[str, dict[str, float]]
    tokens: tuple[int, int] | None
    changed: dict[str, object]
    coverage: tuple[tuple[float, float], ...]
    reliability: tuple[tuple[float, float, int], ...]
    latency: tuple[tuple[float, float, float], ...]
    worst: tuple[Worst, ...]


def page(runs: Sequence[Run]) -> str:
    """The page. Everything that comes from papers, questions or models is escaped."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["log10"] = math.log10
    sheets = [_sheet(run) for run in runs]
    top = max((took for run in runs for took in _totals(run.records)), default=0.0)
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        sheets=sheets,
        beside=_beside(sheets),
        side=_SIDE,
        slowest=max(top, 1.0),
        tallest=max((share for sheet in sheets for *_, share in sheet.latency), default=1.0),
        lower=measures.LOWER_IS_BETTER,
        money=measures.money,
    )


def _sheet(run: Run) -> Sheet:
    confidence, right, answerable = measures.confidences(run.records)
    with_both = len(set(answerable)) == 2
    curve = measures.risk_coverage(confidence, right) if with_both else np.array([])
    bins = measures.reliability(confidence, answerable) if with_both else []
    return Sheet(
        run=run,
        tables=measures.figures(run.records),
        stages=measures.cost(run.records),
        tokens=measures.tokens(run.records),
        changed=_changed(run.about.settings),
        coverage=tuple((_SIDE * (place + 1) / len(curve), _SIDE * risk) for place, risk in enumerate(curve)),
        reliability=tuple((_SIDE * told, _SIDE * true, count) for told, true, count in bins),
        latency=tuple(_histogram(_totals(run.records))),
        worst=tuple(sorted(_bad(run.records), key=_badness)[:_WORST]),
    )


def _beside(sheets: Sequence[Sheet]) -> dict[str, dict[str, list[float | None]]]:
    """For each suite its measures, with the figure in each run."""
    found: dict[str, dict[str, list[float | None]]] = {}
    for suite, measure in (
        (suite, each) for sheet in sheets for suite, table in sheet.tables.items() for each in table
    ):
        figures = [sheet.tables.get(suite, {}).get(measure, {}).get("all") for sheet in sheets]
        found.setdefault(suite, {})[measure] = figures
    return found


def _changed(settings: dict[str, object]) -> dict[str, object]:
    """The settings that are not the defaults."""
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    return {name: value for name, value in settings.items() if value != defaults.get(name)}


def _totals(records: Iterable[Record]) -> list[float]:
    return [record.timings["total_ms"] for record in records if "total_ms" in record.timings]


def _histogram(took: Sequence[float]) -> Iterable[tuple[float, float, float]]:
    """Bars of a histogram over the logarithm of milliseconds: from, to, and the share of questions."""
    if not took:
        return []
    floored = np.maximum(took, _FASTEST)
    counts, edges = np.histogram(floored, np.geomspace(floored.min() * 0.999, floored.max() * 1.001, _BARS + 1))
    return [(float(edges[i]), float(edges[i + 1]), counts[i] / len(took)) for i in range(_BARS) if counts[i]]


def _bad(records: Sequence[Record]) -> Iterable[Worst]:
    titles = {found.id: found.title or found.id for each in measures.split(records)[0] for found in each.found}
    for own in measures.by_suite(records).values():
        values = measures.values(own)
        for record in own:
            if why := _why(record, {name: each.get(record.id) for name, each in values.items()}):
                yield _worst(record, why, titles)


def _worst(record: Record, why: str, titles: Mapping[str, str]) -> Worst:
    if isinstance(record, Checked):
        verdict = f"{record.verdict}, support {record.support:.2f}, by: {record.passage}"
        return Worst(record.suite, record.id, record.claim, why, (), (), verdict)
    return Worst(
        suite=record.suite,
        id=record.id,
        text=record.question,
        why=why,
        wanted=tuple(titles.get(paper, paper) for paper in record.papers),
        found=tuple(each.title or each.id for each in record.found[:_SHOWN_HITS]),
        reply=record.reply.text if record.reply else "",
    )


def _why(record: Record, own: Mapping[str, float | None]) -> str | None:
    """What is wrong with what came of it, the gravest thing first; None where nothing is."""
    if record.error:
        return f"failed: {record.error}"
    return next((trouble for trouble, measure in _TROUBLES.items() if own.get(measure) == 0), None)


# What is wrong where a measure is zero, the gravest first.
_TROUBLES = {
    "answered firmly, though nothing in the library answers it": "not answered firmly",
    "not among the papers found": "R@10",
    "refused, though the paper was found": "answered",
    "another paper was cited": "gold paper cited",
    "wrong verdict": "accuracy",
    "found, but not among the first five": "R@5",
}


def _badness(worst: Worst) -> tuple[int, str, str]:
    order = list(_TROUBLES)
    return order.index(worst.why) if worst.why in order else -1, worst.suite, worst.id
