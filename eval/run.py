"""Asks every question of the seeds' suites and prints the figures."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import track

from assistant import wiring
from assistant.chat import Assistant
from assistant.errors import InputError
from assistant.settings import Settings
from eval import measures
from eval.suites import SEEDS, Question, load
from ingest import pipeline

T = TypeVar("T")
SEED_FILES = Path(__file__).parent.parent / "seeds"


def seeds_assistant(settings: Settings) -> Assistant:
    """An assistant over the seeds, in a library that is kept below the settings' home for each recipe."""
    embedder = wiring.open_embedder(settings)
    recipe = repr(wiring.recipe(settings, embedder))
    folder = f"seeds-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    own = settings.model_copy(update={"home": settings.home / "eval" / folder})
    library = wiring.open_library(own, embedder)
    report = pipeline.ingest([SEED_FILES], library)
    if report.failed:
        raise InputError(str(SEED_FILES), f"the questions' own papers cannot be read: {report.problems[0]}")
    return wiring.open_assistant(own, library)


def run(settings: Settings, split: str | None, answers: bool = True) -> dict[str, measures.Table]:
    """The figures of both suites, by suite; without `answers` those of the search alone."""
    assistant = seeds_assistant(settings)
    single = load(SEEDS / "single.jsonl", split)
    if not answers:
        found = _each(single, lambda text: assistant.search(text).hits)
        return {"single": measures.ranking(single, found)}
    unanswerable = load(SEEDS / "unanswerable.jsonl", split)
    given = _each([*single, *unanswerable], assistant.ask)
    ranked = measures.ranking(single, {name: answer.hits for name, answer in given.items()})
    return {
        "single": ranked | measures.answering(single, given),
        "unanswerable": measures.refusing(unanswerable, given),
    }


def _each(questions: Sequence[Question], reply: Callable[[str], T]) -> dict[str, T]:
    """Each question's reply by its id, with a progress bar on a terminal."""
    shown = track(questions, "Asking", console=Console(stderr=True), transient=True)
    return {question.id: reply(question.text) for question in shown}


def as_text(figures: dict[str, measures.Table]) -> str:
    """Tables for a terminal: a row a figure, a column a group."""
    return "\n\n".join(f"{suite}\n{_table(table)}" for suite, table in figures.items())


def _table(table: measures.Table) -> str:
    groups = list(next(iter(table.values())))
    lines = [f"{'':24}" + "".join(f"{group:>9}" for group in groups)]
    lines += [f"{name:24}" + "".join(f"{row[group]:9.3f}" for group in groups) for name, row in table.items()]
    return "\n".join(lines)
