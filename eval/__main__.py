"""`python -m eval`: scripted evaluation runs."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant import factory
from assistant.errors import InputError, PaperchatError
from assistant.settings import Settings, load

if TYPE_CHECKING:
    from eval.runs import Run
    from eval.suites.selection import Exam

app = typer.Typer(help="How good the assistant is, in figures.", add_completion=False, pretty_exceptions_enable=False)

# Papers and questions of a test of one's own library.
_PAPERS, _QUESTIONS = 1000, 150

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Name = Annotated[str | None, typer.Option(help="The run's name; one that was interrupted goes on.")]
Split = Annotated[str | None, typer.Option(help="dev or test; both where not given.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Ask so many of each suite, always the same.")]
Answers = Annotated[bool, typer.Option(help="Ask for answers; without, only search, which is much faster.")]
Model = Annotated[str | None, typer.Option(help="Who writes the answers: extractive, or provider/model.")]


@app.command()
def run(
    suite: Annotated[
        list[str] | None, typer.Option(help="single, multi, unanswerable, dialogs, claims, a folder, or a file.")
    ] = None,
    split: Split = None,
    limit: Limit = None,
    answers: Answers = True,
    llm: Model = None,
    name: Name = None,
    workers: Annotated[int, typer.Option(min=1, help="Questions asked at a time, for a remote model.")] = 1,
    judge: Annotated[str | None, typer.Option(help="A language model that scores the answers as well.")] = None,
    votes: Annotated[int, typer.Option(min=1, help="How often the judge is asked about an answer.")] = 1,
    price: Annotated[
        tuple[float, float] | None, typer.Option(help="Money for a million tokens in, and for a million out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask the questions of the seeds' suites, of a collection in a folder, or of a file about your own library."""
    from eval.run import Asks
    from eval.run import run as ask

    asks = Asks(tuple(suite or ()), split, limit, answers, judge, votes)
    _show(ask(_settings(llm=llm), asks, _told(name), workers, price), as_json)


@app.command()
def selftest(
    papers: Annotated[int, typer.Option(min=1, help="The most papers of the library that take part.")] = _PAPERS,
    questions: Annotated[int, typer.Option(min=3, help="The most questions.")] = _QUESTIONS,
    name: Name = None,
    as_json: AsJson = False,
) -> None:
    """How well the assistant knows the papers of your own library: questions made from them, without a model."""
    from eval.run import Asks, take
    from eval.selftest import NAME

    settings = _settings()
    _show(take(settings, [_own(settings, papers, questions)], Asks((NAME,)), _told(name)), as_json)


@app.command()
def compare(before: str, after: str, as_json: AsJson = False) -> None:
    """Is the second run better than the first? Differences with confidence intervals, and what changed sides."""
    from eval import terminal
    from eval.compare import compare as beside

    found = beside(_run(before), _run(after))
    typer.echo(json.dumps(asdict(found)) if as_json else terminal.comparison(found))


@app.command()
def report(
    runs: list[str], to: Annotated[Path | None, typer.Option(help="The file; else report.html in the run.")] = None
) -> None:
    """Write runs as one page of HTML that needs nothing else."""
    from eval import runs as stored
    from eval.report import page

    home = _settings().home
    file = to or stored.place(home, runs[0]) / "report.html"
    text = page([_run(name) for name in runs])
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(str(file), f"cannot be written: {error.strerror}; name another file with --to") from error
    typer.echo(f"written: {file}")


@app.command()
def gate(
    small: Annotated[
        bool, typer.Option("--slice", help="Only the slice of each suite that is always checked.")
    ] = False,
    of: Annotated[str | None, typer.Option("--run", help="A stored run, instead of a new one.")] = None,
) -> None:
    """Check the floors of eval/floors.toml; exits 1 with the figures that fell."""
    from eval import gate as gates
    from eval import measures, terminal
    from eval.run import Asks
    from eval.run import run as ask

    floors = gates.read()
    limit = floors["slice_size"] if small else None
    found = _run(of) if of else ask(_settings(), Asks(limit=limit), _told(None))
    figures = measures.figures(found.records)
    typer.echo(terminal.run(found))
    fallen = gates.falls(floors["slice" if small else "whole"], figures)
    for fall in fallen:
        typer.echo(f"fell: {fall}", err=True)
    raise typer.Exit(int(bool(fallen or _unfinished(found))))


@app.command()
def calibrate(
    suite: Annotated[Path | None, typer.Option(help="Folder of a collection; the seeds where not given.")] = None,
    own: Annotated[bool, typer.Option("--own", help="Questions made from your own library, as selftest asks.")] = False,
) -> None:
    """Fit the weights of evidence, abstention and, over the seeds, claim checks on the dev half, and print them."""
    from eval.training.calibrate import calibrate as fit
    from eval.training.calibrate_claims import calibrate_claims

    if suite and own:
        raise InputError("calibrate", "--suite and --own are two sources of questions: give one of them")
    settings = _settings()
    if suite or own:
        typer.echo(fit(settings, _own(settings) if own else suite))
    else:
        typer.echo(fit(settings))
        typer.echo(calibrate_claims(settings))


@app.command()
def lies(split: Split = "dev", limit: Limit = None, as_json: AsJson = False) -> None:
    """Plant lies in answers and count those that are marked, and the true sentences that are marked by mistake."""
    from eval import terminal
    from eval.training.planted_errors import lies as plant

    found = plant(_settings(), split, limit)
    typer.echo(json.dumps(found) if as_json else terminal.nested(found))


@app.command()
def bench(
    large: Annotated[bool, typer.Option("--large", help="Over 80,753 papers too; takes hours at first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure the speed, beside the plain llama-index pipeline, and parts beside what could stand in their place."""
    from eval import terminal
    from eval.bench.bench import bench as measure

    found = measure(_settings(), large)
    typer.echo(json.dumps(found) if as_json else terminal.nested(found))


@app.command()
def scale(
    large: Annotated[bool, typer.Option("--large", help="Over 80,753 papers too; takes minutes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure what each part of a library costs as it grows, and a Chroma server of the settings beside a folder."""
    from eval import terminal
    from eval.bench.scale import scale as measure

    found = measure(_settings(), large)
    typer.echo(json.dumps(found) if as_json else terminal.nested(found))


def _own(settings: Settings, papers: int = _PAPERS, questions: int = _QUESTIONS) -> Exam:
    """Questions made from the library of the settings."""
    from eval.selftest import exam

    with closing(factory.open_catalog(settings.home)) as catalog:
        return exam((paper for paper in catalog.papers.all() if paper.abstract), papers, questions)


def _told(name: str | None) -> str:
    """The run's name, told before anything is asked: an interrupted run goes on under it."""
    from eval import runs

    name = name or runs.new_name()
    typer.echo(f"run {name}; if it is interrupted, --name {name} goes on with it", err=True)
    return name


def _show(found: Run, as_json: bool) -> None:
    """Print a run; exits 1 where a question failed, with how to ask it again."""
    from eval import measures, terminal

    if as_json:
        figures, costs = measures.figures(found.records), measures.cost(found.records)
        told = {"run": asdict(found.about), "failed": len(found.failed), "missing": found.missing}
        typer.echo(json.dumps(told | {"figures": figures, "cost": costs}))
    else:
        typer.echo(terminal.run(found))
    if _unfinished(found):
        raise typer.Exit(1)


def _unfinished(found: Run) -> bool:
    """Whether the run is not what it was to be; what is wrong goes to standard error."""
    again = f"the same command with --name {found.name} asks them"
    if found.failed:
        first = found.failed[0].error
        typer.echo(f"{len(found.failed)} questions failed ({first}) and count as zero; {again} again", err=True)
    if found.missing:
        typer.echo(f"{found.missing} questions of run {found.name} were never asked; {again}", err=True)
    return bool(found.failed or found.missing)


def _run(name: str) -> Run:
    from eval import runs

    return runs.load(_settings().home, name)


def _settings(llm: str | None = None) -> Settings:
    settings = load(llm=llm)
    factory.stay_local(settings)
    return settings


def main() -> None:
    """The command; what was wrong with the input is one line on standard error."""
    try:
        app(prog_name="python -m eval")
    except PaperchatError as error:
        sys.exit(f"eval: {error}")


if __name__ == "__main__":
    main()
