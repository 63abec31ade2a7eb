"""Figures as text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eval import judge, measures
from eval.compare import Change, Comparison, Difference
from eval.measures import Table
from eval.runs import Run


def run(found: Run) -> str:
    """A table a suite, a row a measure, a column a group of questions; then the cost."""
    parts = [_table(suite, table) for suite, table in measures.figures(found.records).items()]
    parts += [_cost(found), *_judged(found), f"run {found.name}: {len(found.records)} questions"]
    return "\n\n".join(parts)


def nested(figures: Mapping[str, Any], indent: str = "") -> str:
    """Names and values, a line each, what belongs together indented."""
    lines = []
    for name, value in figures.items():
        if isinstance(value, Mapping):
            lines += [f"{indent}{name}", nested(value, indent + "  ")]
        else:
            lines.append(f"{indent}{name:{44 - len(indent)}}{f'{value:12.3f}' if isinstance(value, float) else value}")
    return "\n".join(lines)


def comparison(found: Comparison) -> str:
    """A row a measure, then the questions that changed sides."""
    lines = [f"{found.before} -> {found.after}, the difference with its 95 % interval"]
    lines += [_difference(each) for each in found.differences]
    if found.left_out:
        lines.append(f"{found.left_out} questions were asked in one of the runs only, and left out")
    lines += [_change(each) for each in found.changes]
    return "\n".join(lines)


def _change(each: Change) -> str:
    return f"{'better' if each.better else 'worse '}  {each.suite} {each.id}, {each.measure}: {each.text}"


def _difference(each: Difference) -> str:
    change = f"{each.after - each.before:+.3f} [{each.low:+.3f}, {each.high:+.3f}]"
    figures = f"{each.before:.3f} -> {each.after:.3f}"
    return f"{each.suite:14}{each.measure:28}{figures}  {change}  p = {each.p:.3f}, {each.questions} questions"


def _table(suite: str, table: Table) -> str:
    groups = list(dict.fromkeys(group for row in table.values() for group in row))
    lines = [f"{suite:28}" + "".join(f"{group:>12}" for group in groups)]
    lines += [f"{name:28}" + "".join(_cell(row.get(group)) for group in groups) for name, row in table.items()]
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    return " " * 12 if value is None else f"{value:12.3f}"


def _cost(found: Run) -> str:
    lines = [f"{'milliseconds':28}" + "".join(f"{name:>12}" for name in ("p50", "p95", "max"))]
    for stage, row in measures.cost(found.records).items():
        lines.append(f"{stage.removesuffix('_ms'):28}" + "".join(f"{value:12.1f}" for value in row.values()))
    if found.about.peak_memory:
        lines.append(f"{'peak memory, MB':28}{found.about.peak_memory:12.0f}")
    if counted := measures.tokens(found.records):
        lines.append(f"{'tokens in, out':28}{counted[0]:12}{counted[1]:12}")
        if found.about.prices:
            money = measures.money(counted, found.about.prices)
            lines.append(f"{'money':28}{money:12.4f}")
    return "\n".join(lines)


def _judged(found: Run) -> list[str]:
    """How the judge agrees with the deterministic measures, and how often it gave no score."""
    votes, none = judge.counts(found.records)
    if not votes:
        return []
    lines = [f"judge: {votes} votes, {none} of them without a score and left out of the mean"]
    for name, value in judge.agreement(found.records).items():
        lines.append(f"  rank correlation with {name}: {'null' if value is None else f'{value:.2f}'}")
    return ["\n".join(lines)]
