"""Fit the weights of `assistant.disagreement.question`: `python -m eval.training.disagreement_questions`.

In `disagreement_questions.jsonl` [brackets] stand around what a question is about. Each such question is also made with
other topics, so that its wording decides. The messages for training the message reader ask for no sides, and neither do
the dev questions of the suites, whatever they compare. Figures are by cross-validation, all questions made of a line in
one fold.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Annotated

import numpy as np
import typer

from assistant import factory
from assistant.disagreement.question import LEAST, WEIGHTS, WORDING, WORDS, Sought, disagreement_features
from assistant.protocols import Embedder
from assistant.question import linear, subject
from assistant.question.catalog_question import CatalogKind
from assistant.question.subject import WordReader
from assistant.settings import Settings
from eval.suites import Question, selection
from eval.training import command, softmax
from eval.training.catalog_messages import CatalogMessage, unmarked
from eval.training.catalog_questions import fit_words
from eval.training.examples import read_lines
from eval.training.messages import read_further
from eval.training.phrasings import topics
from eval.training.softmax import Figures

QUESTIONS = Path(__file__).with_suffix(".jsonl")
_SEED, _FOLDS, _PENALTY = 20261127, 5, 0.03
# Questions made of a line with other topics, and how much each counts; how much a message for training counts, of which
# every third is used.
_OF_LINE, _MADE, _MESSAGE, _STRIDE = 3, 0.5, 0.15, 3
_BRACKETS = re.compile(r"\[[^\]]*\]")
_KINDS = tuple(Sought)
_SUITES = ("single", "multi", "unanswerable", "abstracts-questions", "abstracts-near")
_THRESHOLDS = (0.5, 0.6, 0.7, 0.8)


@dataclass(frozen=True, slots=True)
class DisagreementQuestion:
    """A question with the roles of its words, what it asks for, the line it was made of, and how much it counts.

    `written` tells whether it stands in the file as it is.
    """

    message: CatalogMessage
    sought: Sought
    written: bool

    @property
    def fold(self) -> int:
        """Return the fold, by a hash of the line."""
        return zlib.crc32(self.message.origin.encode()) % _FOLDS


def main(
    questions: Annotated[Path, typer.Option(help="File of labelled questions.")] = QUESTIONS,
    out: Annotated[Path, typer.Option(help="File of what questions ask for.")] = WEIGHTS,
    words_out: Annotated[Path, typer.Option(help="File of the roles of words.")] = WORDS,
    wording_out: Annotated[Path, typer.Option(help="File of the words that wording is made of.")] = WORDING,
) -> None:
    """Fit both classifiers, write their weights and print their cross-validated figures."""
    embedder = factory.open_embedder(Settings(engine="float32"))
    labelled = [*read_labelled(questions), *_messages(), *_suite_questions()]
    rows = _rows(labelled, embedder)
    typer.echo(report(labelled, _cross_validated(labelled, rows)))
    typer.echo(words_report(labelled))
    labels, importance = [item.sought for item in labelled], [item.message.importance for item in labelled]
    fitted = softmax.fit_labelled(rows, labels, importance, _PENALTY, _KINDS)
    linear.save(replace(fitted, embedder=embedder.name, revision=embedder.revision), out)
    words = _fit_words(labelled)
    linear.save(words.classifier, words_out)
    wording_out.write_text("".join(f"{word}\n" for word in sorted(words.wording)), encoding="utf-8")


def read_labelled(file: Path) -> list[DisagreementQuestion]:
    """Return the labelled questions, each also with other topics. Raises InputError."""
    random = Random(_SEED)  # noqa: S311 - reproducible, not secret
    questions = []
    for row in read_lines(file, "q", "asks"):
        marked, sought = row["q"], Sought(row["asks"])
        questions.append(_question(marked, marked, sought, 1.0, written=True))
        for _ in range(_OF_LINE if _BRACKETS.search(marked) else 0):
            other = _BRACKETS.sub(f"[{random.choice(topics())}]", marked)
            questions.append(_question(other, marked, sought, _MADE, written=False))
    return questions


def _question(marked: str, origin: str, sought: Sought, importance: float, *, written: bool) -> DisagreementQuestion:
    text, roles = unmarked(marked)
    return DisagreementQuestion(CatalogMessage(text, CatalogKind.NONE, roles, origin, importance), sought, written)


def _messages() -> Iterator[DisagreementQuestion]:
    yield from (_other(message.text) for message in read_further()[::_STRIDE])


def _suite_questions() -> Iterator[DisagreementQuestion]:
    items = (item for suite in selection.read(_SUITES, "dev") for item in suite.items)
    yield from (_other(item.text) for item in items if isinstance(item, Question))


def _other(text: str) -> DisagreementQuestion:
    message = CatalogMessage(text, CatalogKind.NONE, (), text, _MESSAGE)
    return DisagreementQuestion(message, Sought.ANYTHING_ELSE, written=False)


def report(questions: Sequence[DisagreementQuestion], probabilities: Figures) -> str:
    """Return how many written questions and messages are taken for what they are not, by threshold."""
    asked = np.array([question.sought is Sought.SIDES for question in questions])
    written = np.array([question.written for question in questions])
    messages = np.array([question.message.importance == _MESSAGE for question in questions])
    lines = [f"{(asked & written).sum()} questions for both sides, {(~asked & written).sum()} that look like them"]
    for least in _THRESHOLDS:
        taken = probabilities >= least
        lines.append(
            f"  from {least}: recall {taken[asked & written].mean():.3f}, look-alikes taken "
            f"{taken[~asked & written].mean():.3f}, of {messages.sum()} messages {taken[messages].sum()}"
        )
    wrong = np.flatnonzero(written & (asked != (probabilities >= LEAST))).tolist()
    lines += [f"    {questions[row].sought}: {questions[row].message.text}" for row in wrong]
    return "\n".join(lines)


def words_report(questions: Sequence[DisagreementQuestion]) -> str:
    """Return how often what a written question for both sides is about is found exactly, cross-validated."""
    exact = []
    for fold in range(_FOLDS):
        words = _fit_words([question for question in questions if question.fold != fold])
        for question in questions:
            if question.fold == fold and question.written and question.sought is Sought.SIDES:
                text = question.message.text
                exact.append(tuple(subject.roles(text, subject.split(text), words)) == question.message.roles)
    return f"what it is about found exactly: {np.mean(exact):.3f} of {len(exact)}"


def _fit_words(questions: Sequence[DisagreementQuestion]) -> WordReader:
    return fit_words([question.message for question in questions if question.sought is Sought.SIDES])


def _rows(questions: Sequence[DisagreementQuestion], embedder: Embedder) -> Figures:
    texts = [question.message.text for question in questions]
    encoded = embedder.encode_queries(texts)
    return np.array([disagreement_features(text, item.vector) for text, item in zip(texts, encoded, strict=True)])


def _cross_validated(questions: Sequence[DisagreementQuestion], rows: Figures) -> Figures:
    labels, importance = [item.sought for item in questions], [item.message.importance for item in questions]
    folds = [question.fold for question in questions]
    probabilities = softmax.cross_validated(rows, labels, importance, folds, _PENALTY, _KINDS)
    column: Figures = probabilities[:, _KINDS.index(Sought.SIDES)]
    return column


if __name__ == "__main__":
    command.run(main)
