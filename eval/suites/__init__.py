"""Question suites: JSON Lines files, one question a line.

Each line has `id`, `question`, `papers` (ids of the papers that answer it, none for an unanswerable one) and
`split` (dev or test); where it applies also `evidence` (sentences, verbatim), `difficulty` and `kind`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import InputError

SPLITS = ("dev", "test")
SEEDS = Path(__file__).parent / "seeds"


@dataclass(frozen=True, slots=True)
class Question:
    """A question of a suite. `group` is its difficulty or kind."""

    id: str
    text: str
    papers: frozenset[str]
    split: str
    group: str
    evidence: tuple[str, ...] = ()


def load(file: Path, split: str | None = None) -> list[Question]:
    """The questions of a suite, of one split or of all.

    Raises InputError, naming file and line, for a line that is no question, an id met twice, or a file without any.
    """
    if split not in (None, *SPLITS):
        raise InputError("split", f"{split!r} is not one of {', '.join(SPLITS)}")
    questions = list(_questions(file))
    if not questions:
        raise InputError(str(file), "the suite has no question")
    return [question for question in questions if split in (None, question.split)]


def _questions(file: Path) -> Iterator[Question]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(file), f"cannot be read: {error}") from error
    seen: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if line.strip():
            question = _question(line, file, number)
            if question.id in seen:
                raise InputError(str(file), f"the id {question.id} was used before", number)
            seen.add(question.id)
            yield question


def _question(line: str, file: Path, number: int) -> Question:
    try:
        row = json.loads(line)
        return Question(
            id=row["id"],
            text=row["question"],
            papers=frozenset(row["papers"]),
            split=SPLITS[SPLITS.index(row["split"])],
            group=row.get("difficulty") or row.get("kind") or "all",
            evidence=tuple(row.get("evidence", ())),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(str(file), f"not a question of a suite: {error!r}", number) from error
