"""Runs on disk: `run.json` says what was asked of whom, `records.jsonl` has a line for each question.

A line is written as soon as its question is done, so an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import json
import platform
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import TypeAdapter, ValidationError

from assistant.errors import InputError
from eval.records import Record, from_json, to_json

ABOUT, RECORDS = "run.json", "records.jsonl"
# What must be the same where a run is gone on with.
_KEPT = ("asks", "settings", "items", "contents", "recipes")
_NAME = re.compile(r"\w[\w.-]{0,59}")
_PACKAGES = ("paperchat", "chromadb", "llama-index-core", "sentence-transformers", "tantivy", "torch", "numpy")


@dataclass(frozen=True, slots=True)
class About:
    """What a run asked, and of whom.

    `asks` are the options that decide which questions are asked and how; of each suite, `items` has the number of
    records and `contents` a digest of its questions and papers.
    `recipes` are those of the libraries asked, `prices` money for a million tokens in and out, `peak_memory` megabytes.
    """

    name: str
    asks: dict[str, Any]
    settings: dict[str, Any]
    items: dict[str, int]
    contents: dict[str, str] = field(default_factory=dict)
    recipes: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    commit: str | None = None
    started: str = ""
    prices: tuple[float, float] | None = None
    peak_memory: float | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it is stored: finished if it has as many records as it was to have, and none that failed."""

    about: About
    records: tuple[Record, ...]

    @property
    def name(self) -> str:
        """Its name."""
        return self.about.name

    @property
    def failed(self) -> tuple[Record, ...]:
        """Questions that broke, for instance because a model did not answer."""
        return tuple(record for record in self.records if record.error)

    @property
    def missing(self) -> int:
        """Questions that were never asked, because the run was interrupted."""
        return sum(self.about.items.values()) - len(self.records)


_ABOUT = TypeAdapter(About)


def new_name() -> str:
    """A run's name made from the time."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}"


def folder(home: Path, name: str) -> Path:
    """Where the run of this name is kept. Raises InputError for a name that is none."""
    if not _NAME.fullmatch(name):
        raise InputError(name or "--name", "a run's name is a word of up to 60 letters, digits, dots and hyphens")
    return home / "eval" / "runs" / name


def place(home: Path, name: str) -> Path:
    """The folder of the run of this name, or this folder itself. Raises InputError where there is no run."""
    found = Path(name) if (Path(name) / ABOUT).is_file() else folder(home, name)
    if not (found / ABOUT).is_file():
        raise InputError(name, f"there is no such run; {_known(home)}")
    return found


def load(home: Path, name: str) -> Run:
    """The run of this name, or the one in this folder. Raises InputError, naming file and line."""
    found = place(home, name)
    return Run(_about(found / ABOUT), tuple(_latest(_records(found / RECORDS))))


@contextmanager
def recording(home: Path, about: About) -> Iterator[tuple[Run, Callable[[Sequence[Record]], None]]]:
    """The run as far as it has come, and what takes the next records down.

    A run of this name is gone on with, if it asks the same of the same; its failed questions are asked again.
    Raises InputError where it does not, or where another process is at it.
    """
    own = folder(home, about.name)
    own.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(own / "lock", timeout=0):
            run = _resumed(own, about)
            with (own / RECORDS).open("a", encoding="utf-8") as file:

                def take(records: Sequence[Record]) -> None:
                    file.write("".join(f"{to_json(record)}\n" for record in records))
                    file.flush()

                yield run, take
    except Timeout as error:
        raise InputError(about.name, "another process is at this run; take another --name") from error


def finish(home: Path, name: str, peak_memory: float) -> Run:
    """The run at its end, with the memory it took noted."""
    run = load(home, name)
    most = max(peak_memory, run.about.peak_memory or 0.0)
    about = replace(run.about, peak_memory=most)
    _write(folder(home, name) / ABOUT, json.dumps(asdict(about), indent=1))
    return replace(run, about=about)


def versions() -> dict[str, str]:
    """Of Python and of the packages that bear on the figures."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in _PACKAGES}


def commit() -> str | None:
    """The git commit of the code, marked where files differ from it; None outside a repository."""
    root = Path(__file__).parent.parent
    try:
        said = subprocess.run(  # noqa: S603 - the arguments are ours
            ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return said.stdout.strip()


def _resumed(own: Path, about: About) -> Run:
    if not (own / ABOUT).is_file():
        _write(own / ABOUT, json.dumps(asdict(about), indent=1))
        return Run(about, ())
    held = _about(own / ABOUT)
    changed = [name for name in _KEPT if _plain(held, name) != _plain(about, name)]
    if changed:
        raise InputError(about.name, f"a run of this name had other {' and '.join(changed)}; take another --name")
    kept = [record for record in _latest(_records(own / RECORDS)) if not record.error]
    _write(own / RECORDS, "".join(f"{to_json(record)}\n" for record in kept))
    return Run(held, tuple(kept))


def _plain(about: About, name: str) -> Any:
    """A field as it comes back from disk, where tuples are lists."""
    return json.loads(json.dumps(getattr(about, name)))


def _about(file: Path) -> About:
    try:
        return _ABOUT.validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(str(file), f"not the description of a run: {str(error).splitlines()[0]}") from error


def _latest(records: Iterable[Record]) -> Iterable[Record]:
    """Each question's last record: a conversation of which one turn failed is held anew from its beginning."""
    return {(record.suite, record.id): record for record in records}.values()


def _records(file: Path) -> Iterator[Record]:
    """The stored records; a last line without an end was being written when the run broke off, and is missing."""
    *lines, _ = file.read_bytes().split(b"\n") if file.is_file() else [b""]
    for number, line in enumerate(lines, start=1):
        try:
            yield from_json(line)
        except ValueError as error:
            reason = f"not a record: {error}; delete the line, and the same run asks its question again"
            raise InputError(str(file), reason, number) from error


def _write(file: Path, text: str) -> None:
    """All of it or nothing."""
    new = file.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)


def _known(home: Path) -> str:
    names = sorted(each.parent.name for each in (home / "eval" / "runs").glob(f"*/{ABOUT}"))
    return f"there are {', '.join(names)}" if names else "none was stored yet"
