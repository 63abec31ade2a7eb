"""Asks every question of the seeds' suites and prints the figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import track

from assistant.chat import Assistant
from assistant.errors import InputError
from assistant.schema import Answer, Hit, Turn
from assistant.settings import Settings
from eval import collection, libraries, measures
from eval.suites import SEEDS, Item, Question, load, load_claims, load_dialogs

Reply = TypeVar("Reply")


def run(
    settings: Settings, split: str | None, suites: Sequence[str] = (), answers: bool = True
) -> dict[str, measures.Table]:
    """The figures by suite; without `answers` those that a search alone gives. No suite named is all over the seeds.

    A suite is one of the seeds' or a folder (see `eval.collection`). Raises InputError for what is neither.
    """
    folders = {name: Path(name) for name in suites if name not in _SUITES}
    for name, folder in folders.items():
        if not folder.is_dir():
            raise InputError(name, f"neither a folder nor one of {', '.join(_SUITES)}")
    tables = {name: _collection(folder, settings, split, answers) for name, folder in folders.items()}
    if named := [name for name in suites or _SUITES if name not in folders]:
        assistant = libraries.over_seeds(settings)
        tables |= {name: _SUITES[name](assistant, split, answers) for name in named}
    return {name: table for name, table in tables.items() if table}


def _collection(folder: Path, settings: Settings, split: str | None, answers: bool) -> measures.Table:
    found = collection.read(folder, split)
    assistant = libraries.over_papers(folder.name, found.papers, settings)
    return _answerable(assistant, found.questions, answers)


def _single(assistant: Assistant, split: str | None, answers: bool) -> measures.Table:
    return _answerable(assistant, load(SEEDS / "single.jsonl", split), answers)


def _multi(assistant: Assistant, split: str | None, answers: bool) -> measures.Table:
    return _answerable(assistant, load(SEEDS / "multi.jsonl", split), answers)


def _answerable(assistant: Assistant, questions: Sequence[Question], answers: bool) -> measures.Table:
    if not answers:
        return measures.ranking(questions, _each(questions, lambda each: assistant.search(each.text).hits))
    given = _each(questions, lambda each: assistant.ask(each.text))
    return measures.ranking(questions, _hits(given)) | measures.answering(questions, given)


def _unanswerable(assistant: Assistant, split: str | None, answers: bool) -> measures.Table:
    questions = load(SEEDS / "unanswerable.jsonl", split) if answers else []
    return measures.refusing(questions, _each(questions, lambda each: assistant.ask(each.text)))


def _dialogs(assistant: Assistant, split: str | None, answers: bool) -> measures.Table:
    """Each turn sees the answers to the turns before it."""
    dialogs = load_dialogs(SEEDS / "dialogs.jsonl", split) if answers else []
    given: dict[str, Answer] = {}
    for dialog in _shown(dialogs):
        held: list[Turn] = []
        for turn in dialog.turns:
            given[turn.id] = assistant.ask(turn.text, held)
            held.append(Turn(turn.text, given[turn.id]))
    turns = [turn for dialog in dialogs for turn in dialog.turns]
    return measures.ranking(turns, _hits(given))


def _claims(assistant: Assistant, split: str | None, answers: bool) -> measures.Table:
    claims = load_claims(SEEDS / "claims.jsonl", split) if answers else []
    verdicts = _each(claims, lambda claim: assistant.verify(claim.text, claim.paper))
    return measures.checking(claims, verdicts)


_SUITES: dict[str, Callable[[Assistant, str | None, bool], measures.Table]] = {
    "single": _single,
    "multi": _multi,
    "unanswerable": _unanswerable,
    "dialogs": _dialogs,
    "claims": _claims,
}


def _hits(given: Mapping[str, Answer]) -> dict[str, Sequence[Hit]]:
    return {name: answer.hits for name, answer in given.items()}


def _each(items: Sequence[Item], reply: Callable[[Item], Reply]) -> dict[str, Reply]:
    """Each item's reply by its id."""
    return {item.id: reply(item) for item in _shown(items)}


def _shown(items: Sequence[Item]) -> Iterable[Item]:
    """The items, behind a progress bar on a terminal."""
    return track(items, "Asking", console=Console(stderr=True), transient=True)


def as_text(figures: dict[str, measures.Table]) -> str:
    """Tables for a terminal: a row a figure, a column a group."""
    return "\n\n".join(f"{suite}\n{_table(table)}" for suite, table in figures.items())


def _table(table: measures.Table) -> str:
    groups = list(next(iter(table.values())))
    lines = [f"{'':22}" + "".join(f"{group:>13}" for group in groups)]
    lines += [f"{name:22}" + "".join(_cell(row.get(group)) for group in groups) for name, row in table.items()]
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    return f"{value:13.3f}" if value is not None else " " * 13
