"""Bringing the indexes in line with the catalog, whatever has happened to them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from assistant import factory
from assistant.batches import batches
from assistant.errors import LibraryError
from ingest.pipeline import Progress, Step, embed, synchronise

if TYPE_CHECKING:
    from assistant.protocols import Embedder
    from assistant.settings import Settings
    from assistant.storage.library import Library

# So many papers are read between two reports of progress.
_BATCH = 32


def repair(settings: Settings, progress: Progress | None = None) -> int:
    """Mend every disagreement between catalog and indexes; returns how many papers were indexed again.

    Indexes that cannot even be opened or read are built anew. Raises RecipeMismatch where they are of another recipe:
    which of the two is meant is not for a repair to say; LibraryBusy; LibraryWriteError; and LibraryError where the
    catalog itself is damaged.
    """
    embedder = factory.open_embedder(settings)
    with closing(factory.open_catalog(settings.home)):
        pass  # from here on an error that says no more is the indexes'
    try:
        return _mended(settings, embedder, progress)
    except LibraryError as error:
        if type(error) is not LibraryError:
            raise
    factory.reset_indexes(settings)
    return _mended(settings, embedder, progress)


def index_again(library: Library, progress: Progress | None = None) -> int:
    """Make everything that the indexes hold anew, and add what they lack; returns how many papers that were.

    For a library that stays open, as a server's does: whatever is found goes on being found meanwhile, and where this
    is interrupted nothing is lost. Raises LibraryBusy where another process writes, and LibraryWriteError.
    """
    with library.writing():
        library.mend()
        held, again = sorted(library.catalog.ledger.indexed_ids()), 0
        for batch in batches(held, _BATCH):
            papers = library.catalog.papers.get(batch)
            embed(papers, library)
            again += len(batch)
            if progress:
                progress(Step("papers indexed", again, len(held)))
        return len(held) + synchronise(library)


def _mended(settings: Settings, embedder: Embedder, progress: Progress | None) -> int:
    with closing(factory.open_library(settings, embedder, to_mend=True)) as library, library.writing():
        library.mend()
        return synchronise(library, progress)
