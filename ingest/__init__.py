"""Fill a library: read papers from files or services, merge what different sources say of them, and index them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.settings import Settings
    from assistant.storage.library import Library
    from ingest.report import IngestReport, ProgressCallback

__all__ = ["ingest"]

AnyPath = str | PathLike[str]

logging.getLogger(__name__).addHandler(logging.NullHandler())


def ingest(
    paths: AnyPath | Iterable[AnyPath], library: Library | Settings, progress: ProgressCallback | None = None
) -> IngestReport:
    """Add the papers of files and folders to a library and return a report.

    The library may be open, or named by the settings it opens with; then it is opened for the call and closed again.
    What cannot be read is listed in the report's `problems`. Raise LibraryBusy if another process is writing,
    LibraryWriteError if the library cannot be written, and LibraryError if it cannot be opened.
    """
    from contextlib import closing

    from assistant import factory
    from assistant.settings import Settings
    from ingest import pipeline
    from ingest.encoded.source import described_embedder

    names = [paths] if isinstance(paths, str | PathLike) else paths
    files = [Path(name) for name in names]
    if not isinstance(library, Settings):
        return pipeline.ingest(files, library, progress)
    with closing(factory.open_library(library, described_embedder(files, library))) as opened:
        return pipeline.ingest(files, opened, progress)
