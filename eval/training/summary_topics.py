"""Fit the weights of `assistant.question.summary_topic`: `python -m eval.training.summary_topics --data DIR`.

In `summary_topics.jsonl`, the questions for a summary among the messages for training the message reader, [brackets]
stand around the topic. Each is also made with other topics, those of questions for both sides among them, and with
titles of annotated abstracts, and so are the phrasings of such questions: the wording decides. Figures are by
cross-validation, all questions made of a line in one fold.
"""

from __future__ import annotations

import re
import tomllib
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Annotated

import numpy as np
import typer

from assistant.question import linear
from assistant.question.catalog_question import CatalogKind
from assistant.question.subject import WordRole
from assistant.question.summary_topic import WORDING, WORDS, topic_in
from eval.training import command, disagreement_questions
from eval.training.catalog_messages import CatalogMessage, unmarked
from eval.training.catalog_questions import fit_words
from eval.training.examples import read_lines
from eval.training.messages import read_titles
from eval.training.phrasings import PHRASINGS, topics

QUESTIONS = Path(__file__).with_suffix(".jsonl")
_SEED, _FOLDS = 20261127, 5
# Questions made of a line with other topics, and how much each counts.
_OF_LINE, _MADE = 4, 0.5
_BRACKETS = re.compile(r"\[([^\]]*)\]")
_MARKS = re.compile(r"[<>{}\[\]]")
# The share of titles in small letters.
_LOWER = 0.8
_ROLES = (WordRole.WORDING, WordRole.SUBJECT)


def main(
    data: Annotated[Path, typer.Option(help="The folder of the data, which has judge/.")],
    questions: Annotated[Path, typer.Option(help="File of marked questions.")] = QUESTIONS,
    words_out: Annotated[Path, typer.Option(help="File of the roles of words.")] = WORDS,
    wording_out: Annotated[Path, typer.Option(help="File of the words that wording is made of.")] = WORDING,
) -> None:
    """Fit the classifier, write its weights and print its cross-validated figures."""
    messages = read_marked(questions, read_titles(data, "train"))
    typer.echo(report(messages))
    words = fit_words(messages, _ROLES)
    linear.save(words.classifier, words_out)
    wording_out.write_text("".join(f"{word}\n" for word in sorted(words.wording)), encoding="utf-8")


def read_marked(file: Path, titles: Sequence[str]) -> list[CatalogMessage]:
    """Return the marked questions, and those made of them and of the phrasings with other topics and these titles.

    Raises InputError.
    """
    random = Random(_SEED)  # noqa: S311 - reproducible, not secret
    lines = [row["q"] for row in read_lines(file, "q")]
    disputed = (row["q"] for row in read_lines(disagreement_questions.QUESTIONS, "q"))
    others = [*topics(), *(match[1] for line in [*lines, *disputed] for match in _BRACKETS.finditer(line))]
    messages = [_message(line, line, 1.0) for line in lines]
    for line in [*lines, *_phrasings()]:
        for number in range(_OF_LINE):
            topic = _topic_of(random.choice(titles), random) if number % 2 else random.choice(others)
            messages.append(_message(_with_topic(line, topic), line, _MADE))
    return messages


def report(messages: Sequence[CatalogMessage]) -> str:
    """Return how often the topic of a marked question is found exactly, and which others are found."""
    written = [message for message in messages if message.importance == 1.0]
    topic_of: dict[CatalogMessage, str] = {}
    for fold in range(_FOLDS):
        words = fit_words([message for message in messages if _fold(message) != fold], _ROLES)
        topic_of |= {message: topic_in(message.text, words) for message in written if _fold(message) == fold}
    gold = {message: _BRACKETS.findall(message.origin)[0] for message in written}
    exact = np.mean([topic_of[message] == gold[message] for message in written])
    none = np.mean([not topic_of[message] for message in written])
    lines = [f"{len(written)} questions: topic found exactly {exact:.3f}, none found {none:.3f}"]
    lines += [
        f"    {message.text} ({topic_of[message] or 'none'})"
        for message in written
        if topic_of[message] != gold[message]
    ]
    return "\n".join(lines)


def _with_topic(line: str, topic: str) -> str:
    """Return the line with another marked topic."""
    return f"{line[: line.index('[')]}[{topic}]{line[line.index(']') + 1 :]}"


def _topic_of(title: str, random: Random) -> str:
    """Return a title as people write a topic: without what is behind its colon, mostly in small letters."""
    topic = _MARKS.sub("", title.split(":")[0]).strip(" .?!")
    return topic.lower() if random.random() < _LOWER else topic


def _phrasings() -> Iterator[str]:
    """Yield the phrasings of questions for a summary with a slot for one topic, which is marked."""
    listed = tomllib.loads(PHRASINGS.read_text(encoding="utf-8"))
    yield from (text.replace("{t}", "[]") for text in listed["summary"] if "{u}" not in text)


def _message(marked: str, origin: str, importance: float) -> CatalogMessage:
    text, roles = unmarked(marked)
    return CatalogMessage(text, CatalogKind.NONE, roles, origin, importance)


def _fold(message: CatalogMessage) -> int:
    return zlib.crc32(message.origin.encode()) % _FOLDS


if __name__ == "__main__":
    command.run(main)
