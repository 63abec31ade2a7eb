"""Runs on disk: `run.json` describes what was asked, `records.jsonl` has a line for each question.

A line is written as soon as its question is done, so that an interrupted run resumes where it stopped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from filelock import FileLock, Timeout
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from assistant.errors import InputError
from assistant.settings import RENAMED
from eval.runs.records import Record, from_json, to_json

DESCRIPTION_FILE, RECORDS_FILE = "run.json", "records.jsonl"
# A run is resumed only if these are unchanged.
_FIXED = ("options", "settings", "items", "contents", "recipes")
_NAME = re.compile(r"\w[\w.-]{0,59}")


def _current_names(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a run under their current names, by which runs are compared."""
    return {RENAMED.get(name, name): value for name, value in settings.items()}


@dataclass(frozen=True, slots=True)
class RunDescription:
    """What a run asks, and of which libraries.

    `options` decide which questions are asked and how. For each suite, `items` is the number of records and `contents`
    a digest of its questions and papers. `recipes` are those of the libraries, `prices` money for a million tokens in
    and out, `peak_memory` megabytes.
    """

    name: str
    options: Annotated[dict[str, Any], Field(alias="asks")]
    settings: Annotated[dict[str, Any], AfterValidator(_current_names)]
    items: dict[str, int]
    contents: dict[str, str] = field(default_factory=dict)
    recipes: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    commit: str | None = None
    started: str = ""
    prices: tuple[float, float] | None = None
    peak_memory: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the values of `run.json`."""
        values: dict[str, Any] = _DESCRIPTION.dump_python(self, mode="json", by_alias=True)
        return values


@dataclass(frozen=True, slots=True)
class Run:
    """A stored run. It is complete if no record is missing and none has failed."""

    description: RunDescription
    records: tuple[Record, ...]

    @property
    def name(self) -> str:
        """Return the name of the run."""
        return self.description.name

    @property
    def failed(self) -> tuple[Record, ...]:
        """Return the records of questions that failed, for instance because a model did not answer."""
        return tuple(record for record in self.records if record.error)

    @property
    def missing(self) -> int:
        """Count the questions that were not asked because the run was interrupted."""
        return sum(self.description.items.values()) - len(self.records)


_DESCRIPTION = TypeAdapter(RunDescription)


def new_name() -> str:
    """Generate the name of a run from the time."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}"


def run_folder(home: Path, name: str) -> Path:
    """Return the folder for a run of this name. Raises InputError for an invalid name."""
    if not _NAME.fullmatch(name):
        raise InputError(name or "--name", "a run's name is a word of up to 60 letters, digits, dots and hyphens")
    return home / "eval" / "runs" / name


def find_run(home: Path, name: str) -> Path:
    """Return the folder of the stored run of this name; a path to such a folder is accepted too.

    Raises InputError if there is no such run.
    """
    folder = Path(name) if (Path(name) / DESCRIPTION_FILE).is_file() else run_folder(home, name)
    if not (folder / DESCRIPTION_FILE).is_file():
        raise InputError(name, f"there is no such run; {_stored_runs(home)}")
    return folder


def load(home: Path, name: str) -> Run:
    """Load the run of this name, or the one in this folder. Raises InputError, naming file and line."""
    folder = find_run(home, name)
    return Run(_read_description(folder / DESCRIPTION_FILE), tuple(_latest(_read_records(folder / RECORDS_FILE))))


@contextmanager
def recording(home: Path, description: RunDescription) -> Iterator[tuple[Run, Callable[[Sequence[Record]], None]]]:
    """Open a run for writing: yield the run as stored so far, and a function that appends records.

    A stored run of this name is resumed without its failed records if it asks the same questions of the same libraries.
    Raises InputError if it does not, or if another process is writing it.
    """
    folder = run_folder(home, description.name)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / "lock", timeout=0):
            run = _resume(folder, description)
            with (folder / RECORDS_FILE).open("a", encoding="utf-8") as file:

                def append(records: Sequence[Record]) -> None:
                    file.write("".join(f"{to_json(record)}\n" for record in records))
                    file.flush()

                yield run, append
    except Timeout as error:
        raise InputError(description.name, "another process is writing this run; choose another --name") from error


def finish(home: Path, name: str, peak_memory: float) -> Run:
    """Store the peak memory of a run, in megabytes, and return the run."""
    run = load(home, name)
    description = replace(run.description, peak_memory=max(peak_memory, run.description.peak_memory or 0.0))
    _write_description(run_folder(home, name), description)
    return replace(run, description=description)


def _resume(folder: Path, description: RunDescription) -> Run:
    if not (folder / DESCRIPTION_FILE).is_file():
        _write_description(folder, description)
        return Run(description, ())
    stored = _read_description(folder / DESCRIPTION_FILE)
    changed = [name for name in _FIXED if _as_stored(stored, name) != _as_stored(description, name)]
    if changed:
        raise InputError(
            description.name, f"a run of this name had other {' and '.join(changed)}; choose another --name"
        )
    records = [record for record in _latest(_read_records(folder / RECORDS_FILE)) if not record.error]
    _write(folder / RECORDS_FILE, "".join(f"{to_json(record)}\n" for record in records))
    return Run(stored, tuple(records))


def _as_stored(description: RunDescription, name: str) -> Any:
    """Convert a field to what JSON makes of it, where tuples become lists."""
    return json.loads(json.dumps(getattr(description, name)))


def _read_description(file: Path) -> RunDescription:
    try:
        return _DESCRIPTION.validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(str(file), f"not the description of a run: {str(error).splitlines()[0]}") from error


def _write_description(folder: Path, description: RunDescription) -> None:
    _write(folder / DESCRIPTION_FILE, json.dumps(description.to_json(), indent=1))


def _latest(records: Iterable[Record]) -> Iterable[Record]:
    """Return the last record of each question: a conversation with a failed turn is repeated from its beginning."""
    return {(record.suite, record.id): record for record in records}.values()


def _read_records(file: Path) -> Iterator[Record]:
    """Yield the stored records; a last line without a line break was cut off by an interruption and is skipped."""
    *lines, _ = file.read_bytes().split(b"\n") if file.is_file() else [b""]
    for number, line in enumerate(lines, start=1):
        try:
            yield from_json(line)
        except ValueError as error:
            reason = f"not a record: {error}; delete the line, and the same command asks its question again"
            raise InputError(str(file), reason, number) from error


def _write(file: Path, text: str) -> None:
    """Replace the content of a file atomically."""
    new = file.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)


def _stored_runs(home: Path) -> str:
    names = sorted(file.parent.name for file in (home / "eval" / "runs").glob(f"*/{DESCRIPTION_FILE}"))
    return f"there are {', '.join(names)}" if names else "none was stored yet"
