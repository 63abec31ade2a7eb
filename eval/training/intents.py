"""Fit the weights of `assistant.question.intent`: `python -m eval.training.intents --data DATA`.

`DATA/judge` has `intent.jsonl` and `annotated.jsonl.gz` (see `eval.training.messages`). The questions about
abstracts, their titles and the dev questions of the suites have an intent of research that is not known; phrasings are
filled with topics; keyboard mash is made at random. All of it counts less than a labelled message. Figures of dev are
by cross-validation over train and dev; the test part is judged once, by the weights that are written.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from assistant import factory
from assistant.protocols import Embedder
from assistant.question import fitted, linear
from assistant.question.intent import RESEARCH, SURVEY, Intent, IntentPrediction, intent_features
from assistant.settings import Settings
from eval.suites import SEEDS, Question, load
from eval.training import command, softmax
from eval.training.messages import IntentMessage, read_messages, read_questions, read_titles
from eval.training.phrasings import keyboard_mash, phrasings, topics
from eval.training.softmax import Figures

_FOLDS = 5
_PENALTY = 0.01
# How much an example counts: a question whose intent is not known, a phrasing, and a message made at random.
_UNLABELLED, _PHRASING, _RANDOM = 0.02, 0.6, 0.1
_MASH = 100
_INTENTS = tuple(Intent)


@dataclass(frozen=True, slots=True, eq=False)
class IntentExamples:
    """Labelled messages with their features, and further examples: features, possible intents and importance."""

    messages: Sequence[IntentMessage]
    rows: Figures
    further: Figures
    possible: Figures
    importance: Figures


def main(
    data: Annotated[Path, typer.Option(help="The folder of the data, which has judge/.")],
    out: Annotated[Path, typer.Option(help="File to write.")] = fitted.PACKAGED / fitted.INTENTS,
) -> None:
    """Fit the classifier of intents, write its weights and print its figures."""
    embedder = factory.open_embedder(Settings(engine="float32"))
    examples = read(data, embedder)
    linear.save(fit(examples, embedder), out)
    typer.echo(report("train and dev, cross-validated", examples.messages, cross_validated(examples)))
    test = [message for message in read_messages(data) if message.part == "test"]
    stored = linear.load(out)
    typer.echo(report("test", test, softmax.predict(stored, _rows(embedder, [message.text for message in test]))))
    for part in ("dev", "test"):
        typer.echo(_declined(f"annotated, {part}", embedder, stored, read_questions(data, part)))
        questions = [question.text for question in load(SEEDS / "single.jsonl", part)]
        typer.echo(_declined(f"seeds, {part}", embedder, stored, questions))


def read(data: Path, embedder: Embedder) -> IntentExamples:
    """Read the examples and encode them. Raises InputError, which names file and line, and ModelError."""
    messages = [message for message in read_messages(data) if message.part != "test"]
    return IntentExamples(messages, _rows(embedder, [message.text for message in messages]), *_extra(embedder, data))


def fit(examples: IntentExamples, embedder: Embedder) -> linear.LinearClassifier:
    """Return the classifier fitted on the vectors of the embedder."""
    return replace(_fit(examples), embedder=embedder.name, revision=embedder.revision)


def cross_validated(examples: IntentExamples) -> Figures:
    """Return the probabilities of each labelled message, by a fit without its fold."""
    folds = np.array([zlib.crc32(f"fold {message.text}".encode()) % _FOLDS for message in examples.messages])
    probabilities = np.zeros((len(examples.messages), len(_INTENTS)), np.float32)
    for fold in range(_FOLDS):
        remaining = [message for message, number in zip(examples.messages, folds, strict=True) if number != fold]
        classifier = _fit(replace(examples, messages=remaining, rows=examples.rows[folds != fold]))
        probabilities[folds == fold] = softmax.predict(classifier, examples.rows[folds == fold])
    return probabilities


def report(name: str, messages: Sequence[IntentMessage], probabilities: Figures) -> str:
    """Return the accuracy over all intents, of research against the rest, and the recall and precision of each."""
    gold = np.array([_INTENTS.index(message.intent) for message in messages])
    chosen = probabilities.argmax(axis=1)
    research = [number for number, intent in enumerate(_INTENTS) if intent in RESEARCH]
    is_research = probabilities[:, research].sum(axis=1) > 0.5
    lines = [
        f"{name}: {len(messages)} messages, accuracy {np.mean(chosen == gold):.3f}, "
        f"research against the rest {np.mean(is_research == np.isin(gold, research)):.3f}"
    ]
    for number, intent in enumerate(_INTENTS):
        right = np.sum((chosen == number) & (gold == number))
        recall, precision = right / max(1, np.sum(gold == number)), right / max(1, np.sum(chosen == number))
        lines.append(f"  {intent:15} {np.sum(gold == number):4} recall {recall:.2f} precision {precision:.2f}")
    return "\n".join(lines)


def _extra(embedder: Embedder, data: Path) -> tuple[Figures, Figures, Figures]:
    """Return rows, possible intents and importance of the examples beside the labelled messages."""
    unanswerable = load(SEEDS / "unanswerable.jsonl", "dev")
    single = [*read_questions(data, "train"), *_texts(load(SEEDS / "single.jsonl", "dev"))]
    subjects = [*read_titles(data, "train"), *topics()]
    subjects += _texts(question for question in unanswerable if question.group != "junk")
    groups = [
        (single, RESEARCH - SURVEY, _UNLABELLED),  # one abstract answers them
        (_texts(load(SEEDS / "multi.jsonl", "dev")), SURVEY, 1.0),
        (subjects, RESEARCH, _UNLABELLED),
        (_texts(question for question in unanswerable if question.group == "junk"), set(Intent) - RESEARCH, 1.0),
        (keyboard_mash(_MASH), {Intent.NOISE}, _RANDOM),
        *(([message.text], {message.intent}, _PHRASING * share) for message, share in phrasings()),
    ]
    possible = [[intent in intents for intent in _INTENTS] for texts, intents, _ in groups for _ in texts]
    importance = [weight for texts, _, weight in groups for _ in texts]
    rows = _rows(embedder, [text for texts, _, _ in groups for text in texts])
    return rows, np.array(possible, dtype=np.float32), np.array(importance, dtype=np.float32)


def _texts(questions: Iterable[Question]) -> list[str]:
    return [question.text for question in questions]


def _rows(embedder: Embedder, texts: Sequence[str]) -> Figures:
    encoded = embedder.encode_queries(texts)
    return np.array([intent_features(item.vector, text) for item, text in zip(encoded, texts, strict=True)])


def _fit(examples: IntentExamples) -> linear.LinearClassifier:
    possible = [[message.intent is intent for intent in _INTENTS] for message in examples.messages]
    return softmax.fit(
        np.vstack([examples.rows, examples.further]),
        np.vstack([np.array(possible, dtype=np.float32), examples.possible]),
        np.concatenate([np.ones(len(examples.rows), np.float32), examples.importance]),
        _PENALTY,
        tuple(map(str, _INTENTS)),
    )


def _declined(name: str, embedder: Embedder, classifier: linear.LinearClassifier, questions: Sequence[str]) -> str:
    """Return how many questions about research would get a fixed reply, and which."""
    rows = softmax.predict(classifier, _rows(embedder, questions))
    predictions = [IntentPrediction(dict(zip(_INTENTS, row.tolist(), strict=True))) for row in rows]
    declined = [text for text, prediction in zip(questions, predictions, strict=True) if prediction.reply]
    return "\n  ".join([f"{name}: {len(declined)} of {len(questions)} questions declined", *declined])


if __name__ == "__main__":
    command.run(main)
