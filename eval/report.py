"""Write runs as one self-contained HTML page: tables, curves and the questions with the worst outcomes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment, StrictUndefined

from assistant.settings import Settings
from eval import measures
from eval.compare import STRATIFIED
from eval.runs.records import (
    ClaimRecord,
    IntentRecord,
    QuestionRecord,
    Record,
    RewritingRecord,
    SidesRecord,
    group_by_suite,
    of_type,
)
from eval.runs.storage import Run
from eval.suites import SPLITS

_TEMPLATE = Path(__file__).parent / "report.html"
_MAX_WORST = 20
_SHOWN_HITS = 5
_BARS = 24
# The lower end of the histogram in milliseconds: its logarithmic scale has no zero.
_MIN_LATENCY = 0.1
# The side of a square chart in its own units, with the origin at the lower left.
_SIDE = 100.0
# What is wrong with a question if a measure is zero, the most serious problem first.
_PROBLEMS = {
    "answered firmly, though no paper answers it": "not answered firmly",
    "relevant paper not retrieved": "R@10",
    "refused, though a relevant paper was retrieved": "answered",
    "answered, answered in part or refused by mistake": "policy kept",
    "no relevant paper cited": "gold paper cited",
    "taken to ask for something else": "form recognised",
    "wrong verdict": "accuracy",
    "taken for research, or not, by mistake": "research recognised",
    "taken for a follow-up, or not, by mistake": "follow-up recognised",
    "relevant paper ranked below the top 5": "R@5",
}


@dataclass(frozen=True, slots=True)
class WorstOutcome:
    """A question with a problem, the papers expected, the papers retrieved and the answer."""

    suite: str
    id: str
    text: str
    problem: str
    expected: tuple[str, ...]
    retrieved: tuple[str, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The content of the page for one run; points are in the units of a chart."""

    run: Run
    tables: dict[str, measures.Table]
    blocks: dict[str, measures.Table]
    stages: dict[str, dict[str, float]]
    tokens: tuple[int, int] | None
    changed_settings: dict[str, object]
    coverage: tuple[tuple[float, float], ...]
    reliability: tuple[tuple[float, float, int], ...]
    latency: tuple[tuple[float, float, float], ...]
    worst: tuple[WorstOutcome, ...]


def page(runs: Sequence[Run]) -> str:
    """Render the page. Text from papers, questions and models is escaped."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["log10"] = math.log10
    sheets = [_sheet(run) for run in runs]
    slowest = max((latency for run in runs for latency in _latencies(run.records)), default=0.0)
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        sheets=sheets,
        side_by_side=_side_by_side(sheets),
        side=_SIDE,
        slowest=max(slowest, 1.0),
        tallest=max((share for sheet in sheets for *_, share in sheet.latency), default=1.0),
        lower=measures.LOWER_IS_BETTER,
        price=measures.price,
    )


def _sheet(run: Run) -> Sheet:
    # The charts are those of one library: of the seeds, where a run asks about the annotated abstracts, too.
    families = measures.trust_families(run.records)
    confidence, correct, answerable = measures.confidences(next(iter(families.values()), []))
    both_labels = len(set(answerable)) == 2
    risks = measures.risk_coverage(confidence, correct) if both_labels else np.array([])
    bins = measures.reliability(confidence, answerable) if both_labels else []
    tables = measures.figures(run.records)
    return Sheet(
        run=run,
        tables=tables,
        blocks={
            name: block for suite, table in tables.items() for name, block in measures.blocks(suite, table).items()
        },
        stages=measures.costs(run.records),
        tokens=measures.tokens(run.records),
        changed_settings=_changed_settings(run.description.settings),
        coverage=tuple((_SIDE * count / len(risks), _SIDE * risk) for count, risk in enumerate(risks, start=1)),
        reliability=tuple((_SIDE * mean, _SIDE * share, count) for mean, share, count in bins),
        latency=tuple(_histogram(_latencies(run.records))),
        worst=tuple(sorted(_outcomes_with_problems(run.records), key=_severity)[:_MAX_WORST]),
    )


def _side_by_side(sheets: Sequence[Sheet]) -> dict[str, dict[str, list[float | None]]]:
    """Return, by suite and measure, the figure of each run; for some measures those of the groups, too."""
    suites: dict[str, dict[str, list[float | None]]] = {}
    for suite, measure in (
        (suite, measure) for sheet in sheets for suite, table in sheet.tables.items() for measure in table
    ):
        rows = [sheet.tables.get(suite, {}).get(measure, {}) for sheet in sheets]
        for group in _compared_groups(measure, rows):
            name = measure if group == "all" else f"{measure}, {group}"
            suites.setdefault(suite, {})[name] = [row.get(group) for row in rows]
    return suites


def _compared_groups(measure: str, rows: Iterable[Mapping[str, float]]) -> list[str]:
    """Return the groups whose figures stand side by side: all, and for some measures each but the splits."""
    groups = dict.fromkeys(group for row in rows for group in row)
    shown = groups if measure in STRATIFIED else {"all", measures.QUESTION_ALONE}
    return [group for group in groups if group in shown and group not in SPLITS]


def _changed_settings(settings: Mapping[str, object]) -> dict[str, object]:
    """Return the settings that differ from their defaults."""
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    return {name: value for name, value in settings.items() if value != defaults.get(name)}


def _latencies(records: Iterable[Record]) -> list[float]:
    return [record.timings["total_ms"] for record in records if "total_ms" in record.timings]


def _histogram(latencies: Sequence[float]) -> Iterable[tuple[float, float, float]]:
    """Return the bars of a histogram over log milliseconds: lower edge, upper edge and share of questions."""
    if not latencies:
        return []
    clipped = np.maximum(latencies, _MIN_LATENCY)
    counts, edges = np.histogram(clipped, np.geomspace(clipped.min() * 0.999, clipped.max() * 1.001, _BARS + 1))
    return [(float(edges[i]), float(edges[i + 1]), counts[i] / len(latencies)) for i in range(_BARS) if counts[i]]


def _outcomes_with_problems(records: Sequence[Record]) -> Iterable[WorstOutcome]:
    questions = of_type(records, QuestionRecord)
    titles = {paper.id: paper.title or paper.id for record in questions for paper in record.retrieved}
    for suite_records in group_by_suite(records).values():
        values = measures.values(suite_records)
        for record in suite_records:
            if problem := _problem(record, {name: by_record.get(record.id) for name, by_record in values.items()}):
                yield _outcome(record, problem, titles)


def _outcome(record: Record, problem: str, titles: Mapping[str, str]) -> WorstOutcome:
    if isinstance(record, ClaimRecord):
        verdict = f"{record.verdict}, support {record.support:.2f}, by: {record.passage}"
        return WorstOutcome(record.suite, record.id, record.claim, problem, (), (), verdict)
    if isinstance(record, RewritingRecord):
        return WorstOutcome(record.suite, record.id, record.turn, problem, (record.reference,), (), record.standalone)
    if isinstance(record, IntentRecord):
        return WorstOutcome(record.suite, record.id, record.message, problem, (record.group,), (), "")
    if isinstance(record, SidesRecord):
        known = tuple(f"{side.paper} {'supports' if side.supports else 'contradicts'}" for side in record.known)
        return WorstOutcome(record.suite, record.id, record.disputed, problem, known, (), "")
    return WorstOutcome(
        suite=record.suite,
        id=record.id,
        text=record.question,
        problem=problem,
        expected=tuple(titles.get(paper, paper) for paper in record.papers),
        retrieved=tuple(paper.title or paper.id for paper in record.retrieved[:_SHOWN_HITS]),
        answer=record.answer.text if record.answer else "",
    )


def _problem(record: Record, values: Mapping[str, float | None]) -> str | None:
    """Return the most serious problem of the outcome, None if there is none."""
    if record.error:
        return f"failed: {record.error}"
    return next((problem for problem, measure in _PROBLEMS.items() if values.get(measure) == 0), None)


def _severity(outcome: WorstOutcome) -> tuple[int, str, str]:
    order = list(_PROBLEMS)
    return order.index(outcome.problem) if outcome.problem in order else -1, outcome.suite, outcome.id
