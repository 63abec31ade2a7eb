"""Read the messages and conversations that the classifiers of questions are fitted on, from `judge/` of the data.

intent.jsonl   q, intent
dialogs.jsonl  turns, each with q, standalone and kind: new, switch, history or return

The questions about annotated abstracts and their titles are read by `eval.training.examples`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import InputError
from assistant.question.intent import Intent
from eval.suites.parts import Part, part_of_text
from eval.training.examples import AnnotatedAbstract, read_annotated, read_lines

# Messages on whose topics all intents are asked for, so that wording decides, and conversations of the same kind.
FURTHER = Path(__file__).parent / "messages.jsonl"
FURTHER_DIALOGS = Path(__file__).parent / "dialogs.jsonl"
FOLDER, INTENTS_FILE, DIALOGS_FILE = "judge", "intent.jsonl", "dialogs.jsonl"


@dataclass(frozen=True, slots=True)
class IntentMessage:
    """A message and what it wants."""

    text: str
    intent: Intent

    @property
    def part(self) -> Part:
        """Return train, dev or test, by a hash of the text."""
        return part_of_text(self.text)


@dataclass(frozen=True, slots=True)
class DialogTurn:
    """A message in a conversation, its wording that needs no conversation, and its kind."""

    text: str
    standalone: str
    kind: str


def read_messages(data: Path) -> list[IntentMessage]:
    """Read the messages. Raises InputError, which names file and line."""
    file = data / FOLDER / INTENTS_FILE
    return [_message(row, file, number) for number, row in enumerate(read_lines(file, "q", "intent"), start=1)]


def read_further() -> list[IntentMessage]:
    """Read the messages that were labelled for training alone."""
    return [_message(row, FURTHER, number) for number, row in enumerate(read_lines(FURTHER, "q", "intent"), start=1)]


def read_dialogs(data: Path) -> list[tuple[DialogTurn, ...]]:
    """Read the conversations. Raises InputError, which names file and line."""
    return _dialogs(data / FOLDER / DIALOGS_FILE)


def read_further_dialogs() -> list[tuple[DialogTurn, ...]]:
    """Read the conversations that were written for training alone."""
    return _dialogs(FURTHER_DIALOGS)


def read_questions(data: Path, part: Part) -> list[str]:
    """Read the questions about the annotated abstracts of one part. Raises InputError, which names file and line."""
    return [question["text"] for paper in _abstracts(data, part) for question in paper.questions]


def read_titles(data: Path, part: Part) -> list[str]:
    """Read the titles of the annotated abstracts of one part that have one. Raises as `read_questions` does."""
    return [paper.title for paper in _abstracts(data, part) if paper.title]


def _abstracts(data: Path, part: Part) -> list[AnnotatedAbstract]:
    return [paper for paper in read_annotated(data) if paper.part == part]


def _message(row: Mapping[str, Any], file: Path, number: int) -> IntentMessage:
    try:
        return IntentMessage(str(row["q"]), Intent(row["intent"]))
    except ValueError as error:
        raise InputError(str(file), f"the intent has to be one of {', '.join(Intent)}", number) from error


def _dialogs(file: Path) -> list[tuple[DialogTurn, ...]]:
    return [_dialog(row, file, number) for number, row in enumerate(read_lines(file, "turns"), start=1)]


def _dialog(row: Mapping[str, Any], file: Path, number: int) -> tuple[DialogTurn, ...]:
    try:
        return tuple(DialogTurn(turn["q"], turn["standalone"], turn["kind"]) for turn in row["turns"])
    except (KeyError, TypeError) as error:
        raise InputError(str(file), "each of the `turns` needs `q`, `standalone` and `kind`", number) from error
