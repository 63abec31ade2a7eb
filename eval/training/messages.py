"""Read the messages and conversations that the classifiers of questions are fitted on.

intent.jsonl        q, intent
dialogs.jsonl       turns, each with q, standalone and kind: new, switch, history or return
annotated.jsonl.gz  id, split, questions, each with text
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import InputError
from assistant.question.intent import Intent

INTENTS_FILE, DIALOGS_FILE, ANNOTATED_FILE = "intent.jsonl", "dialogs.jsonl", "annotated.jsonl.gz"
# One part in five is for tests and one for development.
_PARTS = 5
_SPLITS = {0: "test", 1: "dev"}


@dataclass(frozen=True, slots=True)
class Message:
    """A message and what it wants."""

    text: str
    intent: Intent

    @property
    def split(self) -> str:
        """Return train, dev or test, by a hash of the text."""
        return split_of(self.text)


@dataclass(frozen=True, slots=True)
class DialogTurn:
    """A message in a conversation, its wording that needs no conversation, and its kind."""

    text: str
    standalone: str
    kind: str


def split_of(key: str) -> str:
    """Return train, dev or test, by a fixed hash of the key."""
    return _SPLITS.get(zlib.crc32(key.encode()) % _PARTS, "train")


def read_messages(folder: Path) -> list[Message]:
    """Read the messages. Raises InputError, which names file and line."""
    file = folder / INTENTS_FILE
    return [_message(line, file, number) for number, line in _lines(file)]


def read_dialogs(folder: Path) -> list[tuple[DialogTurn, ...]]:
    """Read the conversations. Raises InputError, which names file and line."""
    file = folder / DIALOGS_FILE
    return [_dialog(line, file, number) for number, line in _lines(file)]


def read_questions(folder: Path, split: str) -> list[str]:
    """Read the questions about annotated abstracts of one split: train, dev, or test, which is a part of their train.

    Raises InputError, which names file and line.
    """
    return [question["text"] for item in _abstracts(folder, split) for question in item["questions"]]


def read_titles(folder: Path, split: str) -> list[str]:
    """Read the titles of the annotated abstracts of one split that have one. Raises as `read_questions` does."""
    return [item["title"] for item in _abstracts(folder, split) if item.get("title")]


def _abstracts(folder: Path, split: str) -> list[dict[str, Any]]:
    file = folder / ANNOTATED_FILE
    abstracts = [_abstract(line, file, number) for number, line in _lines(file)]
    return [item for item in abstracts if _split_of_abstract(item) == split]


def _split_of_abstract(item: dict[str, Any]) -> str:
    is_test = item["split"] == "train" and zlib.crc32(item["id"].encode()) % _PARTS == 0
    return "test" if is_test else str(item["split"])


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    try:
        raw = file.read_bytes()
        text = (gzip.decompress(raw) if file.suffix == ".gz" else raw).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(str(file), f"cannot be read: {error}; give the folder that has it by --data") from error
    return ((number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip())


def _parsed(line: str, file: Path, number: int) -> dict[str, Any]:
    try:
        parsed = json.loads(line)
    except ValueError as error:
        raise InputError(f"{file}, line {number}", f"is not JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise InputError(f"{file}, line {number}", "is not a JSON object")
    return parsed


def _message(line: str, file: Path, number: int) -> Message:
    parsed = _parsed(line, file, number)
    try:
        return Message(str(parsed["q"]), Intent(parsed["intent"]))
    except (KeyError, ValueError) as error:
        intents = ", ".join(Intent)
        raise InputError(f"{file}, line {number}", f"needs `q` and an `intent` that is one of {intents}") from error


def _dialog(line: str, file: Path, number: int) -> tuple[DialogTurn, ...]:
    parsed = _parsed(line, file, number)
    try:
        return tuple(DialogTurn(turn["q"], turn["standalone"], turn["kind"]) for turn in parsed["turns"])
    except (KeyError, TypeError) as error:
        raise InputError(f"{file}, line {number}", "needs `turns`, each with `q`, `standalone` and `kind`") from error


def _abstract(line: str, file: Path, number: int) -> dict[str, Any]:
    parsed = _parsed(line, file, number)
    if not {"id", "split", "questions"} <= set(parsed):
        raise InputError(f"{file}, line {number}", "needs `id`, `split` and `questions`")
    return parsed
