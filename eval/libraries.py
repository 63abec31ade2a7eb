"""Libraries to measure on, kept below the settings' home for each recipe and content, and used again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from assistant import wiring
from assistant.catalog import Change
from assistant.chat import Assistant
from assistant.errors import InputError
from assistant.library import Library
from assistant.schema import Paper
from assistant.settings import Settings
from ingest import pipeline
from ingest.progress import progress_bar

SEED_FILES = Path(__file__).parent.parent / "seeds"


def over_seeds(settings: Settings) -> Assistant:
    """An assistant over the seeds. Raises InputError where they are not at hand."""

    def fill(library: Library) -> None:
        with progress_bar("Indexing") as progress:
            report = pipeline.ingest([SEED_FILES], library, progress)
        if report.failed:
            raise InputError(str(SEED_FILES), f"the questions' own papers cannot be read: {report.problems[0]}")

    return _over("seeds", settings, (), fill)


def over_papers(name: str, papers: Sequence[Paper], settings: Settings) -> Assistant:
    """An assistant over these very papers: under their own ids, none merged with another."""

    def fill(library: Library) -> None:
        with library.writing(), progress_bar("Indexing") as progress:
            if library.catalog.count() < len(papers):
                changes = [Change(paper, {}, frozenset(), frozenset()) for paper in papers]
                library.catalog.put(changes, library.catalog.next_run())
            pipeline.synchronise(library, progress)

    return _over(name, settings, papers, fill)


def _over(name: str, settings: Settings, content: Iterable[Paper], fill: Callable[[Library], None]) -> Assistant:
    embedder = wiring.open_embedder(settings)
    digest = hashlib.sha256(repr(wiring.recipe(settings, embedder)).encode())
    for paper in content:
        digest.update(repr(paper).encode())
    own = settings.model_copy(update={"home": settings.home / "eval" / f"{name}-{digest.hexdigest()[:12]}"})
    library = wiring.open_library(own, embedder)
    fill(library)
    return wiring.open_assistant(own, library)
