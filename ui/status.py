"""What is kept: a library at a glance, and the libraries that there are."""

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
# In the directory of the default library, and not its own: the other libraries, and converted models.
_COMMON = (LIBRARIES, "openvino")


@dataclass(frozen=True, slots=True)
class Status:
    """A library at a glance. `bytes` is all that lies in its directory; `recipe` is None before anything is indexed.

    `store` says where the vectors are.
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
    last_ingest: str | None


@dataclass(frozen=True, slots=True)
class Shelved:
    """A library in a list of libraries; `problem` is why it cannot be opened, and then it has no number of papers."""

    name: str | None
    home: Path
    papers: int | None
    bytes: int
    problem: str | None = None


def status(settings: Settings) -> Status:
    """The library of the settings at a glance; no model is loaded. Raises LibraryError."""
    with closing(factory.open_catalog(settings.home)) as catalog:
        when = catalog.records.last_ingest
        return Status(
            name=settings.library,
            home=settings.home,
            papers=catalog.papers.count(),
            without_abstract=catalog.papers.count_without_abstract(),
            waiting=catalog.ledger.pending_count(),
            bytes=_bytes(settings.home),
            sources=tuple(catalog.records.sources()),
            recipe=factory.held_recipe(settings, catalog),
            store=factory.place(settings, catalog).address,
            last_ingest=when.isoformat() if when else None,
        )


def libraries(settings: Settings) -> list[Shelved]:
    """The library without a name, if there is one, and those with names; one that is damaged is among them."""
    base = settings.home.parents[1] if settings.library else settings.home
    named = sorted((base / LIBRARIES).glob("*")) if (base / LIBRARIES).is_dir() else []
    places = [(None, base), *((folder.name, folder) for folder in named)]
    return [_shelved(name, home) for name, home in places if (home / factory.CATALOG).exists()]


def status_json(found: Status) -> Json:
    """The status for scripts."""
    return asdict(found) | {"home": str(found.home)}


def shelved_json(found: Shelved) -> Json:
    """A library of the list for scripts."""
    return asdict(found) | {"home": str(found.home)}


def status_text(found: Status) -> str:
    """The status for a person."""
    built = found.recipe
    facts = {
        "library": found.name or _DEFAULT,
        "directory": found.home,
        "papers": f"{found.papers}, {found.without_abstract} of them without an abstract",
        "waiting": f"{found.waiting} to be indexed" if found.waiting else "none",
        "size on disk": _size(found.bytes),
        "vectors": found.store,
        "embedder": f"{built['embedder']} {built['revision']}" if built else "nothing is indexed yet",
        "last ingest": found.last_ingest or "never",
    }
    lines = [f"{name:14}{one_line(str(value))}" for name, value in facts.items()]
    sources = [f"  {each.papers:7}  {one_line(each.name)}" for each in found.sources]
    return printable("\n".join([*lines, f"{'sources':14}{counted(len(sources), 'source')}", *sources]))


def shelved_line(found: Shelved) -> str:
    """A library of the list for a person."""
    what = one_line(found.problem) if found.problem else counted(found.papers or 0, "paper")
    return printable(f"{found.name or _DEFAULT:20}  {what}  {_size(found.bytes)}  {one_line(str(found.home))}")


def _shelved(name: str | None, home: Path) -> Shelved:
    try:
        with closing(factory.open_catalog(home)) as catalog:
            return Shelved(name, home, catalog.papers.count(), _bytes(home))
    except LibraryError as error:
        return Shelved(name, home, None, _bytes(home), str(error))


def _bytes(home: Path) -> int:
    """What lies in a library's directory, but for what it keeps for all libraries."""
    return sum(
        file.lstat().st_size
        for place in home.glob("*")
        if place.name not in _COMMON
        for file in ([place] if place.is_file() else place.rglob("*"))
        if file.is_file()
    )


def _size(count: int) -> str:
    size, unit = float(count), 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.0f} {_UNITS[unit]}" if size >= 10 or not unit else f"{size:.1f} {_UNITS[unit]}"
