"""Fit the weights of `assistant.disagreement.condition`: `python -m eval.training.conditions --data DATA`.

In `conditions.txt` [brackets] stand around what a sentence depends on; most sentences without any look like those with
one. Sentences of the annotated abstracts' training part are taken to have none, as very few do. Figures are by
cross-validation, and on sentences of the dev part.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from assistant.disagreement.condition import WEIGHTS, WORDING, longest_condition
from assistant.question import linear
from assistant.question.catalog_question import CatalogKind
from assistant.question.subject import WordRole, split
from eval.training import command
from eval.training.catalog_messages import CatalogMessage, unmarked
from eval.training.catalog_questions import fit_words
from eval.training.examples import read_annotated

SENTENCES = Path(__file__).with_suffix(".txt")
# How much a sentence of an abstract counts.
_FOLDS, _PLAIN = 3, 0.03
# Abstracts of a part that a sentence is taken of.
_ABSTRACTS = 120


def main(
    data: Annotated[Path, typer.Option(help="The folder of the data, with judge/ in it.")],
    sentences: Annotated[Path, typer.Option(help="File of labelled sentences.")] = SENTENCES,
    out: Annotated[Path, typer.Option(help="File of the weights.")] = WEIGHTS,
    wording_out: Annotated[Path, typer.Option(help="File of the words that are read.")] = WORDING,
) -> None:
    """Fit the classifier, write its weights and print its cross-validated figures."""
    written = [_labelled(line) for line in sentences.read_text(encoding="utf-8").splitlines()]
    plain = list(_plain(data, "train"))
    typer.echo(report(written, plain))
    words = fit_words([*written, *plain])
    found = [longest_condition(sentence.text, words) is not None for sentence in _plain(data, "dev")]
    typer.echo(f"of {len(found)} sentences of the dev part {np.mean(found):.3f} have a condition")
    linear.save(words.classifier, out)
    wording_out.write_text("".join(f"{word}\n" for word in sorted(words.wording)), encoding="utf-8")


def _labelled(line: str) -> CatalogMessage:
    text, roles = unmarked(line)
    return CatalogMessage(text, CatalogKind.NONE, roles, text)


def _plain(data: Path, part: str) -> Iterator[CatalogMessage]:
    """Yield a sentence of each abstract of a part."""
    for paper in [paper for paper in read_annotated(data) if paper.part == part][:_ABSTRACTS]:
        text = paper.sentences[zlib.crc32(paper.id.encode()) % len(paper.sentences)]
        roles = (WordRole.WORDING,) * len(split(text))
        yield CatalogMessage(text, CatalogKind.NONE, roles, text, _PLAIN)


def report(sentences: Sequence[CatalogMessage], plain: Sequence[CatalogMessage]) -> str:
    """Return recall and precision of sentences with a condition, and the mistakes, cross-validated."""
    has, found = [], []
    for fold in range(_FOLDS):
        held_out = [sentence for sentence in sentences if _fold(sentence) == fold]
        words = fit_words([*plain, *(sentence for sentence in sentences if _fold(sentence) != fold)])
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
