"""Watched sources that answer well and badly, and runs that are interrupted, over real stores."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from assistant import factory
from assistant.errors import InputError, LibraryBusy
from assistant.settings import Settings, load
from assistant.storage.library import Library
from assistant.storage.watches import Watch
from ingest import pipeline
from ingest.sources.http_client import HttpClient, RequestPolicy
from ingest.sources.lookup import ServiceUrls
from ingest.watching.run import ServiceRun, WatchContext, WatchOutcome, run_watches
from ingest.watching.sources import parse_source
from tests.everything import everything
from tests.fakes import WordHashEmbedder
from tests.libraries import lock
from tests.processes import exit_code
from tests.services import ABSTRACT, Reply, Service, entry, feed, serving

HASTY = RequestPolicy(pause=0.0, timeout=0.5, deadline=1.0, attempts=2, max_retry_after=10.0, max_bytes=100_000)
SEARCH = "arxiv-search:dancing bees"


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as running:
        yield running


def run(
    library: Library,
    service: Service,
    *sources: str,
    patient: bool = True,
    services: dict[str, ServiceRun] | None = None,
) -> list[WatchOutcome]:
    """Watch the sources that are new, and run all watches."""
    watched = {watch.source for watch in library.catalog.watches.all()}
    for source in sources:
        if source not in watched:
            library.catalog.watches.add(source)
    with HttpClient("paperchat/test (mailto:me@example.org)", HASTY, sleep=lambda _: None) as client:
        urls = ServiceUrls(f"{service.address}/api/query", service.address)
        context = WatchContext(client, urls, lambda: library, services or {})
        return list(run_watches(library.catalog.watches.all(), library.catalog, context, patient=patient))


def failure(library: Library, service: Service, source: str) -> tuple[str, Watch]:
    (outcome,) = run(library, service, source)
    assert outcome.new == 0
    (watch,) = library.catalog.watches.all()
    assert (watch.error, watch.failures) == (outcome.error, 1)
    return outcome.error, watch


def rss(*titles: str, abstract: str = "") -> str:
    items = "".join(
        f"<item><title>{title}</title><link>https://doi.org/10.5555/{number}</link>"
        f"<description>{abstract or ABSTRACT.format(title) * 3}</description><dc:creator>Ada Moss, Bo Ant</dc:creator>"
        f"<prism:publicationName>Hives</prism:publicationName><pubDate>Mon, 06 Jan 2025</pubDate></item>"
        for number, title in enumerate(titles)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Hives</title>{items}</channel></rss>'


# What goes well


def test_a_search_is_asked_for_its_newest_papers_and_the_same_run_twice_adds_nothing_twice(
    library: Library, service: Service
) -> None:
    service.answer = lambda *_: feed(entry("2101.00001"), entry("2101.00002", ABSTRACT.format("two other kinds of")))
    (first,) = run(library, service, SEARCH)
    arrived, before = library.catalog.digests.arrived(), everything(library)
    assert (first.new, len(arrived), first.error) == (2, 2, "")
    assert service.requests[0][1]["sortBy"] == "submittedDate"
    (second,) = run(library, service, SEARCH)
    assert (second.new, library.catalog.digests.arrived()) == (0, arrived)
    assert everything(library) == before


def test_requests_say_who_sends_them(library: Library, service: Service) -> None:
    service.answer = lambda *_: feed(entry("2101.00001"))
    run(library, service, SEARCH)
    assert service.headers[0]["User-Agent"] == "paperchat/test (mailto:me@example.org)"


def test_a_feed_is_asked_for_only_if_it_has_changed(library: Library, service: Service) -> None:
    def answer(*_: object) -> Reply:
        if service.headers[-1].get("If-None-Match") == '"v1"':
            return Reply(status=304)
        return Reply(rss("Night dances"), headers={"ETag": '"v1"', "Last-Modified": "Mon, 06 Jan 2025 00:00:00 GMT"})

    service.answer = answer
    address = f"{service.address}/feed.rss"
    (first,) = run(library, service, address)
    (second,) = run(library, service, address)
    assert (first.new, second.new, second.error) == (1, 0, "")
    assert service.headers[1]["If-Modified-Since"] == "Mon, 06 Jan 2025 00:00:00 GMT"
    (paper,) = library.catalog.papers.all()
    assert (paper.title, paper.venue, paper.year, paper.doi) == ("Night dances", "Hives", 2025, "10.5555/0")
    assert paper.authors == ("Ada Moss", "Bo Ant")


def test_an_atom_feed_is_a_feed(library: Library, service: Service) -> None:
    service.answer = lambda *_: feed(entry("2101.00001"))
    (outcome,) = run(library, service, f"{service.address}/feed.atom")
    assert outcome.new == 1


def test_only_files_of_a_folder_that_are_new_or_have_changed_are_read(
    library: Library, service: Service, papers_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "watched"
    folder.mkdir()
    assert run(library, service, parse_source(str(folder))) == [WatchOutcome(str(folder))]
    (folder / "papers.txt").write_bytes(papers_file.read_bytes())
    (first,) = run(library, service)
    assert (first.new, first.report and first.report.records) == (3, 3)
    (second,) = run(library, service)
    assert (second.new, second.report) == (0, None)


def test_papers_that_the_library_has_already_are_not_new(library: Library, service: Service, papers_file: Path) -> None:
    pipeline.ingest([papers_file], library)
    (paper, *_) = library.catalog.papers.all()
    service.answer = lambda *_: feed(entry("2101.00001", paper.abstract), entry("2101.00002"))
    (outcome,) = run(library, service, SEARCH)
    assert (outcome.new, len(library.catalog.digests.arrived())) == (1, 1)


def test_a_service_that_keeps_track_itself_brings_what_was_not_there_before(
    library: Library, service: Service, papers_file: Path
) -> None:
    sources = {"zotero": lambda _name, opened, _: pipeline.ingest([papers_file], opened)}
    source = parse_source("zotero:", sources.keys())
    (first,) = run(library, service, source, services=sources)
    (second,) = run(library, service, services=sources)
    assert (first.new, second.new) == (3, 0)
    assert set(library.catalog.digests.arrived().values()) == {("zotero:",)}


def test_a_withdrawn_version_marks_the_paper_that_the_library_has(library: Library, service: Service) -> None:
    service.answer = lambda *_: feed(entry("2101.00001"))
    run(library, service, SEARCH)
    withdrawn = entry("2101.00001", comment="This paper has been withdrawn by the authors due to an error in Lemma 2")
    service.answer = lambda *_: feed(withdrawn, entry("2101.00002", comment="withdrawn from a conference, 9 pages"))
    run(library, service)
    by_id = {paper.arxiv_id: paper.notice for paper in library.catalog.papers.all()}
    notice = by_id["2101.00001"]
    assert notice
    assert (str(notice.kind), notice.service) == ("withdrawn", "arXiv")
    assert "an error in Lemma 2" in notice.text
    assert by_id["2101.00002"] is None


# What does not


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("arxiv:2101.00001", "paperchat add fetches it"),
        ("doi:10.1/x", "paperchat add fetches it"),
        ("arxiv-search:", "no source that can be watched"),
        ("zotero:", "no source that can be watched"),
        ("/no/such/folder", "is no folder"),
        ("http://", "is not an address"),
        ("", "is no folder"),
    ],
)
def test_what_cannot_be_watched_is_refused_with_what_can_be(text: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        parse_source(text)


def test_a_source_is_watched_once(library: Library) -> None:
    library.catalog.watches.add(SEARCH)
    with pytest.raises(InputError, match="is watched already"):
        library.catalog.watches.add(SEARCH)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply("<!DOCTYPE html><html><body>Moved</body></html>", kind="text/html"), "this is no RSS or Atom feed"),
        (Reply(b"\x00\xff" * 50), "this is no RSS or Atom feed"),
        (Reply("<rss><channel><item><title>Cut"), "the feed cannot be read"),
        (Reply("<rss><channel><item><title>A &lt; B</title><b></item></channel></rss>"), "the feed cannot be read"),
        (Reply(status=404), "there is no feed at this address"),
        (Reply(status=410), "there is no feed at this address"),
        (Reply(status=503), "503 Service Unavailable"),
        (Reply("x" * 200_000), "the answer is longer than 100,000 bytes"),
        (Reply(silent=0.8), "does not answer within"),
    ],
)
def test_a_broken_feed_is_one_clear_error_and_changes_nothing(
    library: Library, service: Service, reply: Reply, reason: str
) -> None:
    service.answer = lambda *_: reply
    error, _ = failure(library, service, f"{service.address}/feed")
    assert reason in error
    assert library.catalog.papers.count() == 0


@pytest.mark.parametrize("quote", ["<!ENTITY a0 'ha'>", "<!ENTITY x SYSTEM 'file:///etc/passwd'>"])
def test_a_feed_that_declares_entities_is_not_read(library: Library, service: Service, quote: str) -> None:
    bombs = "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 9))
    body = rss("Bees", abstract="&a8;&x;").replace("<rss", f"<!DOCTYPE rss [{quote}{bombs}]><rss", 1)
    service.answer = lambda *_: Reply(body)
    error, _ = failure(library, service, f"{service.address}/feed")
    assert "declares entities of its own" in error


def test_one_broken_item_of_a_feed_is_reported_and_the_others_come(library: Library, service: Service) -> None:
    broken = "<item><title>Broken</title><b></item>"
    service.answer = lambda *_: Reply(rss("Whole").replace("<item>", f"{broken}<item>", 1))
    (outcome,) = run(library, service, f"{service.address}/feed")
    assert outcome.new == 1
    assert outcome.report
    assert [problem.reason[:19] for problem in outcome.report.problems] == ["skipped: broken XML"]


def test_a_source_that_fails_is_left_alone_longer_each_time_and_the_others_go_on(
    library: Library, service: Service, papers_file: Path
) -> None:
    service.answer = lambda *_: Reply(status=503)
    failed, other = run(library, service, SEARCH, str(papers_file))
    assert (failed.new, other.new) == (0, 3)
    requests = len(service.requests)
    (postponed, _) = run(library, service)
    assert postponed.postponed
    assert len(service.requests) == requests
    run(library, service, patient=False)
    watch = library.catalog.watches.find(SEARCH)
    assert watch.failures == 2
    assert watch.last_run
    assert minutes(watch) == 30
    service.answer = lambda *_: feed(entry("2101.00001"))
    run(library, service, patient=False)
    watch = library.catalog.watches.find(SEARCH)
    assert (watch.failures, watch.error, watch.not_before) == (0, "", "")


def test_a_busy_service_is_left_alone_as_long_as_it_asks(library: Library, service: Service) -> None:
    service.answer = lambda *_: Reply(status=429, headers={"Retry-After": "7200"})
    _, watch = failure(library, service, f"{service.address}/feed")
    assert minutes(watch) == 120


def test_a_folder_that_is_gone_is_an_error(library: Library, service: Service, tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    run(library, service, str(folder))
    folder.rmdir()
    (outcome,) = run(library, service)
    assert outcome.error == "there is no such folder any more"


def test_while_another_process_writes_nothing_is_lost(library: Library, service: Service) -> None:
    service.answer = lambda *_: feed(entry("2101.00001"))
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with lock(library.home):
            held.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    try:
        with pytest.raises(LibraryBusy):
            run(library, service, SEARCH)
    finally:
        done.set()
        thread.join()
    (outcome,) = run(library, service)
    assert outcome.new == 1


# Interruptions


def killed_while(step: str, home: Path, address: str) -> None:
    """Run a watch in a process that dies at a step."""
    from assistant.storage.watches import Watches

    def die(*_: object, **__: object) -> None:
        os._exit(9)

    with closing(factory.open_library(load(home=home), WordHashEmbedder(), for_repair=True)) as library:
        if step == "before adding":
            pipeline.ingest_records = die  # type: ignore[assignment]
        elif step == "while indexing":
            library.index = die  # type: ignore[method-assign]
        else:
            Watches.succeeded = die  # type: ignore[method-assign]
        with HttpClient("paperchat/test", HASTY, sleep=lambda _: None) as client:
            context = WatchContext(client, ServiceUrls(f"{address}/api/query", address), lambda: library, {})
            list(run_watches(library.catalog.watches.all(), library.catalog, context))


@pytest.mark.parametrize("step", ["before adding", "while indexing", "before its state is stored"])
def test_a_run_that_is_killed_is_made_good_by_the_next_one(
    settings: Settings, open_library: Callable[[], Library], service: Service, step: str
) -> None:
    service.answer = lambda *_: feed(entry("2101.00001"), entry("2101.00002", ABSTRACT.format("two other kinds of")))
    with closing(factory.open_library(settings, WordHashEmbedder())) as library:
        library.catalog.watches.add(SEARCH)
    assert exit_code(killed_while, step, settings.home, service.address) == 9
    with closing(factory.open_library(settings, WordHashEmbedder(), for_repair=True)) as library:
        run(library, service)
        if library.catalog.ledger.pending_count():
            pipeline.ingest([], library)
        assert library.catalog.papers.count() == 2
        assert len(library.catalog.digests.arrived()) == 2


def minutes(watch: Watch) -> int:
    """Return how long a watch is left alone after its last run."""
    from datetime import datetime

    assert watch.last_run
    pause = datetime.fromisoformat(watch.not_before) - datetime.fromisoformat(watch.last_run)
    return round(pause.total_seconds() / 60)
