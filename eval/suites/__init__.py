"""Suites: JSON Lines files with one question, conversation or claim per line.

    question  id, question, papers (ids of the papers that answer it, empty if it is unanswerable), split;
              optionally evidence (sentences, verbatim), difficulty, kind
    dialog    id, split, turns, each with question, papers, needs_history, kind, evidence
    claim     id, split, claim, paper, supported, kind, evidence

`split` is dev or test: models are chosen and fitted on dev only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from assistant.errors import InputError

SPLITS = ("dev", "test")
SEEDS = Path(__file__).parent / "seeds"


@dataclass(frozen=True, slots=True)
class Question:
    """A question of a suite; `group` is its difficulty or kind."""

    id: str
    text: str
    papers: frozenset[str]
    split: str
    group: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScriptedDialog:
    """The questions of a conversation.

    The group of a turn says whether it depends on earlier turns: `history`, `alone` or `switch`.
    """

    id: str
    turns: tuple[Question, ...]
    split: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement, and whether the abstract of `paper` supports it; `group` is the kind of error in it."""

    id: str
    text: str
    paper: str
    supported: bool
    split: str
    group: str
    evidence: tuple[str, ...] = ()


Item = TypeVar("Item", Question, ScriptedDialog, Claim)


def load(file: Path, split: str | None = None) -> list[Question]:
    """Load the questions of a suite, of one split or of both.

    Raises InputError, naming file and line, for a malformed line, a duplicate id or an empty file.
    """
    return _load(file, split, _question)


def load_dialogs(file: Path, split: str | None = None) -> list[ScriptedDialog]:
    """Load the conversations of a suite. Raises InputError as `load` does."""
    return _load(file, split, _dialog)


def load_claims(file: Path, split: str | None = None) -> list[Claim]:
    """Load the claims of a suite. Raises InputError as `load` does."""
    return _load(file, split, _claim)


def _load(file: Path, split: str | None, read: Callable[[dict[str, Any]], Item]) -> list[Item]:
    if split not in (None, *SPLITS):
        raise InputError("split", f"{split!r} is not one of {', '.join(SPLITS)}")
    items = list(_items(file, read))
    if not items:
        raise InputError(str(file), "the suite has no question")
    return [item for item in items if split in (None, item.split)]


def _items(file: Path, read: Callable[[dict[str, Any]], Item]) -> Iterator[Item]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(file), f"cannot be read: {error}") from error
    seen: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if line.strip():
            item = _item(line, file, number, read)
            if item.id in seen:
                raise InputError(str(file), f"the id {item.id} is used twice", number)
            seen.add(item.id)
            yield item


def _item(line: str, file: Path, number: int, read: Callable[[dict[str, Any]], Item]) -> Item:
    try:
        row = json.loads(line)
        SPLITS.index(row["split"])
        return read(row)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(str(file), f"not a valid line of this suite: {error!r}", number) from error


def _question(row: dict[str, Any]) -> Question:
    return Question(
        id=row["id"],
        text=row["question"],
        papers=frozenset(row["papers"]),
        split=row["split"],
        group=row.get("difficulty") or row.get("kind") or "all",
        evidence=tuple(row.get("evidence", ())),
    )


def _dialog(row: dict[str, Any]) -> ScriptedDialog:
    turns = (
        _question({"id": f"{row['id']}-{number}", "split": row["split"], **turn, "kind": _turn_group(turn)})
        for number, turn in enumerate(row["turns"], start=1)
    )
    return ScriptedDialog(row["id"], tuple(turns), row["split"])


def _turn_group(turn: dict[str, Any]) -> str:
    if turn["needs_history"]:
        return "history"
    return "switch" if turn["kind"] == "switch" else "alone"


def _claim(row: dict[str, Any]) -> Claim:
    if not isinstance(row["supported"], bool):
        raise TypeError("supported must be true or false")
    return Claim(
        id=row["id"],
        text=row["claim"],
        paper=row["paper"],
        supported=row["supported"],
        split=row["split"],
        group=row["kind"],
        evidence=tuple(row.get("evidence", ())),
    )
