"""Suites: JSON Lines files with one question, conversation or claim per line.

    question  id, question, papers (ids of the papers that answer it, empty if it is unanswerable), split;
              optionally evidence (sentences, verbatim), difficulty, kind, style
    dialog    id, split, turns, each with question, papers, needs_history, kind, evidence
    claim     id, split, claim, paper, supported, kind, evidence; optionally label, wording
    message   id, split, message, intent
    rewriting id, split, turns, each with question, standalone, kind

`split` is dev or test: models are chosen and fitted on dev only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from assistant.errors import InputError
from eval.suites.lines import numbered_lines

SPLITS = ("dev", "test")
SEEDS = Path(__file__).parent / "seeds"
# The annotated abstracts: the name of their library, and the folder of their suites.
ANNOTATED = "abstracts"
ABSTRACTS = Path(__file__).parent / ANNOTATED
# Intents of messages that are no question about research.
_NOT_RESEARCH = frozenset({"chitchat", "injection", "meta_assistant", "noise", "off_topic"})
# The kinds of a turn: whether it needs the conversation before it.
_NEEDS_HISTORY = {"new": False, "switch": False, "history": True, "return": True}


@dataclass(frozen=True, slots=True)
class Question:
    """A question of a suite; `group` is its difficulty or kind.

    `style` is the probability that it is answered, as its wording alone suggests (`eval.training.question_style`).
    """

    id: str
    text: str
    papers: frozenset[str]
    split: str
    group: str
    evidence: tuple[str, ...] = ()
    style: float | None = None


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
    """A statement, and whether the abstract of `paper` supports it; `group` is the kind of error in it.

    `label` is supported, contradicted or not stated, and `wording` close to that of the abstract, half, or paraphrased;
    both are empty where they were not annotated.
    """

    id: str
    text: str
    paper: str
    supported: bool
    split: str
    group: str
    evidence: tuple[str, ...] = ()
    label: str = ""
    wording: str = ""


@dataclass(frozen=True, slots=True)
class LabelledMessage:
    """A message and its intent; `is_research` tells whether it is a question or statement about research."""

    id: str
    text: str
    intent: str
    split: str

    @property
    def is_research(self) -> bool:
        """Return whether papers could answer the message."""
        return self.intent not in _NOT_RESEARCH


@dataclass(frozen=True, slots=True)
class RewrittenTurn:
    """A question of a conversation with the standalone question that it means.

    `group` is new, history, switch (a new subject) or return (to an earlier one).
    """

    id: str
    text: str
    standalone: str
    group: str

    @property
    def needs_history(self) -> bool:
        """Return whether the question cannot be understood without the conversation before it."""
        return _NEEDS_HISTORY[self.group]


@dataclass(frozen=True, slots=True)
class RewrittenDialog:
    """A conversation whose turns are rewritten as standalone questions; no paper is known to answer them."""

    id: str
    turns: tuple[RewrittenTurn, ...]
    split: str


class SuiteItem(Protocol):
    """An item of a suite."""

    @property
    def id(self) -> str:
        """Return the id, unique in its suite."""
        ...

    @property
    def split(self) -> str:
        """Return dev or test."""
        ...


Item = TypeVar("Item", bound=SuiteItem)


def load(file: Path, split: str | None = None) -> list[Question]:
    """Load the questions of a suite, of one split or of both.

    Raises InputError, naming file and line, for a malformed line, a duplicate id or an empty file.
    """
    return load_items(file, split, _question)


def load_dialogs(file: Path, split: str | None = None) -> list[ScriptedDialog]:
    """Load the conversations of a suite. Raises InputError as `load` does."""
    return load_items(file, split, _dialog)


def load_claims(file: Path, split: str | None = None) -> list[Claim]:
    """Load the claims of a suite. Raises InputError as `load` does."""
    return load_items(file, split, _claim)


def load_messages(file: Path, split: str | None = None) -> list[LabelledMessage]:
    """Load the messages of a suite. Raises InputError as `load` does."""
    return load_items(file, split, _message)


def load_rewritten(file: Path, split: str | None = None) -> list[RewrittenDialog]:
    """Load the rewritten conversations of a suite. Raises InputError as `load` does."""
    return load_items(file, split, _rewritten_dialog)


def load_items(file: Path, split: str | None, read: Callable[[dict[str, Any]], Item]) -> list[Item]:
    """Load the items of a suite with a function that reads one line. Raises InputError as `load` does."""
    if split not in (None, *SPLITS):
        raise InputError("split", f"{split!r} is not one of {', '.join(SPLITS)}")
    items = list(_items(file, read))
    if not items:
        raise InputError(str(file), "the suite has no question")
    return [item for item in items if split in (None, item.split)]


def _items(file: Path, read: Callable[[dict[str, Any]], Item]) -> Iterator[Item]:
    seen: set[str] = set()
    for number, line in numbered_lines(file):
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
        style=None if row.get("style") is None else float(row["style"]),
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
        label=row.get("label", ""),
        wording=row.get("wording", ""),
    )


def _message(row: dict[str, Any]) -> LabelledMessage:
    return LabelledMessage(row["id"], row["message"], row["intent"], row["split"])


def _rewritten_dialog(row: dict[str, Any]) -> RewrittenDialog:
    turns = (_rewritten_turn(f"{row['id']}-{number}", turn) for number, turn in enumerate(row["turns"], start=1))
    return RewrittenDialog(row["id"], tuple(turns), row["split"])


def _rewritten_turn(turn_id: str, row: dict[str, Any]) -> RewrittenTurn:
    if row["kind"] not in _NEEDS_HISTORY:
        raise ValueError(f"the kind of a turn is one of {', '.join(_NEEDS_HISTORY)}")
    return RewrittenTurn(turn_id, row["question"], row["standalone"], row["kind"])
