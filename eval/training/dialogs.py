"""Fit the weights of `assistant.question.follow_up`: `python -m eval.training.dialogs --data DATA`.

`DATA/judge` has `dialogs.jsonl`, `intent.jsonl` and `annotated.jsonl.gz` (see `eval.training.messages`); further
conversations, with complete requests on the topic of the question before, are in `dialogs.jsonl` beside this file.
Beside the turns of conversations, which are split whole, the classifiers are fitted on messages after questions drawn
at random: labelled messages, phrasings, and questions about abstracts. One about research is standalone, a follow-up is
not. Figures of dev are by cross-validation over train and dev; test conversations are judged once.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from assistant import factory
from assistant.protocols import Embedder
from assistant.question import fitted, linear
from assistant.question.encoder import QuestionEncoder
from assistant.question.follow_up import FORM_WEIGHTS, Relation, follows_up, form_features, relation_features
from assistant.question.intent import RESEARCH, Intent
from assistant.question.understand import understand
from assistant.schema import Answer, Strength, Turn
from assistant.settings import Settings
from eval.suites import SEEDS, load
from eval.suites.parts import part_of_text
from eval.training import command, softmax
from eval.training.messages import (
    DialogTurn,
    IntentMessage,
    read_dialogs,
    read_further_dialogs,
    read_messages,
    read_questions,
)
from eval.training.phrasings import phrasings
from eval.training.softmax import Figures

_SEED = 20261126
_FOLDS = 5
_PENALTY = 0.3
# How much a labelled message, a phrasing and a question about an abstract count, which have no conversation of their
# own. The follow-ups of a source count as much as all its standalone messages together.
_MESSAGE, _PHRASING, _QUESTION = 0.2, 0.3, 0.02
# The most questions that are drawn to come before such a message.
_MAX_TOPICS = 3
_RELATIONS = tuple(Relation)
_OF_KIND = {
    "new": Relation.STANDALONE,
    "switch": Relation.STANDALONE,
    "history": Relation.CONTINUATION,
    "return": Relation.RETURN,
}
_OF_INTENT = {Intent.FOLLOW_UP: Relation.CONTINUATION} | dict.fromkeys(RESEARCH, Relation.STANDALONE)
# Where the examples that a fold holds out come from; labelled messages have no conversation.
_JUDGE, _FURTHER, _LABELLED = "conversations", "further conversations", "labelled messages"

Dialog = tuple[DialogTurn, ...]


@dataclass(frozen=True, slots=True)
class TurnExample:
    """A message, its relation, the topic before it and the earlier ones.

    `fold` is the number of the fold of cross-validation that holds it out; -1 where it is only learnt from.
    """

    message: str
    relation: Relation
    topics: tuple[str, ...]
    kind: str
    origin: str = _JUDGE
    fold: int = -1
    importance: float = 1.0


@dataclass(frozen=True, slots=True)
class TurnExamples:
    """What is fitted on, the turns of test conversations, and questions that are not learnt, after unrelated ones."""

    learned: Sequence[TurnExample]
    test: Sequence[TurnExample]
    unrelated: Mapping[str, Sequence[TurnExample]]


Rows = Callable[[Sequence[TurnExample], QuestionEncoder], Figures]


def main(
    data: Annotated[Path, typer.Option(help="The folder of the data, which has judge/.")],
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = fitted.PACKAGED,
) -> None:
    """Fit the classifiers of follow-ups, write their weights and print their figures."""
    settings = Settings(engine="float32")
    encoder = question_encoder(settings, factory.open_embedder(settings))
    examples = read(data)
    for file, rows in ((out / fitted.FOLLOW_UPS, vector_rows), (out / FORM_WEIGHTS.name, form_rows)):
        linear.save(fit(examples.learned, encoder, rows), file)
        for line in report(examples, encoder, rows, linear.load(file)):
            typer.echo(f"{file.name}; {line}")
    dialogs = read_dialogs(data)
    for name, is_test in (("train and dev", False), ("test", True)):
        part = [dialog for dialog in dialogs if _is_test(dialog) is is_test]
        typer.echo(f"{name}: {standalone_similarity(part, encoder)}")


def question_encoder(settings: Settings, embedder: Embedder) -> QuestionEncoder:
    """Return what encodes and classifies messages while the classifiers are fitted. Raises ModelError."""
    return QuestionEncoder(embedder, messages=factory.open_message_reader(settings, embedder))


def read(data: Path) -> TurnExamples:
    """Read the examples. Raises InputError, which names file and line."""
    dialogs = read_dialogs(data)
    learned = [dialog for dialog in dialogs if not _is_test(dialog)]
    draw = _Draw([turn.text for dialog in learned for turn in dialog if _OF_KIND[turn.kind] is Relation.STANDALONE])
    messages = [(message, 1.0) for message in read_messages(data) if message.part != "test"]
    labelled = [replace(item, fold=_fold(item.message)) for item in draw.balanced(messages, _MESSAGE)]
    phrased = draw.balanced(phrasings(), _PHRASING)
    unrelated = {
        "annotated dev questions": draw.standalone(read_questions(data, "dev")),
        "single dev questions": draw.standalone([question.text for question in load(SEEDS / "single.jsonl", "dev")]),
    }
    questions = draw.standalone(read_questions(data, "train"))
    test = turns([dialog for dialog in dialogs if _is_test(dialog)])
    further = turns(read_further_dialogs(), _FURTHER)
    return TurnExamples([*turns(learned), *further, *labelled, *phrased, *questions], test, unrelated)


def turns(dialogs: Sequence[Dialog], origin: str = _JUDGE) -> list[TurnExample]:
    """Return the turns of conversations after the first, each with the topics before it, the current one first."""
    return [
        TurnExample(turn.text, _OF_KIND[turn.kind], _topics(dialog[:position]), turn.kind, origin, _fold(str(number)))
        for number, dialog in enumerate(dialogs)
        for position, turn in enumerate(dialog)
        if position
    ]


def fit(learned: Sequence[TurnExample], encoder: QuestionEncoder, rows: Rows) -> linear.LinearClassifier:
    """Return the classifier fitted on the vectors of the encoder's embedder. Raises ModelError where that fails."""
    embedder = encoder.embedder
    return replace(_fit(rows(learned, encoder), learned), embedder=embedder.name, revision=embedder.revision)


def vector_rows(examples: Sequence[TurnExample], encoder: QuestionEncoder) -> Figures:
    """Return the features of messages with the topics before them. Raises ModelError."""
    encoder.encode_all([text for example in examples for text in (example.message, *example.topics)])
    return np.array([_row(example, encoder) for example in examples])


def form_rows(examples: Sequence[TurnExample], encoder: QuestionEncoder) -> Figures:
    """Return the features of messages that need no embedder. Raises ModelError."""
    return np.array([form_features(example.message, follows_up(example.message, encoder)) for example in examples])


def report(
    examples: TurnExamples, encoder: QuestionEncoder, rows: Rows, classifier: linear.LinearClassifier
) -> Iterator[str]:
    """Yield the figures: cross-validated, of test, and how many questions on another topic count as follow-ups."""
    held_out, probabilities = cross_validated(examples.learned, rows(examples.learned, encoder))
    origins = np.array([example.origin for example in held_out])
    for name, origin in (("train and dev", _JUDGE), (_FURTHER, _FURTHER)):
        conversations = [example for example in held_out if example.origin == origin]
        yield accuracy(f"{name}, cross-validated", conversations, probabilities[origins == origin])
    yield accuracy("test", examples.test, softmax.predict(classifier, rows(examples.test, encoder)))
    is_complete = np.array([example.relation is Relation.STANDALONE for example in held_out])
    complete = is_complete & (origins == _LABELLED)
    yield _taken("labelled messages on research, cross-validated", probabilities[complete])
    for name, questions in examples.unrelated.items():
        yield _taken(name, softmax.predict(classifier, rows(questions, encoder)))


def cross_validated(learned: Sequence[TurnExample], rows: Figures) -> tuple[list[TurnExample], Figures]:
    """Return the examples that a fold holds out, and the probabilities of each by a fit without its fold."""
    folds = np.array([example.fold for example in learned])
    probabilities = np.zeros((len(learned), len(_RELATIONS)), np.float32)
    for fold in range(_FOLDS):
        training = [example for example in learned if example.fold != fold]
        classifier = _fit(rows[folds != fold], training)
        probabilities[folds == fold] = softmax.predict(classifier, rows[folds == fold])
    return [example for example in learned if example.fold >= 0], probabilities[folds >= 0]


def accuracy(name: str, examples: Sequence[TurnExample], probabilities: Figures) -> str:
    """Return the accuracy of "needs the conversation", overall and by kind, and that of the three relations."""
    chosen = [_RELATIONS[number] for number in probabilities.argmax(axis=1)]
    gold = np.array([example.relation is not Relation.STANDALONE for example in examples])
    right = np.array([relation is not Relation.STANDALONE for relation in chosen]) == gold
    kinds = np.array([example.kind for example in examples])
    by_kind = ", ".join(f"{kind} {np.mean(right[kinds == kind]):.3f}" for kind in _OF_KIND if kind in kinds)
    exact = np.mean([relation is example.relation for relation, example in zip(chosen, examples, strict=True)])
    return f"{name}: {len(right)} turns, needs the conversation {np.mean(right):.3f} ({by_kind}); relation {exact:.3f}"


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


class _Draw:
    """Puts messages after one to three questions of other conversations, drawn at random, the same on every run."""

    def __init__(self, openings: Sequence[str]) -> None:
        self._openings, self._random = openings, random.Random(_SEED)  # noqa: S311 - no secret

    def balanced(self, messages: Iterable[tuple[IntentMessage, float]], importance: float) -> list[TurnExample]:
        """Return messages with their share of `importance`; follow-ups count as much as the others together."""
        examples = [
            TurnExample(
                message.text, _OF_INTENT[message.intent], self._topics(), "", _LABELLED, importance=importance * share
            )
            for message, share in messages
            if message.intent in _OF_INTENT
        ]
        totals = dict.fromkeys(Relation, 0.0)
        for example in examples:
            totals[example.relation] += example.importance
        standalone = totals[Relation.STANDALONE]
        return [
            replace(example, importance=example.importance * standalone / totals[example.relation])
            for example in examples
        ]

    def standalone(self, questions: Iterable[str]) -> list[TurnExample]:
        """Return complete questions, each on another topic than the one before it."""
        return [
            TurnExample(question, Relation.STANDALONE, self._topics(), "", "questions", importance=_QUESTION)
            for question in questions
        ]

    def _topics(self) -> tuple[str, ...]:
        return tuple(self._random.sample(self._openings, self._random.randint(1, _MAX_TOPICS)))


def _topics(earlier: Sequence[DialogTurn]) -> tuple[str, ...]:
    """Return the topics of the turns before a message: the current one, then the others."""
    topics = [turn.text for turn in earlier if _OF_KIND[turn.kind] is Relation.STANDALONE]
    return (topics[-1], *topics[:-1])


def _is_test(dialog: Dialog) -> bool:
    return part_of_text(dialog[0].text) == "test"


def _fold(key: str) -> int:
    return zlib.crc32(f"fold {key}".encode()) % _FOLDS


def _row(example: TurnExample, encoder: QuestionEncoder) -> Figures:
    vector, *topics = (encoded.vector for encoded in encoder.encode_all([example.message, *example.topics]))
    similarities = [float(vector @ topic) for topic in topics]
    return relation_features(vector, example.message, similarities, follows_up(example.message, encoder))


def _fit(rows: Figures, examples: Sequence[TurnExample]) -> linear.LinearClassifier:
    labels, importance = [example.relation for example in examples], [example.importance for example in examples]
    return softmax.fit_labelled(rows, labels, importance, _PENALTY, _RELATIONS)


def _taken(name: str, probabilities: Figures) -> str:
    """Return the share of complete questions after an unrelated one that count as follow-ups."""
    needs = probabilities.argmax(axis=1) != _RELATIONS.index(Relation.STANDALONE)
    return f"{name}, after an unrelated question: {len(needs)} questions, {np.mean(needs):.3f} taken for follow-ups"


if __name__ == "__main__":
    command.run(main)
