"""Fit the weights of `assistant.question.intent`: `python -m eval.training.intents --data DIR`.

`DIR` has `intent.jsonl` and `annotated.jsonl.gz` (see `eval.training.messages`). The questions about abstracts, their
titles and the dev questions of the suites have an intent of research that is not known; phrasings are filled with
topics; keyboard mash is made at random. All of it counts less than a labelled message. Figures of dev are by
cross-validation over train and dev; the test part is judged once, by the weights that are written.
"""

from __future__ import annotations

import random
import string
import tomllib
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from assistant import factory
from assistant.protocols import Embedder
from assistant.question import linear
from assistant.question.form import form
from assistant.question.intent import RESEARCH, SURVEY, WEIGHTS, Intent, IntentPrediction
from assistant.settings import Settings
from eval.suites import SEEDS, Question, load
from eval.training import softmax
from eval.training.messages import Message, read_messages, read_questions, read_titles
from eval.training.softmax import Figures

_SEED = 20261126
_FOLDS = 5
_PENALTY = 0.01
# How much an example counts: a question whose intent is not known, a phrasing, and a message made at random.
_UNLABELLED, _PHRASING, _RANDOM = 0.02, 0.6, 0.1
_MASH = 100
# Messages made of a phrasing with a slot for a topic.
_OF_PHRASING = 3
PHRASINGS = Path(__file__).parent / "phrasings.toml"
_INTENTS = tuple(Intent)
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890", ",.;:!?-_()[]/\\#+*~")


def main(
    data: Annotated[Path, typer.Option(help="Folder with intent.jsonl and annotated.jsonl.gz.")],
    out: Annotated[Path, typer.Option(help="File to write.")] = WEIGHTS,
) -> None:
    """Fit the classifier of intents, write its weights and print its figures."""
    embedder = factory.open_embedder(Settings(engine="float32"))
    messages = read_messages(data)
    learned = [message for message in messages if message.split != "test"]
    examples = _rows(embedder, [message.text for message in learned])
    extra = _extra(embedder, data)
    cross_validated = _cross_validated(learned, examples, extra)
    typer.echo(report("train and dev, cross-validated", learned, cross_validated))
    classifier = _fit(examples, [message.intent for message in learned], extra)
    linear.save(replace(classifier, embedder=embedder.name, revision=embedder.revision), out)
    test = [message for message in messages if message.split == "test"]
    stored = linear.load(out)
    typer.echo(report("test", test, softmax.predict(stored, _rows(embedder, [message.text for message in test]))))
    for split in ("dev", "test"):
        typer.echo(_declined(f"annotated, {split}", embedder, stored, read_questions(data, split)))
        questions = [question.text for question in load(SEEDS / "single.jsonl", split)]
        typer.echo(_declined(f"seeds, {split}", embedder, stored, questions))


def report(name: str, messages: Sequence[Message], probabilities: Figures) -> str:
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


Examples = tuple[Figures, Figures, Figures]


def _extra(embedder: Embedder, data: Path) -> Examples:
    """Return rows, possible intents and importance of the examples beside the labelled messages."""
    unanswerable = load(SEEDS / "unanswerable.jsonl", "dev")
    single = [*read_questions(data, "train"), *_texts(load(SEEDS / "single.jsonl", "dev"))]
    topics = [*read_titles(data, "train"), *_topics()]
    topics += _texts(question for question in unanswerable if question.group != "junk")
    groups = [
        (single, RESEARCH - SURVEY, _UNLABELLED),  # one abstract answers them
        (_texts(load(SEEDS / "multi.jsonl", "dev")), SURVEY, 1.0),
        (topics, RESEARCH, _UNLABELLED),
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


def phrasings() -> list[tuple[Message, float]]:
    """Return messages made of the phrasings with topics drawn for them, each with its share of a phrasing."""
    generator = random.Random(_SEED)  # noqa: S311 - no secret
    listed = tomllib.loads(PHRASINGS.read_text(encoding="utf-8"))
    topics, made = listed.pop("topics"), []
    for intent, texts in listed.items():
        for text in texts:
            count = _OF_PHRASING if "{t}" in text else 1
            for _ in range(count):
                first, second = generator.sample(topics, 2)
                filled = text.replace("{t}", first).replace("{u}", second)
                made.append((Message(filled, Intent(intent)), 1 / count))
    return made


def keyboard_mash(count: int) -> list[str]:
    """Return messages of neighbouring keys, random letters or symbols, the same on every call."""
    generator = random.Random(_SEED)  # noqa: S311 - no secret
    pools = [*_KEYS, string.ascii_lowercase, string.hexdigits, string.punctuation]
    return [
        " ".join(
            "".join(generator.choices(generator.choice(pools), k=generator.randint(1, 9)))
            for _ in range(generator.randint(1, 4))
        )
        for _ in range(count)
    ]


def _topics() -> list[str]:
    """Return the topics of the phrasings, which people also type alone."""
    topics: list[str] = tomllib.loads(PHRASINGS.read_text(encoding="utf-8"))["topics"]
    return topics


def _rows(embedder: Embedder, texts: Sequence[str]) -> Figures:
    encoded = embedder.encode_queries(texts)
    return np.array([np.concatenate([item.vector, form(text)]) for item, text in zip(encoded, texts, strict=True)])


def _fit(rows: Figures, intents: Sequence[Intent], extra: Examples) -> linear.LinearClassifier:
    possible = np.array([[intent is label for label in _INTENTS] for intent in intents], dtype=np.float32)
    return softmax.fit(
        np.vstack([rows, extra[0]]),
        np.vstack([possible, extra[1]]),
        np.concatenate([np.ones(len(rows), np.float32), extra[2]]),
        _PENALTY,
        tuple(map(str, _INTENTS)),
    )


def _cross_validated(messages: Sequence[Message], rows: Figures, extra: Examples) -> Figures:
    folds = np.array([zlib.crc32(f"fold {message.text}".encode()) % _FOLDS for message in messages])
    probabilities = np.zeros((len(messages), len(_INTENTS)), np.float32)
    for fold in range(_FOLDS):
        intents = [message.intent for message, number in zip(messages, folds, strict=True) if number != fold]
        classifier = _fit(rows[folds != fold], intents, extra)
        probabilities[folds == fold] = softmax.predict(classifier, rows[folds == fold])
    return probabilities


def _declined(name: str, embedder: Embedder, classifier: linear.LinearClassifier, questions: Sequence[str]) -> str:
    """Return how many questions about research would get a fixed reply, and which."""
    rows = softmax.predict(classifier, _rows(embedder, questions))
    predictions = [IntentPrediction(dict(zip(_INTENTS, row.tolist(), strict=True))) for row in rows]
    declined = [text for text, prediction in zip(questions, predictions, strict=True) if prediction.reply]
    return "\n  ".join([f"{name}: {len(declined)} of {len(questions)} questions declined", *declined])


if __name__ == "__main__":
    typer.run(main)
