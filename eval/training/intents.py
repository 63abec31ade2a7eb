"""Train the message reader, which tells intents: `python -m eval.training.intents --data DATA`.

`DATA/judge` has `intent.jsonl` and `annotated.jsonl.gz` (see `eval.training.messages`); further labelled messages are
in `messages.jsonl` beside this file. The questions about abstracts, their titles and the dev questions of the suites
have an intent of research that is not known; phrasings are filled with topics; keyboard mash is made at random. All of
it counts less than a labelled message. Figures of dev are by cross-validation over train and dev; the test part is
judged once, by the weights that are written.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Annotated

import numpy as np
import torch
import typer

from assistant.embedding.fine_tuned import MESSAGE_READER, save_weights
from assistant.embedding.packaged_model import PACKAGED, locate
from assistant.question.intent import RESEARCH, SURVEY, Intent, IntentPrediction
from assistant.settings import load as load_settings
from eval.suites import SEEDS, Question, load
from eval.training import command, message_network
from eval.training.message_network import LabelledText, MessageNetwork
from eval.training.messages import IntentMessage, read_further, read_messages, read_questions, read_titles
from eval.training.phrasings import keyboard_mash, phrasings, topics
from eval.training.shipped_weights import likeliest_temperature
from eval.training.softmax import Figures, softmax

_FOLDS, _EPOCHS, _SEED = 5, 8, 3
# How much an example counts: a question whose intent is not known, a phrasing, and a message made at random.
_UNLABELLED, _PHRASING, _RANDOM = 0.3, 0.6, 0.1
# Questions and topics of unknown intent that are drawn, and messages made at random.
_DRAWN, _MASH = 800, 100
_INTENTS = tuple(Intent)


def main(
    data: Annotated[Path, typer.Option(help="The folder of the data, which has judge/.")],
    out: Annotated[Path, typer.Option(help="File to write.")] = MESSAGE_READER,
    folds: Annotated[int, typer.Option(min=1, max=_FOLDS, help="Parts of the cross-validation that are run.")] = _FOLDS,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the messages.")] = _EPOCHS,
) -> None:
    """Train the message reader, write its weights and print its figures."""
    location, _ = locate(PACKAGED, load_settings().shared / "embedder.verified")
    messages = read_messages(data)
    shown = [message for message in messages if message.part != "test"]
    further = list(_further(data))
    judged, outputs = cross_validated(shown, further, location, folds, epochs)
    temperature = fit_temperature(outputs, judged)
    title = "train and dev, cross-validated"
    typer.echo(report(title, judged, softmax(outputs / temperature)) + f"\n  temperature {temperature}")
    network = fit([*map(_labelled, shown), *further], location, epochs)
    save_weights(message_network.tuned(network, list(map(str, _INTENTS)), temperature), out, {})
    test = [message for message in messages if message.part == "test"]
    typer.echo(report("test", test, _predicted(network, temperature, [message.text for message in test])))
    for part in ("dev", "test"):
        typer.echo(_declined(f"annotated, {part}", network, temperature, read_questions(data, part)))
        questions = [question.text for question in load(SEEDS / "single.jsonl", part)]
        typer.echo(_declined(f"seeds, {part}", network, temperature, questions))


def fit(examples: Sequence[LabelledText], location: str, epochs: int = _EPOCHS) -> MessageNetwork:
    """Return a network trained on the examples, on a GPU where there is one."""
    network = MessageNetwork(location, len(_INTENTS), _SEED)
    network.to("cuda" if torch.cuda.is_available() else "cpu")
    message_network.train(network, examples, epochs, _SEED)
    return network


def cross_validated(
    messages: Sequence[IntentMessage], further: Sequence[LabelledText], location: str, folds: int, epochs: int
) -> tuple[list[IntentMessage], Figures]:
    """Return the messages of some folds with their logits, by a network that was trained without their fold."""
    numbers = [zlib.crc32(f"fold {message.text}".encode()) % _FOLDS for message in messages]
    judged: list[IntentMessage] = []
    rows = []
    for fold in range(folds):
        held_out = [message for message, number in zip(messages, numbers, strict=True) if number == fold]
        seen = [message for message, number in zip(messages, numbers, strict=True) if number != fold]
        network = fit([*map(_labelled, seen), *further], location, epochs)
        judged += held_out
        rows.append(message_network.logits(network, [message.text for message in held_out]))
    return judged, np.vstack(rows)


def fit_temperature(outputs: Figures, messages: Sequence[IntentMessage]) -> float:
    """Return the temperature of the logits that makes the labels likeliest."""
    gold = np.array([_INTENTS.index(message.intent) for message in messages])

    def loss(scale: float) -> float:
        return float(-np.log(softmax(outputs / scale)[np.arange(len(gold)), gold] + 1e-12).mean())

    return likeliest_temperature(loss)


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


def _further(data: Path) -> Iterator[LabelledText]:
    """Yield what is learned from beside the labelled messages."""
    unanswerable = load(SEEDS / "unanswerable.jsonl", "dev")
    random = Random(_SEED)  # noqa: S311 - reproducible, not secret
    single = [*read_questions(data, "train"), *_texts(load(SEEDS / "single.jsonl", "dev"))]
    subjects = [*read_titles(data, "train"), *topics()]
    subjects += _texts(question for question in unanswerable if question.group != "junk")
    yield from map(_labelled, read_further())
    # One abstract answers such a question; what a topic wants is open.
    yield from _examples(random.sample(single, min(_DRAWN, len(single))), RESEARCH.difference(SURVEY), _UNLABELLED)
    yield from _examples(random.sample(subjects, min(_DRAWN, len(subjects))), RESEARCH, _UNLABELLED)
    yield from _examples(_texts(load(SEEDS / "multi.jsonl", "dev")), SURVEY, 1.0)
    junk = _texts(question for question in unanswerable if question.group == "junk")
    yield from _examples(junk, frozenset(Intent) - RESEARCH, 1.0)
    yield from _examples(keyboard_mash(_MASH), {Intent.NOISE}, _RANDOM)
    for message, share in phrasings():
        yield from _examples([message.text], {message.intent}, _PHRASING * share)


def _labelled(message: IntentMessage) -> LabelledText:
    (example,) = _examples([message.text], {message.intent}, 1.0)
    return example


def _examples(texts: Iterable[str], intents: Iterable[Intent], importance: float) -> list[LabelledText]:
    possible = tuple(float(intent in set(intents)) for intent in _INTENTS)
    return [LabelledText(text, possible, importance) for text in texts]


def _texts(questions: Iterable[Question]) -> list[str]:
    return [question.text for question in questions]


def _predicted(network: MessageNetwork, temperature: float, texts: Sequence[str]) -> Figures:
    if not texts:
        return np.zeros((0, len(_INTENTS)), np.float32)
    return softmax(message_network.logits(network, texts) / np.float32(temperature))


def _declined(name: str, network: MessageNetwork, temperature: float, questions: Sequence[str]) -> str:
    """Return how many questions about research would get a fixed reply, and which, and how many would be doubted."""
    rows = _predicted(network, temperature, questions)
    predictions = [IntentPrediction(dict(zip(_INTENTS, row.tolist(), strict=True))) for row in rows]
    declined = [text for text, prediction in zip(questions, predictions, strict=True) if prediction.reply]
    doubted = sum(prediction.doubt is not None for prediction in predictions)
    return "\n  ".join(
        [f"{name}: {len(declined)} of {len(questions)} questions declined, {doubted} doubted", *declined]
    )


if __name__ == "__main__":
    command.run(main)
