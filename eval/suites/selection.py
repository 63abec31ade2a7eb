"""What a run asks: suites of questions, conversations or claims, each with the library that it is about."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

from assistant.errors import InputError
from assistant.schema import Paper
from eval.measures import TRUST
from eval.suites import SEEDS, Claim, Dialog, Question, beir, load, load_claims, load_dialogs

Item: TypeAlias = Question | Dialog | Claim
_SUITES: dict[str, Callable[[Path, str | None], Sequence[Item]]] = {
    "single": load,
    "multi": load,
    "unanswerable": load,
    "dialogs": load_dialogs,
    "claims": load_claims,
}
OVER_SEEDS = tuple(_SUITES)
# The library of the settings, as it is.
OWN = "own"
# What a folder or file must not be called: suites, their library and a table go by these names.
_TAKEN = frozenset({*_SUITES, "seeds", TRUST, OWN})


@dataclass(frozen=True, slots=True)
class Exam:
    """A suite. `library` names the papers it is about: `papers`, or where that is None the seeds or one's own."""

    name: str
    items: tuple[Item, ...]
    library: str = "seeds"
    papers: tuple[Paper, ...] | None = None


def read(names: Sequence[str], split: str | None = None, limit: int | None = None) -> list[Exam]:
    """The suites of these names, those over the seeds where there are none; a folder or file is a name too.

    A folder is one of `eval.suites.beir`; where it tells which sentences bear on which claim, its claims are a second
    suite. A file holds questions about one's own library, as the page saves them. `limit` takes so many items of each,
    always the same. Raises InputError for a name that is none of these, and for what is wrong with a file.
    """
    found = [exam for name in names or OVER_SEEDS for exam in _exams(name, split)]
    if len({exam.name for exam in found}) < len(found):
        raise InputError("--suite", f"a suite is named twice: {', '.join(exam.name for exam in found)}")
    return [Exam(each.name, _spread(each.items, limit), each.library, each.papers) for each in found if each.items]


def without_claims(suites: Sequence[Exam]) -> list[Exam]:
    """The suites that ask something."""
    return [each for each in suites if not any(isinstance(item, Claim) for item in each.items)]


def digest(exam: Exam) -> str:
    """Tells suites apart that differ in a question, in what answers it, or in a paper."""
    content = sha256()
    for item in exam.items:
        content.update(json.dumps(asdict(item), default=sorted).encode())
    for paper in exam.papers or ():
        content.update(repr(paper).encode("utf-8", "replace"))
    return content.hexdigest()[:16]


def record_ids(item: Item) -> tuple[str, ...]:
    """The ids of the records that an item comes to."""
    return tuple(turn.id for turn in item.turns) if isinstance(item, Dialog) else (item.id,)


def _exams(name: str, split: str | None) -> list[Exam]:
    if name in _SUITES:
        return [Exam(name, tuple(_SUITES[name](SEEDS / f"{name}.jsonl", split)))]
    folder = Path(name)
    if folder.is_file():
        return [_own(folder, split)]
    if not folder.is_dir():
        raise InputError(name, f"neither a folder, a file, nor one of {', '.join(_SUITES)}")
    label = _label(name, folder.resolve().name)
    found = beir.read(folder, split)
    claims = beir.read_claims(folder, split)
    return [
        Exam(label, found.questions, label, found.papers),
        Exam(f"{label}-claims", claims, label, found.papers),
    ]


def _own(file: Path, split: str | None) -> Exam:
    questions = tuple(load(file, split))
    if not questions:
        raise InputError(str(file), f"there is no question of the split {split}")
    return Exam(_label(str(file), file.stem), questions, OWN)


def _label(name: str, label: str) -> str:
    if label in _TAKEN:
        raise InputError(name, f"what is called {label} would be mixed up with paperchat's own; rename it")
    return label


def _spread(items: tuple[Item, ...], limit: int | None) -> tuple[Item, ...]:
    """So many of the items, drawn by their ids: every so-manieth one might all be of one kind."""
    drawn = set(sorted(items, key=lambda item: sha256(item.id.encode()).digest())[:limit])
    return tuple(item for item in items if item in drawn)
