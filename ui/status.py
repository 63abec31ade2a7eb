"""Summaries for `paperchat status` and `paperchat libraries`."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant import factory
from assistant.errors import LibraryError
from assistant.serialization import Json
from assistant.settings import LIBRARIES, Settings
from assistant.text.printable import one_line, printable
from ui.cli.terminal import counted

if TYPE_CHECKING:
    from assistant.storage.records import SourceCounts

_UNITS = "bytes kB MB GB TB".split()
_DEFAULT = "(default)"
# What the directory of the default library holds for all libraries: the named ones, and converted models.
_SHARED = (LIBRARIES, "openvino")


@dataclass(frozen=True, slots=True)
class Status:
    """A library at a glance.

    `bytes` is the size of its directory, `store` the address of its vectors, `waiting` the number of papers to be
    indexed. `shards` is the number of collections on a Chroma server that hold the vectors, `shards_wanted` that of a
    new store. `recipe` and `shards` are None before anything is indexed.
    """

    name: str | None
    home: Path
    papers: int
    without_abstract: int
    waiting: int
    bytes: int
    sources: tuple[SourceCounts, ...]
    recipe: dict[str, Any] | None
    store: str
    shards: int | None
    shards_wanted: int
    last_ingest: str | None
    database: str | None = None  # None where the tables are in the library's directory


@dataclass(frozen=True, slots=True)
class LibraryEntry:
    """A library in the list of libraries; `papers` is None where a `problem` prevents opening it."""

    name: str | None
    home: Path
    papers: int | None
    bytes: int
    problem: str | None = None


def status(settings: Settings) -> Status:
    """Return the library of the settings at a glance; no model is loaded. Raises LibraryError."""
    with closing(factory.open_catalog(settings)) as catalog:
        last_ingest = catalog.records.last_ingest
        return Status(
            name=settings.library,
            home=settings.home,
            papers=catalog.papers.count(),
            without_abstract=catalog.papers.count_without_abstract(),
            waiting=catalog.ledger.pending_count(),
            bytes=_directory_size(settings.home),
            sources=tuple(catalog.records.sources()),
            recipe=factory.stored_recipe(settings, catalog),
            store=factory.store_location(settings, catalog).address,
            shards=factory.stored_shards(settings, catalog),
            shards_wanted=settings.store_shards,
            last_ingest=last_ingest.isoformat() if last_ingest else None,
            database=str(catalog.location) if catalog.is_shared else None,
        )


def libraries(settings: Settings) -> list[LibraryEntry]:
    """List the default library, if it exists, and the named ones, damaged ones included."""
    return [_entry(factory.settings_of(settings, name)) for name in factory.library_names(settings)]


def status_json(summary: Status) -> Json:
    """Return the status as JSON."""
    return asdict(summary) | {"home": str(summary.home)}


def entry_json(entry: LibraryEntry) -> Json:
    """Return a library of the list as JSON."""
    return asdict(entry) | {"home": str(entry.home)}


def status_text(summary: Status) -> str:
    """Format the status for a terminal."""
    recipe = summary.recipe
    facts = {
        "library": summary.name or _DEFAULT,
        "directory": summary.home,
        "papers": f"{summary.papers}, {summary.without_abstract} of them without an abstract",
        "waiting": f"{summary.waiting} to be indexed" if summary.waiting else "none",
        "size on disk": _size(summary.bytes),
        **({"database": summary.database} if summary.database else {}),
        "vectors": f"{summary.store}{_shards(summary)}",
        "embedder": f"{recipe['embedder']} {recipe['revision']}" if recipe else "nothing is indexed yet",
        "last ingest": summary.last_ingest or "never",
    }
    lines = [f"{name:14}{one_line(str(value))}" for name, value in facts.items()]
    sources = [f"  {source.papers:7}  {one_line(source.title)}" for source in summary.sources]
    return printable("\n".join([*lines, f"{'sources':14}{counted(len(sources), 'source')}", *sources]))


def shards_differ(shards: int | None, wanted: int) -> str | None:
    """Return what to tell where a store has another number of shards than the setting; None where it has the same."""
    if shards is None or shards == wanted:
        return None
    return f"the vectors are in {counted(shards, 'shard')}, and store_shards is {wanted}: paperchat reindex applies it"


def entry_line(entry: LibraryEntry) -> str:
    """Format a library of the list as one line."""
    content = one_line(entry.problem) if entry.problem else counted(entry.papers or 0, "paper")
    return printable(f"{entry.name or _DEFAULT:20}  {content}  {_size(entry.bytes)}  {one_line(str(entry.home))}")


def _shards(summary: Status) -> str:
    shards = f", {summary.shards} shards" if (summary.shards or 1) > 1 else ""
    difference = shards_differ(summary.shards, summary.shards_wanted)
    return f"{shards} ({difference})" if difference else shards


def _entry(settings: Settings) -> LibraryEntry:
    home = settings.home
    try:
        with closing(factory.open_catalog(settings)) as catalog:
            return LibraryEntry(settings.library, home, catalog.papers.count(), _directory_size(home))
    except LibraryError as error:
        return LibraryEntry(settings.library, home, None, _directory_size(home), str(error))


def _directory_size(home: Path) -> int:
    """Return the bytes of a library's directory without what it holds for all libraries."""
    return sum(
        file.lstat().st_size
        for entry in home.glob("*")
        if entry.name not in _SHARED
        for file in ([entry] if entry.is_file() else entry.rglob("*"))
        if file.is_file()
    )


def _size(count: int) -> str:
    size, unit = float(count), 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.0f} {_UNITS[unit]}" if size >= 10 or not unit else f"{size:.1f} {_UNITS[unit]}"
