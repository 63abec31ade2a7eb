"""Repair the indexes: bring them back in line with the catalog after any damage."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from assistant import factory
from assistant.batches import batches
from assistant.errors import LibraryError
from ingest.indexing import index_papers, update_indexes
from ingest.report import Progress, ProgressCallback

if TYPE_CHECKING:
    from assistant.protocols import Embedder
    from assistant.settings import Settings
    from assistant.storage.library import Library

# How many papers are indexed between two progress reports.
_BATCH_SIZE = 32


def repair(settings: Settings, progress: ProgressCallback | None = None) -> int:
    """Repair every disagreement between catalog and indexes, and return how many papers were indexed again.

    Indexes that cannot be opened or read are rebuilt. Raise RecipeMismatch if they have another recipe, because a
    repair cannot know which one is intended; LibraryBusy; LibraryWriteError; and LibraryError if the catalog itself is
    damaged.
    """
    embedder = factory.open_embedder(settings)
    with closing(factory.open_catalog(settings)):
        pass  # the catalog is readable: from here on, a plain LibraryError comes from the indexes
    try:
        return _mend(settings, embedder, progress)
    except LibraryError as error:
        if type(error) is not LibraryError:
            raise
    factory.reset_indexes(settings)
    return _mend(settings, embedder, progress)


def reindex(library: Library, progress: ProgressCallback | None = None) -> int:
    """Index every paper again, including those that the indexes lack, and return how many there are.

    For a library that stays open, as in a server: searches keep working meanwhile, and an interruption loses nothing.
    Raise LibraryBusy if another process is writing, or LibraryWriteError.
    """
    with library.writing():
        library.reconcile()
        indexed_ids, done = sorted(library.catalog.ledger.indexed_ids()), 0
        for batch in batches(indexed_ids, _BATCH_SIZE):
            index_papers(library.catalog.papers.get(batch), library)
            done += len(batch)
            if progress:
                progress(Progress("papers indexed", done, len(indexed_ids)))
        return done + update_indexes(library)


def _mend(settings: Settings, embedder: Embedder, progress: ProgressCallback | None) -> int:
    with closing(factory.open_library(settings, embedder, for_repair=True)) as library, library.writing():
        library.reconcile()
        return update_indexes(library, progress)
