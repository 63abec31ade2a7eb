"""Add papers by name: from services on the network, and from Zotero on this machine."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ingest import pipeline
from ingest.report import IngestReport
from ingest.retractions import mark_withdrawn
from ingest.zotero.sync import PREFIX, add_zotero

if TYPE_CHECKING:
    from assistant.schema import Record
    from assistant.settings import Settings
    from assistant.storage.library import Library
    from ingest.parsers.base import Problem
    from ingest.report import ProgressCallback
    from ingest.sources.lookup import ServiceUrls
    from ingest.watching.run import ServiceRun


def fetch(names: Sequence[str], settings: Settings, limit: int) -> list[Record | Problem]:
    """Return what services on the network have by these names, at most `limit` papers for a search."""
    from ingest.sources import lookup
    from ingest.sources.http_client import HttpClient

    remote = [name for name in names if not name.startswith(PREFIX)]
    if not remote:
        return []
    with HttpClient(user_agent(settings)) as client:
        return list(lookup.fetch(remote, client, service_urls(settings), limit))


def user_agent(settings: Settings) -> str:
    """Return how requests say who sends them, with the address that the settings have for complaints."""
    contact = f" (mailto:{settings.contact})" if settings.contact else ""
    return f"paperchat/{importlib.metadata.version('paperchat')}{contact}"


def service_urls(settings: Settings) -> ServiceUrls:
    """Return the addresses of the services that papers are fetched from."""
    from ingest.sources.lookup import ServiceUrls

    return ServiceUrls(settings.arxiv_url, settings.doi_url.rstrip("/"))


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
    report = add_fetched(fetched, library, progress) if fetched else IngestReport()
    for name in dict.fromkeys(names):
        if name.startswith(PREFIX):
            report.extend(add_zotero(name, settings, library, progress))
    return report


def add_fetched(
    fetched: Sequence[Record | Problem], library: Library, progress: ProgressCallback | None = None
) -> IngestReport:
    """Add what was fetched, mark what its authors have withdrawn, and return the report.

    Raise LibraryBusy if another process is writing, and LibraryWriteError.
    """
    report = pipeline.ingest_records(fetched, library, progress)
    mark_withdrawn(fetched, library.catalog)
    return report


def follow_zotero(settings: Settings) -> ServiceRun:
    """Return what brings a library in line with Zotero, of these settings."""
    return lambda name, library, progress: add_zotero(name, settings, library, progress)
