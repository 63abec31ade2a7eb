"""Select suites by name, folder or file, each with the library that its questions are about."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

from assistant.errors import InputError
from assistant.schema import Paper
from eval.measures import TRUST
from eval.suites import (
    ABSTRACTS,
    ANNOTATED,
    SEEDS,
    Claim,
    LabelledMessage,
    Question,
    RewrittenDialog,
    ScriptedDialog,
    beir,
    disagreement,
    load,
    load_claims,
    load_dialogs,
    load_messages,
    load_rewritten,
)
from eval.suites.disagreement import DATA, DisputedClaim, read_disputed
from eval.suites.forms import load_forms

Item: TypeAlias = Question | ScriptedDialog | Claim | LabelledMessage | RewrittenDialog | DisputedClaim
_LOADERS: dict[str, Callable[[Path, str | None], Sequence[Item]]] = {
    "single": load,
    "multi": load,
    "unanswerable": load,
    "dialogs": load_dialogs,
    "claims": load_claims,
    "forms": load_forms,
}
_ABSTRACTS_LOADERS: dict[str, Callable[[Path, str | None], Sequence[Item]]] = {
    "questions": load,
    "near": load,
    "claims": load_claims,
    "intents": load_messages,
    "dialogs": load_rewritten,
}
OVER_SEEDS = tuple(_LOADERS)
# The claims that papers disagree on, of the data folder.
DISAGREEMENT = "disagreement"
OVER_ABSTRACTS = tuple(f"{ANNOTATED}-{name}" for name in _ABSTRACTS_LOADERS)
# The name of the library of the settings.
USER_LIBRARY = "own"
# Claims of each source of disputed claims.
_DISPUTED = 200
# Papers in a smaller library beside those that its items need.
_OTHER_PAPERS = 60
# A folder or file must not share its name with a suite, a library or a table of paperchat.
_RESERVED = frozenset(
    {DISAGREEMENT, *_LOADERS, *OVER_ABSTRACTS, ANNOTATED, f"{ANNOTATED}-{TRUST}", "seeds", TRUST, USER_LIBRARY}
)


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite of questions, conversations or claims.

    `library` names the library that they are about: one of these `papers`, or, if they are None, that of the seeds or
    the user's own.
    """

    name: str
    items: tuple[Item, ...]
    library: str = "seeds"
    papers: tuple[Paper, ...] | None = None


def read(names: Sequence[str], split: str | None = None, limit: int | None = None) -> list[Suite]:
    """Read the suites of these names, by default those over the seeds; a name may be a folder or a file.

    `abstracts` names all suites over the annotated abstracts. A folder has the layout of `eval.suites.beir`; its
    claims, if it has any, are a second suite. A file has questions about the user's own library, as the page exports
    them. `limit` draws that many items of each suite, always the same ones. Raises InputError for an unknown name and
    for a malformed file.
    """
    suites = [suite for name in names or OVER_SEEDS for suite in _read(name, split)]
    if len({suite.name for suite in suites}) < len(suites):
        raise InputError("--suite", f"a suite is named twice: {', '.join(suite.name for suite in suites)}")
    return [replace(suite, items=_draw(suite.items, limit)) for suite in suites if suite.items]


def without_claims(suites: Sequence[Suite]) -> list[Suite]:
    """Return the suites that ask questions."""
    return [suite for suite in suites if not any(isinstance(item, Claim) for item in suite.items)]


def with_fewer_papers(suites: Sequence[Suite]) -> list[Suite]:
    """Return the suites, asked of libraries with only the papers of their items and a few others, always the same.

    Suites over the same library still share it. A library without papers of its own stays as it is.
    """
    needed: dict[str, set[str]] = {}
    for suite in suites:
        needed.setdefault(suite.library, set()).update(paper for item in suite.items for paper in _papers_of(item))
    return [
        replace(suite, papers=tuple(_fewer(suite.papers, needed[suite.library]))) if suite.papers else suite
        for suite in suites
    ]


def digest(suite: Suite) -> str:
    """Return a digest that differs if a question, its evidence or a paper of the suite differs."""
    content = sha256()
    for item in suite.items:
        content.update(json.dumps(asdict(item), default=sorted).encode())
    for paper in suite.papers or ():
        content.update(repr(paper).encode("utf-8", "replace"))
    return content.hexdigest()[:16]


def record_ids(item: Item) -> tuple[str, ...]:
    """Return the ids of the records that an item produces."""
    if isinstance(item, ScriptedDialog | RewrittenDialog):
        return tuple(turn.id for turn in item.turns)
    return (item.id,)


def _read(name: str, split: str | None) -> list[Suite]:
    if name in _LOADERS:
        return [Suite(name, tuple(_LOADERS[name](SEEDS / f"{name}.jsonl", split)))]
    if name == ANNOTATED or name in OVER_ABSTRACTS:
        return _read_annotated(OVER_ABSTRACTS if name == ANNOTATED else (name,), split)
    if name == DISAGREEMENT:
        return _read_disagreement(split)
    path = Path(name)
    if path.is_file():
        return [_read_file(path, split)]
    if not path.is_dir():
        raise InputError(
            name, f"neither a folder, a file, nor one of {', '.join((*OVER_SEEDS, *OVER_ABSTRACTS, DISAGREEMENT))}"
        )
    return _read_folder(path, split)


def _read_annotated(names: Sequence[str], split: str | None) -> list[Suite]:
    papers = beir.read_papers(ABSTRACTS, "papers")

    def suite(name: str) -> Suite:
        kind = name.removeprefix(f"{ANNOTATED}-")
        items = _ABSTRACTS_LOADERS[kind](ABSTRACTS / f"{kind}.jsonl.gz", split)
        return Suite(name, tuple(items), ANNOTATED, papers)

    return [suite(name) for name in names]


def _read_disagreement(split: str | None) -> list[Suite]:
    """Return a suite for each source of disputed claims, at most `_DISPUTED` of each, those with both sides first."""
    return [
        Suite(
            f"{DISAGREEMENT}-{source.name}",
            tuple(claim for claim in disagreement.drawn(source.claims, _DISPUTED) if split in (None, claim.split)),
            f"{DISAGREEMENT}-{source.name}",
            source.papers,
        )
        for source in read_disputed(DATA)
    ]


def _read_folder(folder: Path, split: str | None) -> list[Suite]:
    label = _label(folder, folder.resolve().name)
    collection = beir.read(folder, split)
    claims = beir.read_claims(folder, split)
    return [
        Suite(label, collection.questions, label, collection.papers),
        Suite(f"{label}-claims", claims, label, collection.papers),
    ]


def _read_file(file: Path, split: str | None) -> Suite:
    questions = tuple(load(file, split))
    if not questions:
        raise InputError(str(file), f"there is no question of the split {split}")
    return Suite(_label(file, file.stem), questions, USER_LIBRARY)


def _papers_of(item: Item) -> Collection[str]:
    if isinstance(item, Question):
        return item.papers
    return (item.paper,) if isinstance(item, Claim) else ()


def _fewer(papers: Sequence[Paper], needed: Collection[str]) -> list[Paper]:
    others = sorted(papers, key=lambda paper: sha256(paper.id.encode()).digest())[:_OTHER_PAPERS]
    selected = {*needed, *(paper.id for paper in others)}
    return [paper for paper in papers if paper.id in selected]


def _label(path: Path, label: str) -> str:
    if label in _RESERVED:
        raise InputError(str(path), f"paperchat itself uses the name {label}; rename the file or folder")
    return label


def _draw(items: tuple[Item, ...], limit: int | None) -> tuple[Item, ...]:
    """Draw up to `limit` items by the hash of their ids: items at regular intervals could all be of one kind."""
    drawn = set(sorted(items, key=lambda item: sha256(item.id.encode()).digest())[:limit])
    return tuple(item for item in items if item in drawn)
