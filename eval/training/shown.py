"""Measure which abstracts a language model should be shown: `python -m eval.training.shown [--split dev]`.

For each share of the best score: how many of the relevant papers among the hits are shown, and how many abstracts are
shown a question. Only questions that are answered reach a model, so only those count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from assistant.chat import Assistant
from assistant.generation.shown import select_shown
from assistant.schema import Answer
from assistant.settings import load
from eval import corpora
from eval.suites import SPLITS, Question, selection
from eval.training import command

_SUITES = ("single", "multi", "abstracts-questions")
_SHARES = (0.0, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class ShownPapers:
    """How many hits of a question are relevant, how many of those are shown, and how many hits are shown in all."""

    relevant: int
    relevant_shown: int
    shown: int


def count_shown(answer: Answer, papers: frozenset[str], share: float) -> ShownPapers:
    """Return the counts of a question with these relevant papers, at a share of the best hit's score."""
    found = {hit.paper.id for hit in answer.hits}
    shown = {hit.paper.id for hit in select_shown(answer.hits, answer.intent, share)}
    return ShownPapers(len(found & papers), len(shown & papers), len(shown))


def main(split: Annotated[str, typer.Option(help="dev or test.")] = SPLITS[0]) -> None:
    """Print a table of shares of the best score, for each suite."""
    suites = selection.read(_SUITES, split)
    with corpora.opened(load(llm="extractive"), suites) as assistants:
        for suite in suites:
            answered = list(_answered(assistants[suite.library], suite.items))
            typer.echo(f"{suite.name}: {len(answered)} questions answered")
            for share in _SHARES:
                typer.echo(_row(share, [count_shown(answer, papers, share) for answer, papers in answered]))


def _answered(assistant: Assistant, items: Sequence[selection.Item]) -> Iterator[tuple[Answer, frozenset[str]]]:
    for item in items:
        if isinstance(item, Question) and (answer := assistant.ask(item.text)).answered:
            yield answer, item.papers


def _row(share: float, counts: Sequence[ShownPapers]) -> str:
    relevant, kept = sum(count.relevant for count in counts), sum(count.relevant_shown for count in counts)
    shown = sum(count.shown for count in counts) / max(1, len(counts))
    return f"  share {share:.2f}: relevant shown {kept} of {relevant}, abstracts a question {shown:.2f}"


if __name__ == "__main__":
    command.run(main)
