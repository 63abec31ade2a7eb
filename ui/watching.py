"""Run the watches of a library and make its digest: for the command line, and while the page or the API is served."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING

from assistant import factory
from assistant.errors import PaperchatError
from assistant.watching import digest_making
from assistant.watching.living_answers import KeptAnswer
from ingest.adding import follow_zotero, service_urls, user_agent
from ingest.sources.http_client import HttpClient
from ingest.watching.run import ServiceRun, WatchContext, WatchOutcome, run_watches

if TYPE_CHECKING:
    from assistant.chat import Assistant
    from assistant.settings import Settings
    from assistant.storage.conversations import Conversations
    from assistant.storage.library import Library
    from assistant.storage.watches import Watch
    from ingest.report import ProgressCallback

logger = logging.getLogger(__name__)

# Services that bring the library up to date themselves, by the word before the colon of a source.
SERVICES: Mapping[str, Callable[[Settings], ServiceRun]] = {"zotero": follow_zotero}


def look(
    settings: Settings,
    library: Library,
    watches: list[Watch],
    *,
    patient: bool = True,
    progress: ProgressCallback | None = None,
) -> Iterator[WatchOutcome]:
    """Run these watches of an open library; yield what each has brought. Raises as `run_watches`."""
    with HttpClient(user_agent(settings)) as client:
        services = {name: service(settings) for name, service in SERVICES.items()}
        context = WatchContext(client, service_urls(settings), lambda: library, services, progress)
        yield from run_watches(watches, library.catalog, context, patient=patient)


def digest(settings: Settings, assistant: Assistant) -> int | None:
    """Make a digest of what no digest has told of, and return its id; None where there is nothing.

    The answers of every owner are asked again. Raises LibraryError and ModelError.
    """
    with closing(factory.open_conversations(settings)) as conversations:
        kept = {owner: kept_answers(conversations.for_owner(owner)) for owner in conversations.owners()}
    return digest_making.make_digest(assistant, kept)


def kept_answers(conversations: Conversations) -> list[KeptAnswer]:
    """Return the stored answers of an owner. Raises LibraryError."""
    return [
        KeptAnswer(stored.conversation, stored.id, stored.turn)
        for conversation in conversations.recent(limit=conversations.count())
        for stored in conversations.turns(conversation.id)
    ]


class BackgroundWatch:
    """Runs the watches of the settings' library every few hours in a thread, while something is served."""

    def __init__(self, settings: Settings, assistant: Callable[[], Assistant]) -> None:
        """`assistant` returns the assistant once it is loaded."""
        self._settings, self._assistant = settings, assistant
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watching", daemon=True)
        if settings.watch_hours:
            self._thread.start()

    def close(self, seconds: float = 0) -> None:
        """Begin no further run, and wait so long for the one that goes on, which ends after its present source."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def run_once(self) -> None:
        """Run every watch and make the digest; what fails is logged, and left to the next run."""
        try:
            assistant = self._assistant()
            library = assistant.library
            for _ in look(self._settings, library, library.catalog.watches.all()):
                if self._stopped.is_set():
                    return
            digest(self._settings, assistant)
        except PaperchatError as error:
            logger.warning("watching: %s", error)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self.run_once()
            self._stopped.wait(self._settings.watch_hours * 3600)
