"""Fit the weights of `assistant.question.follow_up`: `python -m eval.training.dialogs --data DIR`.

`DIR` has `dialogs.jsonl` and `intent.jsonl` (see `eval.training.messages`). Conversations are split whole. Labelled
messages join the examples with a small weight, after questions drawn at random: one about research is standalone, a
follow-up is not. Figures of dev are by cross-validation over the train and dev conversations; test conversations are
judged once.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from assistant import factory
from assistant.question import linear
from assistant.question.encoder import QuestionEncoder
from assistant.question.follow_up import FORM_WEIGHTS, WEIGHTS, Relation, relation_features
from assistant.question.form import form
from assistant.question.intent import RESEARCH, Intent
from assistant.question.understand import understand
from assistant.schema import Answer, Strength, Turn
from assistant.settings import Settings
from eval.training import softmax
from eval.training.messages import DialogTurn, read_dialogs, read_messages, split_of
from eval.training.softmax import Figures

_SEED = 20261126
_FOLDS = 5
_PENALTY = 0.3
# How much a labelled message counts, which has no conversation of its own.
_MESSAGE_WEIGHT = 0.05
_RELATIONS = tuple(Relation)
_OF_KIND = {
    "new": Relation.STANDALONE,
    "switch": Relation.STANDALONE,
    "history": Relation.CONTINUATION,
    "return": Relation.RETURN,
}

Dialog = tuple[DialogTurn, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A message, its relation, the topic before it and the earlier ones, and the number of its conversation."""

    message: str
    relation: Relation
    topics: tuple[str, ...]
    dialog: int
    kind: str
    importance: float = 1.0


Rows = Callable[[Sequence[Example], QuestionEncoder], Figures]


def main(
    data: Annotated[Path, typer.Option(help="Folder with dialogs.jsonl and intent.jsonl.")],
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = WEIGHTS.parent,
) -> None:
    """Fit the classifiers of follow-ups, write their weights and print their figures."""
    encoder = QuestionEncoder(factory.open_embedder(Settings(engine="float32")))
    dialogs = read_dialogs(data)
    learned = [dialog for dialog in dialogs if split_of(dialog[0].text) != "test"]
    test = [dialog for dialog in dialogs if split_of(dialog[0].text) == "test"]
    turns, judged, messages = examples(learned), examples(test), _messages(data, learned)
    for file, rows in ((out / WEIGHTS.name, _rows), (out / FORM_WEIGHTS.name, _form_rows)):
        cross_validated = _cross_validated(turns, messages, rows, encoder)
        typer.echo(report(f"{file.name}; train and dev, cross-validated", turns, cross_validated))
        classifier, embedder = _fit([*turns, *messages], rows, encoder), encoder.embedder
        linear.save(replace(classifier, embedder=embedder.name, revision=embedder.revision), file)
        typer.echo(report(f"{file.name}; test", judged, softmax.predict(linear.load(file), rows(judged, encoder))))
    for name, part in (("train and dev", learned), ("test", test)):
        typer.echo(f"{name}: {standalone_similarity(part, encoder)}")


def examples(dialogs: Sequence[Dialog]) -> list[Example]:
    """Return the turns of conversations after the first, each with the topics before it, the current one first."""
    return [
        Example(turn.text, _OF_KIND[turn.kind], _topics(dialog[:position]), number, turn.kind)
        for number, dialog in enumerate(dialogs)
        for position, turn in enumerate(dialog)
        if position
    ]


def standalone_similarity(dialogs: Sequence[Dialog], encoder: QuestionEncoder) -> str:
    """Return, by kind, the mean cosine of our standalone text to the one that people wrote, and its lowest quarter."""
    cosines: dict[str, list[float]] = {}
    for dialog in dialogs:
        history: list[Turn] = []
        for turn in dialog:
            query = understand(turn.text, history, encoder=encoder)
            ours, gold = encoder.encode_all([query.standalone, turn.standalone])
            cosines.setdefault(turn.kind, []).append(float(ours.vector @ gold.vector))
            history.append(Turn(turn.text, Answer(turn.text, query.standalone, Strength.FIRM, 1.0, "")))
    return ", ".join(
        f"{kind} {np.mean(values):.3f} (lowest quarter {np.mean(sorted(values)[: max(1, len(values) // 4)]):.3f})"
        for kind, values in cosines.items()
    )


def report(name: str, turns: Sequence[Example], probabilities: Figures) -> str:
    """Return the accuracy of "needs the conversation", overall and by kind, and that of the three relations."""
    chosen = [_RELATIONS[number] for number in probabilities.argmax(axis=1)]
    needs = np.array([relation is not Relation.STANDALONE for relation in chosen])
    gold = np.array([turn.relation is not Relation.STANDALONE for turn in turns])
    kinds = np.array([turn.kind for turn in turns])
    by_kind = ", ".join(f"{kind} {np.mean((needs == gold)[kinds == kind]):.3f}" for kind in _OF_KIND if kind in kinds)
    exact = np.mean([relation is turn.relation for relation, turn in zip(chosen, turns, strict=True)])
    accuracy = np.mean(needs == gold)
    return f"{name}: {len(turns)} turns, needs the conversation {accuracy:.3f} ({by_kind}); relation {exact:.3f}"


def _topics(earlier: Sequence[DialogTurn]) -> tuple[str, ...]:
    """Return the topics of the turns before a message: the current one, then the others."""
    topics = [turn.text for turn in earlier if _OF_KIND[turn.kind] is Relation.STANDALONE]
    return (topics[-1], *topics[:-1])


def _messages(data: Path, dialogs: Sequence[Dialog]) -> list[Example]:
    """Return the labelled messages outside test as turns after one to three questions of other conversations."""
    generator = random.Random(_SEED)  # noqa: S311 - no secret
    openings = [turn.text for dialog in dialogs for turn in dialog if _OF_KIND[turn.kind] is Relation.STANDALONE]
    relations = {Intent.FOLLOW_UP: Relation.CONTINUATION} | dict.fromkeys(RESEARCH, Relation.STANDALONE)
    return [
        Example(
            message.text,
            relations[message.intent],
            tuple(generator.sample(openings, generator.randint(1, 3))),
            dialog=-1,
            kind="message",
            importance=_MESSAGE_WEIGHT,
        )
        for message in read_messages(data)
        if message.intent in relations and message.split != "test"
    ]


def _rows(turns: Sequence[Example], encoder: QuestionEncoder) -> Figures:
    texts = [text for turn in turns for text in (turn.message, *turn.topics)]
    encoder.encode_all(texts)
    return np.array([_row(turn, encoder) for turn in turns])


def _row(turn: Example, encoder: QuestionEncoder) -> Figures:
    vector, *topics = (encoded.vector for encoded in encoder.encode_all([turn.message, *turn.topics]))
    return relation_features(vector, turn.message, [float(vector @ topic) for topic in topics])


def _form_rows(turns: Sequence[Example], encoder: QuestionEncoder) -> Figures:
    return np.array([form(turn.message) for turn in turns])


def _fit(turns: Sequence[Example], rows: Rows, encoder: QuestionEncoder) -> linear.LinearClassifier:
    return softmax.fit(
        rows(turns, encoder),
        np.array([[turn.relation is relation for relation in _RELATIONS] for turn in turns], dtype=np.float32),
        np.array([turn.importance for turn in turns], dtype=np.float32),
        _PENALTY,
        tuple(map(str, _RELATIONS)),
    )


def _cross_validated(
    turns: Sequence[Example], messages: Sequence[Example], rows: Rows, encoder: QuestionEncoder
) -> Figures:
    folds = np.array([zlib.crc32(f"fold {turn.dialog}".encode()) % _FOLDS for turn in turns])
    probabilities = np.zeros((len(turns), len(_RELATIONS)), np.float32)
    for fold in range(_FOLDS):
        training = [turn for turn, number in zip(turns, folds, strict=True) if number != fold]
        held_out = [turn for turn, number in zip(turns, folds, strict=True) if number == fold]
        classifier = _fit([*training, *messages], rows, encoder)
        probabilities[folds == fold] = softmax.predict(classifier, rows(held_out, encoder))
    return probabilities


if __name__ == "__main__":
    typer.run(main)
