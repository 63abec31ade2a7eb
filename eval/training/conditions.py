"""Fit the weights of `assistant.disagreement.condition`: `python -m eval.training.conditions`.

In `conditions.txt` [brackets] stand around what a sentence depends on; most sentences without any look like those with
one. Figures are by cross-validation.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from assistant.disagreement.condition import WEIGHTS, WORDING, longest_condition
from assistant.question import linear
from assistant.question.catalog_question import CatalogKind
from assistant.question.subject import WordRole
from eval.training import command
from eval.training.catalog_messages import CatalogMessage, unmarked
from eval.training.catalog_questions import fit_words

SENTENCES = Path(__file__).with_suffix(".txt")
_FOLDS = 10


def main(
    sentences: Annotated[Path, typer.Option(help="File of labelled sentences.")] = SENTENCES,
    out: Annotated[Path, typer.Option(help="File of the weights.")] = WEIGHTS,
    wording_out: Annotated[Path, typer.Option(help="File of the words that are read.")] = WORDING,
) -> None:
    """Fit the classifier, write its weights and print its cross-validated figures."""
    labelled = [_labelled(line) for line in sentences.read_text(encoding="utf-8").splitlines()]
    typer.echo(report(labelled))
    words = fit_words(labelled)
    linear.save(words.classifier, out)
    wording_out.write_text("".join(f"{word}\n" for word in sorted(words.wording)), encoding="utf-8")


def _labelled(line: str) -> CatalogMessage:
    text, roles = unmarked(line)
    return CatalogMessage(text, CatalogKind.NONE, roles, text)


def report(sentences: list[CatalogMessage]) -> str:
    """Return recall and precision of sentences with a condition, and the mistakes, cross-validated."""
    has, found = [], []
    for fold in range(_FOLDS):
        held_out = [sentence for sentence in sentences if _fold(sentence) == fold]
        words = fit_words([sentence for sentence in sentences if _fold(sentence) != fold])
        has += [WordRole.SUBJECT in sentence.roles for sentence in held_out]
        found += [longest_condition(sentence.text, words) for sentence in held_out]
    gold, taken = np.array(has), np.array([phrase is not None for phrase in found])
    right = (gold & taken).sum()
    return (
        f"{len(gold)} sentences, {gold.sum()} with a condition: recall {right / gold.sum():.3f}, "
        f"precision {right / max(1, taken.sum()):.3f}"
    )


def _fold(sentence: CatalogMessage) -> int:
    return zlib.crc32(sentence.text.encode()) % _FOLDS


if __name__ == "__main__":
    command.run(main)
