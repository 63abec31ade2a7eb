"""Bringing the indexes in line with the catalog, whatever has happened to them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from assistant import wiring
from assistant.errors import LibraryError
from ingest.pipeline import Progress, synchronise

if TYPE_CHECKING:
    from assistant.ports import Embedder
    from assistant.settings import Settings


def repair(settings: Settings, progress: Progress | None = None) -> int:
    """Mend every disagreement between catalog and indexes; returns how many papers were indexed again.

    Indexes that cannot even be opened or read are built anew. Raises RecipeMismatch where they are of another recipe:
    which of the two is meant is not for a repair to say; LibraryBusy; LibraryWriteError; and LibraryError where the
    catalog itself is damaged.
    """
    embedder = wiring.open_embedder(settings)
    with closing(wiring.open_catalog(settings.home)):
        pass  # from here on an error that says no more is the indexes'
    try:
        return _mended(settings, embedder, progress)
    except LibraryError as error:
        if type(error) is not LibraryError:
            raise
    wiring.reset_indexes(settings)
    return _mended(settings, embedder, progress)


def _mended(settings: Settings, embedder: Embedder, progress: Progress | None) -> int:
    with closing(wiring.open_library(settings, embedder, to_mend=True)) as library, library.writing():
        library.mend()
        return synchronise(library, progress)
