"""Fit what reads questions to the catalog: `python -m eval.training.catalog_questions --data DATA`.

Two classifiers: the role of each word of a message, and what the message asks of the catalog. Labelled messages are in
`catalog_questions.jsonl` (see `eval.training.catalog_messages`); the other labelled messages, and the questions about
annotated abstracts, ask nothing of it. Figures are by cross-validation over train and dev, all messages of one line in
one fold; the test part is judged by weights that are fitted on the rest. What is written is fitted on all parts, and
judged on questions about research that nothing is fitted on.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from assistant.embedding.message_reader import load_message_reader
from assistant.protocols import MessageReader
from assistant.question import catalog_question, linear, subject
from assistant.question.catalog_question import CatalogKind, catalog_features
from assistant.question.intent import Intent
from assistant.question.linear import LinearClassifier
from assistant.question.subject import WordReader, WordRole, split, word_features
from assistant.settings import load as load_settings
from eval.suites import SEEDS, load
from eval.training import command, softmax
from eval.training.catalog_messages import CatalogMessage, read_catalog_messages, research_message
from eval.training.messages import read_further, read_messages, read_questions, read_titles
from eval.training.softmax import Figures

_SEED, _FOLDS = 20261127, 5
_WORD_PENALTY, _KIND_PENALTY = 0.1, 0.01
# How much another labelled message counts, and a question about an abstract; and how many of those are drawn.
_OTHER, _QUESTION, _DRAWN = 0.5, 0.5, 1500
# Lines that use a word to word a question; a word of fewer is not read as itself.
_WORDING_LINES = 2
# Mistakes that are shown.
_SHOWN = 40
_ROLES, _KINDS = (WordRole.WORDING, WordRole.SUBJECT, WordRole.NAME), tuple(CatalogKind)


def main(
    data: Annotated[Path, typer.Option(help="The folder of the data, which has judge/.")],
    words_out: Annotated[Path, typer.Option(help="File of the roles of words.")] = subject.WEIGHTS,
    wording_out: Annotated[Path, typer.Option(help="File of the words that wording is made of.")] = subject.WORDING,
    kinds_out: Annotated[Path, typer.Option(help="File of the kinds of messages.")] = catalog_question.WEIGHTS,
) -> None:
    """Fit both classifiers, write their weights and print their figures."""
    messages = [*read_catalog_messages(read_titles(data, "train")), *_research(data)]
    shown = [message for message in messages if message.part != "test"]
    roles, kinds = cross_validated(shown)
    typer.echo(report("train and dev, cross-validated", shown, roles, kinds))
    words = fit_words(shown)
    classifier = fit_kinds(shown, words)
    held_out = [message for message in messages if message.part == "test"]
    predicted = predicted_kinds(words, classifier, held_out)
    typer.echo(report("test", held_out, predicted_roles(words, held_out), predicted))
    words = fit_words(messages)
    linear.save(words.classifier, words_out)
    wording_out.write_text("".join(f"{word}\n" for word in sorted(words.wording)), encoding="utf-8")
    linear.save(fit_kinds(messages, words), kinds_out)
    words, classifier = subject.load(words_out, wording_out), linear.load(kinds_out)
    reader = load_message_reader(load_settings().shared)
    for name, questions in _suites(data):
        typer.echo(answered(name, questions, words, classifier, reader))


def fit_words(messages: Sequence[CatalogMessage], possible: Sequence[WordRole] = _ROLES) -> WordReader:
    """Return the reader of the roles of words, of which these are possible."""
    marked = [message for message in messages if message.roles]
    wording = _wording(marked)
    rows = np.vstack([_word_rows(message, wording) for message in marked])
    roles = [role for message in marked for role in message.roles]
    importance = [message.importance for message in marked for _ in message.roles]
    return WordReader(softmax.fit_labelled(rows, roles, importance, _WORD_PENALTY, possible), wording)


def _wording(messages: Sequence[CatalogMessage]) -> frozenset[str]:
    """Return the words that are wording in the messages of two lines or more."""
    origins: dict[str, set[str]] = defaultdict(set)
    for message in messages:
        for word, role in zip(split(message.text), message.roles, strict=True):
            if role is WordRole.WORDING:
                origins[word.text.casefold()].add(message.origin)
    return frozenset(word for word, lines in origins.items() if len(lines) >= _WORDING_LINES)


def fit_kinds(messages: Sequence[CatalogMessage], words: WordReader) -> LinearClassifier:
    """Return the classifier of kinds; `words` masks what the messages are about."""
    labels, importance = [message.kind for message in messages], [message.importance for message in messages]
    return softmax.fit_labelled(_kind_rows(messages, words), labels, importance, _KIND_PENALTY, _KINDS)


def predicted_roles(words: WordReader, messages: Sequence[CatalogMessage]) -> list[list[WordRole]]:
    """Return the role of each word of each message that has roles; nothing for the others."""
    return [subject.roles(message.text, split(message.text), words) if message.roles else [] for message in messages]


def predicted_kinds(words: WordReader, kinds: LinearClassifier, messages: Sequence[CatalogMessage]) -> Figures:
    """Return the probability of each kind of each message."""
    return softmax.predict(kinds, _kind_rows(messages, words))


def cross_validated(messages: Sequence[CatalogMessage]) -> tuple[list[list[WordRole]], Figures]:
    """Return the roles and the kinds, each predicted by classifiers that were fitted without the message's line."""
    folds = np.array([zlib.crc32(f"fold {message.origin}".encode()) % _FOLDS for message in messages])
    roles: list[list[WordRole]] = [[]] * len(messages)
    kinds = np.zeros((len(messages), len(_KINDS)), np.float32)
    for fold in range(_FOLDS):
        training = [message for message, number in zip(messages, folds, strict=True) if number != fold]
        positions = np.flatnonzero(folds == fold).tolist()
        held_out = [messages[position] for position in positions]
        words = fit_words(training)
        kinds[positions] = predicted_kinds(words, fit_kinds(training, words), held_out)
        for position, predicted in zip(positions, predicted_roles(words, held_out), strict=True):
            roles[position] = predicted
    return roles, kinds


def report(name: str, messages: Sequence[CatalogMessage], roles: Sequence[Sequence[WordRole]], kinds: Figures) -> str:
    """Return the accuracy of words, how often research and the catalog are confused, and the figures of each kind."""
    right = [
        [role is guess for role, guess in zip(message.roles, guesses, strict=True)]
        for message, guesses in zip(messages, roles, strict=True)
        if message.roles
    ]
    gold, chosen = np.array([_KINDS.index(message.kind) for message in messages]), catalog_kinds(kinds)
    none = _KINDS.index(CatalogKind.NONE)
    lines = [
        f"{name}: {len(messages)} messages; roles of words {np.mean([guess for row in right for guess in row]):.3f}, "
        f"of whole messages {np.mean([all(row) for row in right]):.3f}; "
        f"research taken for the catalog {np.mean(chosen[gold == none] != none):.4f} of {np.sum(gold == none)}, "
        f"the catalog for research {np.mean(chosen[gold != none] == none):.3f} of {np.sum(gold != none)}"
    ]
    for number, kind in enumerate(_KINDS):
        hits = np.sum((chosen == number) & (gold == number))
        recall, precision = hits / max(1, np.sum(gold == number)), hits / max(1, np.sum(chosen == number))
        lines.append(f"  {kind:11} {np.sum(gold == number):5} recall {recall:.2f} precision {precision:.2f}")
    wrong = np.flatnonzero((gold == none) & (chosen != none))
    lines += [f"    {messages[row].text[:110]} ({_KINDS[chosen[row]]})" for row in wrong[:_SHOWN]]
    return "\n".join(lines)


def catalog_kinds(probabilities: Figures, metadata: Sequence[float | None] | None = None) -> NDArray[np.int64]:
    """Return the position of the kind that each message is taken for; `metadata` are what the message reader gives."""
    rows = [dict(zip(_KINDS, row.tolist(), strict=True)) for row in probabilities]
    read = metadata if metadata is not None else [None] * len(rows)
    kinds = [catalog_question.decide(row, share) for row, share in zip(rows, read, strict=True)]
    return np.array([_KINDS.index(kind) for kind in kinds])


def answered(
    name: str, questions: Sequence[str], words: WordReader, kinds: LinearClassifier, reader: MessageReader
) -> str:
    """Return how many questions about research would be answered from the catalog, and which."""
    messages = [research_message(question, 1.0) for question in questions]
    probabilities = predicted_kinds(words, kinds, messages)
    metadata = [reader.read(question).get(Intent.METADATA, 0.0) for question in questions]
    counts = []
    for read in (None, metadata):
        chosen = catalog_kinds(probabilities, read)
        taken = [
            f"  {text[:110]} ({_KINDS[k]})" for text, k in zip(questions, chosen, strict=True) if _KINDS[k] != "none"
        ]
        counts.append("\n".join([f"{name}, {'without' if read is None else 'with'} the reader: {len(taken)}", *taken]))
    return "\n".join([f"{name}: answered from the catalog, of {len(questions)} questions about research", *counts])


def _research(data: Path) -> Iterator[CatalogMessage]:
    """Yield messages that ask nothing of the catalog."""
    labelled = [*read_messages(data), *read_further()]
    others = [message.text for message in labelled if message.intent is not Intent.METADATA]
    yield from (research_message(text, _OTHER) for text in dict.fromkeys(others))
    questions = list(dict.fromkeys(read_questions(data, "train")))
    drawn = Random(_SEED).sample(questions, min(_DRAWN, len(questions)))  # noqa: S311 - reproducible, not secret
    yield from (research_message(text, _QUESTION) for text in drawn)


def _suites(data: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the questions about research that nothing is fitted on."""
    yield "annotated, dev and test", [*read_questions(data, "dev"), *read_questions(data, "test")]
    for name in ("single", "multi"):
        yield f"seeds, {name}", [question.text for question in load(SEEDS / f"{name}.jsonl")]


def _word_rows(message: CatalogMessage, wording: frozenset[str]) -> Figures:
    """Return the features of each word, with the role that the word before it really has."""
    words, previous = split(message.text), (None, *message.roles)
    return np.array(
        [word_features(message.text, words, position, previous[position], wording) for position in range(len(words))]
    )


def _kind_rows(messages: Sequence[CatalogMessage], words: WordReader) -> Figures:
    return np.array([catalog_features(message.text, subject.mark(message.text, words)) for message in messages])


if __name__ == "__main__":
    command.run(main)
