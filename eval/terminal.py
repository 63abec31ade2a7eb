"""Format figures as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from eval import measures
from eval.compare import Difference, MeasureChange, RunComparison
from eval.measures import Table
from eval.runs import judge
from eval.runs.storage import Run
from eval.side_by_side import SideBySide

# The least widths of the first column of a table and of the others.
_FIRST_COLUMN, _COLUMN = 28, 12


def format_run(run: Run) -> str:
    """Format a table per suite, with a row for each measure and a column for each group, then the costs."""
    tables = measures.figures(run.records).items()
    parts = [_table(name, block) for suite, table in tables for name, block in measures.blocks(suite, table).items()]
    parts += [f"{name}: {risk}" for name, risk in measures.firm_risks(run.records).items()]
    parts += [_costs(run), *_judge(run), f"run {run.name}: {len(run.records)} questions"]
    return "\n\n".join(parts)


def format_nested(figures: Mapping[str, Any], indent: str = "") -> str:
    """Format names and values, one per line, with the content of a mapping indented."""
    lines = []
    for name, value in figures.items():
        if isinstance(value, Mapping):
            lines += [f"{indent}{name}", format_nested(value, indent + "  ")]
        else:
            lines.append(f"{indent}{name:{44 - len(indent)}}{f'{value:12.3f}' if isinstance(value, float) else value}")
    return "\n".join(lines)


def format_comparison(comparison: RunComparison) -> str:
    """Format a row for each measure, then the questions that changed from pass to fail or back."""
    lines = [f"{comparison.before} -> {comparison.after}, the difference with its 95 % interval"]
    lines += [_difference(difference) for difference in comparison.differences]
    if comparison.left_out:
        lines.append(f"{comparison.left_out} questions were asked in only one of the runs and are left out")
    lines += [_change(change) for change in comparison.changes]
    return "\n".join(lines)


def format_side_by_side(beside: SideBySide) -> str:
    """Format a row for each measure with a column for each run; nothing where no model wrote an answer."""
    if not any(beside.strategies):
        return ""
    widths = [max(_COLUMN, len(name) + 2, len(strategy) + 2) for name, strategy in _columns(beside)]
    head = f"{'side by side':{_FIRST_COLUMN}}" + "".join(map(_right, beside.runs, widths))
    lines = [head, " " * _FIRST_COLUMN + "".join(map(_right, beside.strategies, widths))]
    suite = ""
    for row in beside.rows:
        lines += [f"{row.suite}, {row.questions} questions"] if row.suite != suite else []
        suite = row.suite
        lines.append(f"  {row.measure:{_FIRST_COLUMN - 2}}" + "".join(map(_cell, row.means, widths)))
    return "\n".join(lines)


def _columns(beside: SideBySide) -> Iterable[tuple[str, str]]:
    return zip(beside.runs, beside.strategies, strict=True)


def _right(text: str, width: int) -> str:
    return f"{text:>{width}}"


def _change(change: MeasureChange) -> str:
    return f"{'better' if change.better else 'worse '}  {change.suite} {change.id}, {change.measure}: {change.text}"


def _difference(row: Difference) -> str:
    change = f"{row.after - row.before:+.3f} [{row.low:+.3f}, {row.high:+.3f}]"
    figures = f"{row.before:.3f} -> {row.after:.3f}"
    measure = row.measure if row.group == "all" else f"  {row.group}"
    return f"{row.suite:20}{measure:38}{figures}  {change}  p = {row.p:.3f}, {row.questions} questions"


def _table(suite: str, table: Table) -> str:
    groups = list(dict.fromkeys(group for row in table.values() for group in row))
    first = max(_FIRST_COLUMN, *(len(name) + 2 for name in (suite, *table)))
    widths = {group: max(_COLUMN, len(group) + 2) for group in groups}
    lines = [f"{suite:{first}}" + "".join(f"{group:>{width}}" for group, width in widths.items())]
    for name, row in table.items():
        lines.append(f"{name:{first}}" + "".join(_cell(row.get(group), width) for group, width in widths.items()))
    return "\n".join(lines)


def _cell(value: float | None, width: int) -> str:
    return " " * width if value is None else f"{value:{width}.3f}"


def _costs(run: Run) -> str:
    lines = [f"{'milliseconds':28}" + "".join(f"{name:>12}" for name in ("p50", "p95", "max"))]
    for stage, row in measures.costs(run.records).items():
        lines.append(f"{stage.removesuffix('_ms'):28}" + "".join(f"{value:12.1f}" for value in row.values()))
    if run.description.peak_memory:
        lines.append(f"{'peak memory, MB':28}{run.description.peak_memory:12.0f}")
    if counts := measures.tokens(run.records):
        lines.append(f"{'tokens in, out':28}{counts[0]:12}{counts[1]:12}")
        if run.description.prices:
            lines.append(f"{'money':28}{measures.price(counts, run.description.prices):12.4f}")
    return "\n".join(lines)


def _judge(run: Run) -> list[str]:
    """Format the votes of the judge and its agreement with the deterministic measures, if it was used."""
    votes, invalid = judge.count_votes(run.records)
    if not votes:
        return []
    lines = [f"judge: {votes} votes, {invalid} of them without a score and left out of the mean"]
    for name, value in judge.agreement(run.records).items():
        lines.append(f"  rank correlation with {name}: {'null' if value is None else f'{value:.2f}'}")
    return ["\n".join(lines)]
