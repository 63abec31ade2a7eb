"""Add papers by name: from services on the network, and from Zotero on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

from ingest import pipeline
from ingest.report import IngestReport
from ingest.zotero.sync import PREFIX, add_zotero

if TYPE_CHECKING:
    from assistant.schema import Record
    from assistant.settings import Settings
    from assistant.storage.library import Library
    from ingest.parsers.base import Problem
    from ingest.report import ProgressCallback


def fetch(names: Sequence[str], settings: Settings, limit: int) -> list[Record | Problem]:
    """Return what services on the network have by these names, at most `limit` papers for a search."""
    from ingest.sources import lookup
    from ingest.sources.http_client import HttpClient

    remote = [name for name in names if not name.startswith(PREFIX)]
    services = lookup.ServiceUrls(settings.arxiv_url, settings.doi_url.rstrip("/"))
    if not remote:
        return []
    with HttpClient(f"paperchat/{version('paperchat')}") as client:
        return list(lookup.fetch(remote, client, services, limit))


def add(
    names: Sequence[str],
    fetched: Sequence[Record | Problem],
    settings: Settings,
    library: Library,
    progress: ProgressCallback | None = None,
) -> IngestReport:
    """Add what was fetched, then what Zotero has for the names that are its, and return the report of both.

    Raise InputError where Zotero cannot be read, LibraryBusy if another process is writing, and LibraryWriteError.
    """
    report = pipeline.ingest_records(fetched, library, progress) if fetched else IngestReport()
    for name in dict.fromkeys(names):
        if name.startswith(PREFIX):
            report.extend(add_zotero(name, settings, library, progress))
    return report
