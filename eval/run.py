"""Asks every question of the seeds' suites and prints the figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from assistant import wiring
from assistant.chat import Assistant
from assistant.schema import Answer
from assistant.settings import Settings
from eval import measures
from eval.suites import SEEDS, Question, load
from ingest import pipeline

SEED_FILES = Path(__file__).parent.parent / "seeds"


def seeds_assistant(settings: Settings) -> Assistant:
    """An assistant over the seeds in a library of their own below the settings' home."""
    own = settings.model_copy(update={"home": settings.home / "eval" / "seeds"})
    library = wiring.open_library(own)
    pipeline.ingest([SEED_FILES], library)
    return wiring.open_assistant(own, library)


def run(settings: Settings, split: str | None) -> dict[str, measures.Table]:
    """The figures of both suites, by suite."""
    assistant = seeds_assistant(settings)
    single = load(SEEDS / "single.jsonl", split)
    unanswerable = load(SEEDS / "unanswerable.jsonl", split)
    answers = ask_all(assistant, [*single, *unanswerable])
    ranked = measures.ranking(single, {name: answer.hits for name, answer in answers.items()})
    return {
        "single": ranked | measures.answering(single, answers),
        "unanswerable": measures.refusing(unanswerable, answers),
    }


def ask_all(assistant: Assistant, questions: Sequence[Question]) -> dict[str, Answer]:
    """Each question's answer by its id, with a progress bar on a terminal."""
    from rich.console import Console
    from rich.progress import track

    shown = track(questions, "Asking", console=Console(stderr=True), transient=True)
    return {question.id: assistant.ask(question.text) for question in shown}


def as_text(figures: dict[str, measures.Table]) -> str:
    """Tables for a terminal: a row a figure, a column a group."""
    return "\n\n".join(f"{suite}\n{_table(table)}" for suite, table in figures.items())


def _table(table: measures.Table) -> str:
    groups = list(next(iter(table.values())))
    lines = [f"{'':24}" + "".join(f"{group:>9}" for group in groups)]
    lines += [f"{name:24}" + "".join(f"{row[group]:9.3f}" for group in groups) for name, row in table.items()]
    return "\n".join(lines)
