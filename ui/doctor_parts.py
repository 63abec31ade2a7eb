"""The parts of an installation, each checked by itself: what it is, how it is, and what cures it."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant import factory
from assistant.errors import PaperchatError, RecipeMismatch, StoreUnavailable
from assistant.text.printable import one_line

if TYPE_CHECKING:
    from assistant.settings import Settings
    from assistant.storage.catalog import Catalog
    from assistant.storage.library import IndexDifference, Library

DIRECTORY, DATABASE, STORE, LEXICON, WORDS, MODELS = (
    "directory",
    "database",
    "vector store",
    "lexicon",
    "word vectors",
    "models",
)
# The parts that need the catalog, in the order in which they are told.
NEED_CATALOG, NEED_LIBRARY = (DATABASE, STORE, LEXICON, WORDS), (STORE, LEXICON, WORDS)
REPAIR = "run paperchat doctor --repair"
# Bytes of free disk below which there is a note, and a problem.
_SCARCE, _TOO_SCARCE = 2_000_000_000, 200_000_000
# Seconds that the clock of a server may differ.
_CLOCK_TOLERANCE = 60
_READS = 5
_CURES: tuple[tuple[type[PaperchatError], str], ...] = (
    (StoreUnavailable, "start the server, or correct PAPERCHAT_STORE"),
    (RecipeMismatch, "run paperchat reindex, or restore the earlier setting"),
)


class PartStatus(StrEnum):
    """How a part is; unknown where another one, which it needs, has a problem."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Part:
    """A part with its state; `cure` says what to do where it is not in order, `latency_ms` how long one read takes."""

    name: str
    status: PartStatus
    detail: str
    cure: str = ""
    latency_ms: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the part as JSON."""
        return asdict(self)

    def as_line(self) -> str:
        """Format the part as a line for a terminal."""
        latency = "" if self.latency_ms is None else f", {self.latency_ms:g} ms a read"
        cure = f" - {self.cure}" if self.cure and self.status is not PartStatus.OK else ""
        return f"{self.name:15}{self.status:9}{one_line(f'{self.detail}{latency}{cure}')}"


def unknown(names: tuple[str, ...], because: str) -> list[Part]:
    """Return parts that could not be checked because of another one."""
    return [Part(name, PartStatus.UNKNOWN, f"not checked: it needs the {because}") for name in names]


def failed(name: str, error: PaperchatError) -> Part:
    """Return a part that an error tells of."""
    cure = next((cure for kind, cure in _CURES if isinstance(error, kind)), "")
    return Part(name, PartStatus.PROBLEM, str(error), cure)


def directory(settings: Settings) -> Part:
    """Return whether the library's directory can be written, and how much room there is."""
    home = settings.home
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            free = shutil.disk_usage(existing).free
    except OSError as error:
        return Part(DIRECTORY, PartStatus.PROBLEM, f"{home} cannot be written: {error.strerror}", _owner_cure(existing))
    status = PartStatus.PROBLEM if free < _TOO_SCARCE else PartStatus.NOTE if free < _SCARCE else PartStatus.OK
    return Part(DIRECTORY, status, f"{home}, {free / 1e9:,.1f} GB free", "make room on this disk")


def database(catalog: Catalog) -> Part:
    """Return what the catalog is stored in, and whether its clock agrees with this machine's."""
    description = catalog.describe()
    detail = f"{description.engine}, {description.location}"
    latency = latency_ms(lambda: catalog.ledger.generation)
    if description.clock is not None and (difference := abs(description.clock - time.time())) > _CLOCK_TOLERANCE:
        detail += f"; its clock and this machine's differ by {difference:,.0f} s"
        return Part(DATABASE, PartStatus.NOTE, detail, "let both take their time from one source (NTP)", latency)
    return Part(DATABASE, PartStatus.OK, detail, latency_ms=latency)


def indexes(settings: Settings, library: Library, differences: dict[str, IndexDifference]) -> list[Part]:
    """Return the three indexes, given where they differ from the catalog."""
    stored = factory.store_location(settings, library.catalog)
    recipe = library.recipe
    store = f"{stored.address}, {recipe.embedder}, {recipe.dimension} dimensions"
    return [
        _index(STORE, store, differences.get("store"), latency_ms(library.store.is_empty)),
        _index(LEXICON, "follows the catalog", differences.get("lexicon"), latency_ms(library.lexicon.is_empty)),
        _index(WORDS, "for every paper", differences.get("word index"), latency_ms(library.words.is_empty)),
    ]


def models(library: Library) -> Part:
    """Return whether the files of the models are complete. The embedder is loaded already."""
    embedder = library.embedder
    try:
        readers = factory.reader_revisions()
    except PaperchatError as error:
        return Part(MODELS, PartStatus.PROBLEM, str(error), "install paperchat again")
    return Part(MODELS, PartStatus.OK, f"{embedder.name} by {embedder.engine}; {', '.join(readers)}")


def latency_ms(read: Callable[[], object]) -> float:
    """Return the median time of a few reads, in milliseconds."""
    times = []
    for _ in range(_READS):
        started = time.perf_counter()
        read()
        times.append(time.perf_counter() - started)
    return round(1000 * statistics.median(times), 2)


def _index(name: str, detail: str, difference: IndexDifference | None, latency: float) -> Part:
    if difference is None:
        return Part(name, PartStatus.OK, detail, latency_ms=latency)
    missing, extra = len(difference.missing), len(difference.extra)
    return Part(name, PartStatus.PROBLEM, f"lacks {missing} papers and has {extra} too many", REPAIR, latency)


def _owner_cure(folder: Path) -> str:
    return f"let this user write to {folder}, or choose another directory with PAPERCHAT_HOME"
