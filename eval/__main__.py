"""`python -m eval`: measure how well the assistant answers, and how fast."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant import factory
from assistant.answering import calibration, firm_risk
from assistant.errors import InputError, PaperchatError
from assistant.settings import Settings
from eval import bench_commands
from eval.command_line import AsJson, settings_of

if TYPE_CHECKING:
    from eval.runs.storage import Run
    from eval.suites.selection import Suite

app = typer.Typer(
    help="Measure how well the assistant searches, answers and verifies, and how fast.",
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(bench_commands.app)

# The size of a self-test, in papers and questions.
_PAPERS, _QUESTIONS = 1000, 150

Name = Annotated[str | None, typer.Option(help="Name of the run; an interrupted run of this name is resumed.")]
Split = Annotated[str | None, typer.Option(help="dev or test; by default both.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Draw this many items of each suite, always the same ones.")]
Answers = Annotated[bool, typer.Option(help="Request answers; --no-answers only searches, which is much faster.")]
Model = Annotated[str | None, typer.Option(help="Who writes the answers: extractive, or PROVIDER/MODEL.")]


@app.command()
def run(
    suite: Annotated[
        list[str] | None,
        typer.Option(
            help="single, multi, unanswerable, dialogs, claims, forms; abstracts, or one of abstracts-questions, "
            "-near, -claims, -intents, -dialogs; disagreement; a folder or a file; repeatable; or drafts, or tables."
        ),
    ] = None,
    split: Split = None,
    limit: Limit = None,
    answers: Answers = True,
    llm: Model = None,
    strategy: Annotated[
        str | None, typer.Option(help="How a language model writes them: single, best-of-n, self-moa, refine.")
    ] = None,
    name: Name = None,
    workers: Annotated[int, typer.Option(min=1, help="Questions asked concurrently, for a remote model.")] = 1,
    judge: Annotated[str | None, typer.Option(help="A language model that scores the answers as well.")] = None,
    votes: Annotated[int, typer.Option(min=1, help="How many times the judge scores each answer.")] = 1,
    price: Annotated[
        tuple[float, float] | None, typer.Option(help="Price of a million tokens read, and of a million written.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run suites over the seeds, the annotated abstracts, a folder, or your own library (a file); store and print."""
    from eval.runs import execution
    from eval.suites import tables

    if suite == ["drafts"]:
        _measure_drafts(split, as_json)
        return
    if suite == [tables.NAME]:
        figures = tables.report(settings_of(), split)
        typer.echo(json.dumps(figures) if as_json else tables.format_report(figures))
        return
    options = execution.RunOptions(tuple(suite or ()), split, limit, answers, judge, votes)
    _print_run(
        execution.run(settings_of(llm=llm, strategy=strategy), options, _announced(name), workers, price), as_json
    )


@app.command()
def selftest(
    papers: Annotated[int, typer.Option(min=1, help="Use at most this many papers of the library.")] = _PAPERS,
    questions: Annotated[int, typer.Option(min=3, help="Ask at most this many questions.")] = _QUESTIONS,
    name: Name = None,
    as_json: AsJson = False,
) -> None:
    """Test your own library with questions generated from its papers, without a language model."""
    from eval.measures import firm_risks
    from eval.runs import execution
    from eval.suites.selftest import NAME

    settings = settings_of()
    suites = [_selftest_suite(settings, papers, questions)]
    result = execution.run_suites(settings, suites, execution.RunOptions((NAME,)), _announced(name))
    for risk in firm_risks(result.records).values():
        firm_risk.store(settings.home, risk)
    _print_run(result, as_json)


@app.command()
def compare(
    before: str, after: Annotated[list[str], typer.Argument(help="One run or more.")], as_json: AsJson = False
) -> None:
    """Compare a run with others: worth and cost side by side, differences with intervals, and what changed.

    A difference has a confidence interval and a p-value; the questions that changed are listed.
    """
    from eval import side_by_side, terminal
    from eval.compare import compare as compare_runs

    first, *others = [_load_run(name) for name in (before, *after)]
    beside = side_by_side.side_by_side([first, *others])
    comparisons = [compare_runs(first, other) for other in others]
    if as_json:
        listed = [asdict(comparison) for comparison in comparisons]
        typer.echo(json.dumps(listed[0] | {"side_by_side": asdict(beside), "further": listed[1:]}))
        return
    parts = [terminal.format_side_by_side(beside), *map(terminal.format_comparison, comparisons)]
    typer.echo("\n\n".join(filter(None, parts)))


@app.command()
def report(
    runs: list[str],
    to: Annotated[Path | None, typer.Option(help="File to write; by default report.html in the first run.")] = None,
) -> None:
    """Write runs as one self-contained HTML page."""
    from eval.report import page
    from eval.runs import storage

    file = to or storage.find_run(settings_of().home, runs[0]) / "report.html"
    text = page([_load_run(name) for name in runs])
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(str(file), f"cannot be written: {error.strerror}; name another file with --to") from error
    typer.echo(f"written: {file}")


@app.command()
def gate(
    small: Annotated[bool, typer.Option("--slice", help="Check only a small slice of each suite.")] = False,
    stored: Annotated[str | None, typer.Option("--run", help="Check a stored run instead of a new one.")] = None,
) -> None:
    """Check the figures against the floors in eval/floors.toml; exit with 1 if any is below its floor."""
    from eval import measures, terminal
    from eval.gate import floors_of, gate_run, read_floors, regressions, workbench_figures

    floors = read_floors()
    result = _load_run(stored) if stored else gate_run(floors, settings_of(), _announced(None), small)
    figures = measures.figures(result.records)
    typer.echo(terminal.format_run(result))
    below = regressions(floors_of(floors["slice" if small else "whole"], result.description.items), figures)
    if not (small or stored):
        below += regressions(floors.get("workbench", {}), workbench_figures(settings_of(), typer.echo))
    for regression in below:
        typer.echo(f"fell: {regression}", err=True)
    raise typer.Exit(int(bool(below or _warn_if_incomplete(result))))


@app.command()
def calibrate(
    suite: Annotated[Path | None, typer.Option(help="Folder of a collection; by default the seeds.")] = None,
    own: Annotated[bool, typer.Option("--own", help="Use the questions of selftest, about your own library.")] = False,
) -> None:
    """Fit what turns readings into confidences on the dev split, and print it; with --own, store it for the library."""
    from eval.training.calibrate import calibrate as fit

    if suite and own:
        raise InputError("calibrate", "--suite and --own are two sources of questions: give one of them")
    settings = settings_of()
    fitted = fit(settings, _selftest_suite(settings) if own else suite)
    typer.echo(str(fitted))
    if own:
        models = factory.calibrated_models(factory.open_embedder(settings))
        typer.echo(f"  stored: {calibration.store(fitted.calibration, models, settings.home)}")


@app.command()
def fit_embedder(
    data: Annotated[Path, typer.Option(help="Folder of the data that paperchat was trained on, which has judge/.")],
    answers: Annotated[bool, typer.Option(help="Fit the calibration of answers too, which takes longer.")] = True,
) -> None:
    """Fit what depends on the vectors of the embedder of the settings, and store it beside its models."""
    from eval.training.fit_embedder import fit_embedder as fit

    for figures in fit(settings_of(), data, with_answers=answers):
        typer.echo(figures)


def _measure_drafts(split: str | None, as_json: bool) -> None:
    """Print the figures of the check of drafts; they are not stored as a run, which is about questions."""
    from eval.measures import drafts

    measured = drafts.measure_drafts(settings_of(), split)
    typer.echo(json.dumps(measured) if as_json else drafts.table(measured))


def _selftest_suite(settings: Settings, papers: int = _PAPERS, questions: int = _QUESTIONS) -> Suite:
    """Generate questions from the library of the settings."""
    from eval.suites.selftest import generate_suite

    with closing(factory.open_catalog(settings)) as catalog:
        return generate_suite((paper for paper in catalog.papers.all() if paper.abstract), papers, questions)


def _announced(name: str | None) -> str:
    """Return the name of the run, and print it before the first question: an interrupted run resumes under it."""
    from eval.runs import storage

    name = name or storage.new_name()
    typer.echo(f"run {name}; if it is interrupted, --name {name} resumes it", err=True)
    return name


def _print_run(result: Run, as_json: bool) -> None:
    """Print a run; exit with 1 if it is incomplete, and say how to complete it."""
    from eval import measures, terminal

    if as_json:
        figures, costs = measures.figures(result.records), measures.costs(result.records)
        summary = {"run": result.description.to_json(), "failed": len(result.failed), "missing": result.missing}
        risks = {name: asdict(risk) for name, risk in measures.firm_risks(result.records).items()}
        typer.echo(json.dumps(summary | {"figures": figures, "firm_risk": risks, "cost": costs}))
    else:
        typer.echo(terminal.format_run(result))
    if _warn_if_incomplete(result):
        raise typer.Exit(1)


def _warn_if_incomplete(result: Run) -> bool:
    """Return whether questions failed or are missing, and print which to standard error."""
    again = f"the same command with --name {result.name} asks them"
    if result.failed:
        first = result.failed[0].error
        typer.echo(f"{len(result.failed)} questions failed ({first}) and count as zero; {again} again", err=True)
    if result.missing:
        typer.echo(f"{result.missing} questions of run {result.name} were never asked; {again}", err=True)
    return bool(result.failed or result.missing)


def _load_run(name: str) -> Run:
    from eval.runs import storage

    return storage.load(settings_of().home, name)


def main() -> None:
    """Run the command; an error in the input, or a library that is not installed, ends it with one line."""
    try:
        app(prog_name="python -m eval")
    except PaperchatError as error:
        sys.exit(f"eval: {error}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("assistant", "ingest", "ui", "eval"):
            raise
        sys.exit(f"eval: {error.name} is not installed; install it with: pip install 'paperchat[eval]'")


if __name__ == "__main__":
    main()
