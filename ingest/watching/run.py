"""Run watches: ask each source for what is new, and add it.

A record that no paper of the library has is noted as an arrival before it is added, and the state of its source is
stored after it: a run that is interrupted is repeated by the next one, and nothing is told twice or forgotten.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from assistant.errors import InputError
from assistant.schema import Record
from assistant.storage.catalog import Catalog
from assistant.storage.catalog_schema import digest
from assistant.storage.library import Library
from assistant.storage.watches import Watch
from ingest.adding import add_fetched
from ingest.known_papers import known_papers
from ingest.parsers.base import Problem
from ingest.report import IngestReport, ProgressCallback
from ingest.sources.http_client import HttpClient
from ingest.sources.lookup import ServiceUrls
from ingest.watching.sources import Findings, look

logger = logging.getLogger(__name__)

# Brings a library in line with a source of a service that keeps track itself, such as Zotero, and reports.
ServiceRun = Callable[[str, Library, ProgressCallback | None], IngestReport]
OpenLibrary = Callable[[], Library]

# After a failure: the first pause, which doubles with each further one, and the longest.
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=15), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class WatchOutcome:
    """What a run of a watch has brought.

    `new` counts papers; `error` is why it failed, and `postponed` the time (ISO 8601) before which it is not asked.
    """

    source: str
    new: int = 0
    report: IngestReport | None = None
    error: str = ""
    postponed: str = ""


@dataclass(frozen=True, slots=True)
class WatchContext:
    """What runs of watches need: the network, the library, which is opened for new records only, and the services."""

    client: HttpClient
    urls: ServiceUrls
    open_library: OpenLibrary
    services: Mapping[str, ServiceRun]
    progress: ProgressCallback | None = None


def run_watches(
    watches: Sequence[Watch], catalog: Catalog, context: WatchContext, *, patient: bool = True
) -> Iterator[WatchOutcome]:
    """Run watches one after the other and yield what each has brought.

    One that failed lately is left out until its pause is over, unless not `patient`. Raises LibraryBusy where another
    process is writing, and LibraryError; what was not added then is asked for again by the next run.
    """
    for watch in watches:
        now = datetime.now(UTC)
        if patient and watch.not_before and now < datetime.fromisoformat(watch.not_before):
            yield WatchOutcome(watch.source, error=watch.error, postponed=watch.not_before)
            continue
        context.client.requested_wait = 0.0
        try:
            outcome = _run(watch, catalog, context)
        except InputError as error:
            catalog.watches.failed(watch, error.reason, now, now + _pause(watch, context.client.requested_wait))
            outcome = WatchOutcome(watch.source, error=error.reason)
        logger.info("watch %s: %d new papers %s", watch.source, outcome.new, outcome.error)
        yield outcome


def _run(watch: Watch, catalog: Catalog, context: WatchContext) -> WatchOutcome:
    if service := context.services.get(watch.source.partition(":")[0]):
        return _run_service(watch, service, context)
    findings = look(watch.source, watch.state, context.client, context.urls)
    return _add(watch, findings, catalog, context)


def _add(watch: Watch, findings: Findings, catalog: Catalog, context: WatchContext) -> WatchOutcome:
    """Add the records that a source has; the library is opened only where it lacks one of them."""
    now, records = datetime.now(UTC), [item for item in findings.items if isinstance(item, Record)]
    missing = set(records) - catalog.records.existing(records)
    report = None
    arrivals = [record for record in dict.fromkeys(records) if record in missing]
    new = [record for record, known in zip(arrivals, known_papers(arrivals, catalog), strict=True) if not known]
    catalog.watches.note_arrivals(watch.id, [digest(record) for record in new])
    before = len(catalog.digests.arrived())
    if missing or any(isinstance(item, Problem) for item in findings.items):
        library = context.open_library()
        report = add_fetched(findings.items, library, context.progress)
    catalog.watches.succeeded(watch.id, findings.state, now)
    return WatchOutcome(watch.source, len(catalog.digests.arrived()) - before, report)


def _run_service(watch: Watch, service: ServiceRun, context: WatchContext) -> WatchOutcome:
    """Have a service bring the library up to date; papers that were not there before are arrivals."""
    now, library = datetime.now(UTC), context.open_library()
    before = library.catalog.ledger.all_ids()
    report = service(watch.source, library, context.progress)
    new = library.catalog.ledger.all_ids() - before
    stored = library.catalog.records.of_papers(sorted(new))
    library.catalog.watches.note_arrivals(watch.id, [digest(record.record) for record in stored])
    library.catalog.watches.succeeded(watch.id, watch.state, now)
    return WatchOutcome(watch.source, len(new), report)


def _pause(watch: Watch, requested: float) -> timedelta:
    """Return how long a source that has failed is left alone: longer after each failure, or as it asks."""
    pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * (1 << min(watch.failures, 10)))
    return max(pause, timedelta(seconds=min(requested, _LONGEST_PAUSE.total_seconds())))
