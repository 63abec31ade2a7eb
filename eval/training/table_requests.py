"""Fit the weights of `assistant.tables.request`: `python -m eval.training.table_requests`.

In `table_requests.jsonl` {braces} stand around the columns of a table and [brackets] around the topic of its papers.
Each request is also made with other columns and topics, so that its wording decides. The messages for training the
message reader ask for no table, and neither do the dev questions of the suites. Figures are by cross-validation, all
messages made of a line in one fold, and on the questions of the suites that nothing is fitted on.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Annotated

import numpy as np
import typer

from assistant.question import linear, subject
from assistant.question.catalog_question import CatalogKind
from assistant.question.linear import LinearClassifier
from assistant.question.subject import WordReader, WordRole
from assistant.tables.request import ASKS, LEAST, OTHER, WEIGHTS, WORDING, WORDS, request_features
from eval.suites import Question, selection
from eval.training import command, softmax
from eval.training.catalog_messages import CatalogMessage, unmarked
from eval.training.catalog_questions import fit_words
from eval.training.examples import read_lines
from eval.training.messages import read_further
from eval.training.phrasings import topics
from eval.training.softmax import Figures

REQUESTS, COLUMNS = Path(__file__).with_suffix(".jsonl"), Path(__file__).with_name("table_columns.jsonl")
_SEED, _FOLDS, _PENALTY = 20261127, 5, 0.03
# Messages made of a line with other columns and topics, and how much each counts; how much a message for training
# counts.
_OF_LINE, _MADE, _MESSAGE = 6, 0.3, 0.15
_TOPIC, _COLUMN = re.compile(r"\[[^\]]*\]"), re.compile(r"\{[^}]*\}")
_ROLES = (WordRole.WORDING, WordRole.SUBJECT, WordRole.COLUMN)
_SUITES = ("single", "multi", "unanswerable", "dialogs", "forms", "abstracts-questions", "abstracts-near")
_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class RequestExample:
    """A message with the roles of its words, whether it asks for a table, and the line that it was made of.

    `written` tells whether it stands in the file as it is.
    """

    message: CatalogMessage
    label: str
    written: bool

    @property
    def fold(self) -> int:
        """Return the fold, by a hash of the line."""
        return zlib.crc32(self.message.origin.encode()) % _FOLDS


def main(
    requests: Annotated[Path, typer.Option(help="File of labelled messages.")] = REQUESTS,
    out: Annotated[Path, typer.Option(help="File of what messages ask for.")] = WEIGHTS,
    words_out: Annotated[Path, typer.Option(help="File of the roles of words.")] = WORDS,
    wording_out: Annotated[Path, typer.Option(help="File of the words that wording is made of.")] = WORDING,
) -> None:
    """Fit both classifiers, write their weights and print their figures."""
    examples = [*read_labelled(requests), *map(_other, dict.fromkeys([*_messages(), *_questions("dev")]))]
    typer.echo(_cross_validated(examples))
    words = _fit_words(examples)
    classifier = _fit(examples, words)
    linear.save(words.classifier, words_out)
    wording_out.write_text("".join(f"{word}\n" for word in sorted(words.wording)), encoding="utf-8")
    linear.save(classifier, out)
    typer.echo(_taken(list(_questions("test")), subject.load(words_out, wording_out), linear.load(out)))


def read_labelled(file: Path) -> list[RequestExample]:
    """Return the labelled messages, each also with other columns and topics. Raises InputError."""
    random = Random(_SEED)  # noqa: S311 - reproducible, not secret
    names, about = [str(row["column"]) for row in read_lines(COLUMNS, "column", "kind")], topics()
    examples = []
    for row in read_lines(file, "q", "asks"):
        marked, label = row["q"], row["asks"]
        examples.append(_example(marked, marked, label, 1.0, written=True))
        for _ in range(_OF_LINE if _TOPIC.search(marked) or _COLUMN.search(marked) else 0):
            other = _TOPIC.sub(lambda _: f"[{random.choice(about)}]", marked)
            other = _COLUMN.sub(lambda _: f"{{{random.choice(names)}}}", other)
            examples.append(_example(other, marked, label, _MADE, written=False))
    return examples


def _example(marked: str, origin: str, label: str, importance: float, *, written: bool) -> RequestExample:
    text, roles = unmarked(marked)
    # What the words of another message do was not marked.
    roles = roles if label == ASKS else ()
    return RequestExample(CatalogMessage(text, CatalogKind.NONE, roles, origin, importance), label, written)


def _other(text: str) -> RequestExample:
    return RequestExample(CatalogMessage(text, CatalogKind.NONE, (), text, _MESSAGE), OTHER, written=False)


def _messages() -> Iterator[str]:
    yield from (message.text for message in read_further())


def _questions(split: str) -> Iterator[str]:
    """Yield the questions of the suites, those of conversations among them."""
    for suite in selection.read(_SUITES, split):
        yield from (item.text for item in suite.items if isinstance(item, Question))


def _cross_validated(examples: Sequence[RequestExample]) -> str:
    """Return the figures of classifiers that have not seen the line of a message."""
    probabilities, exact = np.zeros(len(examples), dtype=np.float32), []
    for fold in range(_FOLDS):
        words = _fit_words([example for example in examples if example.fold != fold])
        classifier = _fit([example for example in examples if example.fold != fold], words)
        held_out = [number for number, example in enumerate(examples) if example.fold == fold]
        texts = [examples[number].message.text for number in held_out]
        probabilities[held_out] = _probabilities(texts, words, classifier)
        for number in held_out:
            message = examples[number].message
            if examples[number].written and message.roles:
                exact.append(tuple(subject.roles(message.text, subject.split(message.text), words)) == message.roles)
    return _report(examples, probabilities, exact)


def _report(examples: Sequence[RequestExample], probabilities: Figures, exact: Sequence[bool]) -> str:
    asked = np.array([example.label == ASKS for example in examples])
    written = np.array([example.written for example in examples])
    messages = np.array([example.message.importance == _MESSAGE for example in examples])
    lines = [
        f"{(asked & written).sum()} requests, {(~asked & written).sum()} messages that look like them; columns and "
        f"topic found exactly: {np.mean(exact):.3f}"
    ]
    for least in _THRESHOLDS:
        taken = probabilities >= least
        lines.append(
            f"  from {least}: recall {taken[asked & written].mean():.3f}, look-alikes taken "
            f"{taken[~asked & written].mean():.3f}, of {messages.sum()} messages {taken[messages].sum()}"
        )
    wrong = np.flatnonzero((written | messages) & (asked != (probabilities >= LEAST))).tolist()
    lines += [f"    {examples[row].label} {probabilities[row]:.2f}: {examples[row].message.text}" for row in wrong]
    return "\n".join(lines)


def _taken(questions: Sequence[str], words: WordReader, classifier: LinearClassifier) -> str:
    """Return how many questions that nothing is fitted on are taken for requests, and which."""
    probabilities = _probabilities(questions, words, classifier)
    taken = [text for text, value in zip(questions, probabilities, strict=True) if value >= LEAST]
    return "\n".join([f"taken of {len(questions)} test questions: {len(taken)}", *(f"    {text}" for text in taken)])


def _fit_words(examples: Sequence[RequestExample]) -> WordReader:
    return fit_words([example.message for example in examples if example.message.roles], _ROLES)


def _fit(examples: Sequence[RequestExample], words: WordReader) -> LinearClassifier:
    rows = _rows([example.message.text for example in examples], words)
    labels, importance = [example.label for example in examples], [example.message.importance for example in examples]
    return softmax.fit_labelled(rows, labels, importance, _PENALTY, (ASKS, OTHER))


def _probabilities(texts: Sequence[str], words: WordReader, classifier: LinearClassifier) -> Figures:
    return softmax.predict(classifier, _rows(texts, words))[:, 0]


def _rows(texts: Sequence[str], words: WordReader) -> Figures:
    return np.array([request_features(text, subject.mark(text, words).masked) for text in texts])


if __name__ == "__main__":
    command.run(main)
