"""Papers from the network: what services answer, well and badly, by a server on this machine that speaks as they."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from assistant.schema import Record
from ingest.parsers.base import Problem
from ingest.sources import lookup
from ingest.sources.http_client import HttpClient, RequestPolicy
from ingest.sources.lookup import ServiceUrls
from tests.conftest import Paperchat
from tests.services import ABSTRACT, Reply, Service, entry, feed, serving

HASTY = RequestPolicy(pause=0.0, timeout=0.5, deadline=1.0, attempts=3, max_retry_after=10.0, max_bytes=100_000)


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as running:
        yield running


def csl(doi: str) -> Reply:
    item = {
        "type": "article-journal",
        "DOI": doi,
        "title": "How bees dance by night",
        "abstract": f"<jats:p>{ABSTRACT.format(7)}</jats:p>",
        "author": [{"given": "Ada", "family": "Moss"}],
        "issued": {"date-parts": [[2020, 1]]},
        "container-title": "Hives",
    }
    return Reply(json.dumps(item), kind="application/vnd.citationstyles.csl+json")


def fetched(service: Service, *names: str, limit: int = 50, policy: RequestPolicy = HASTY) -> list[Record | Problem]:
    with HttpClient("paperchat/test", policy, sleep=lambda _: None) as client:
        return list(lookup.fetch(names, client, ServiceUrls(f"{service.address}/api/query", service.address), limit))


def problem(service: Service, name: str, policy: RequestPolicy = HASTY) -> str:
    (item,) = fetched(service, name, policy=policy)
    assert isinstance(item, Problem)
    assert item.lost
    assert (item.source, item.line) == (name, 0)
    return item.reason


# What goes well


def test_arxiv_ids_are_asked_for_together_and_each_is_the_source_of_its_paper(service: Service) -> None:
    service.answer = lambda *_: feed(entry("2101.00001"), entry("1706.03762"))
    names = ("arxiv:1706.03762", "arxiv:https://arxiv.org/abs/2101.00001v3", "arxiv:1706.03762")
    by_id = {item.arxiv_id: item for item in fetched(service, *names) if isinstance(item, Record)}
    assert by_id.keys() == {"1706.03762", "2101.00001"}
    paper = by_id["1706.03762"]
    assert (paper.source, paper.year, paper.authors) == ("arxiv:1706.03762", 2017, ("Ada Moss", "Bo Ant"))
    assert paper.abstract == ABSTRACT.format("1706.03762")
    (request,) = service.requests
    assert request == ("/api/query", {"id_list": "1706.03762,2101.00001", "max_results": "2"})
    assert service.headers[0]["User-Agent"] == "paperchat/test"


def test_an_old_arxiv_id_is_one(service: Service) -> None:
    service.answer = lambda *_: feed(entry("math.GT/0309136"))
    (record,) = fetched(service, "arxiv:math.GT/0309136")
    assert isinstance(record, Record)


def test_a_doi_is_resolved_by_its_registrar_also_where_that_is_elsewhere(service: Service) -> None:
    moved = Reply(status=302, headers={"Location": f"{service.address}/works/10.1000/bees(1)"})
    service.answer = lambda path, _: csl("10.1000/bees(1)") if path.startswith("/works") else moved
    (record,) = fetched(service, "doi:https://doi.org/10.1000/bees(1)")
    assert isinstance(record, Record)
    assert (record.doi, record.venue, record.year) == ("10.1000/bees(1)", "Hives", 2020)
    assert record.abstract == ABSTRACT.format(7)
    assert record.source == "doi:https://doi.org/10.1000/bees(1)"
    assert service.headers[0]["Accept"] == "application/vnd.citationstyles.csl+json"


def test_a_search_is_asked_page_by_page_up_to_its_limit(service: Service) -> None:
    ids = [f"2101.{number:05}" for number in range(120)]

    def answer(_: str, parameters: dict[str, str]) -> Reply:
        start, size = int(parameters["start"]), int(parameters["max_results"])
        return feed(*map(entry, ids[start : start + size]))

    service.answer = answer
    assert [item.arxiv_id for item in fetched(service, "arxiv-search:bees") if isinstance(item, Record)] == ids[:50]
    items = fetched(service, 'arxiv-search:"dancing bees"', limit=70)
    assert [item.arxiv_id for item in items if isinstance(item, Record)] == ids[:70]
    assert [parameters["search_query"] for _, parameters in service.requests[1:]] == ["all:dancing AND all:bees"] * 2
    assert len(fetched(service, "arxiv-search:au:moss AND ti:bees", limit=500)) == 120
    assert service.requests[-1][1]["search_query"] == "au:moss AND ti:bees"


def test_a_service_that_is_busy_is_asked_again_after_as_long_as_it_says(service: Service) -> None:
    replies = [Reply(status=429, headers={"Retry-After": "7"}), Reply(status=503), feed(entry("1706.03762"))]
    service.answer = lambda *_: replies.pop(0)
    waits: list[float] = []
    with HttpClient("paperchat/test", RequestPolicy(pause=3.0), sleep=waits.append) as client:
        services = ServiceUrls(f"{service.address}/api/query", service.address)
        (record,) = lookup.fetch(["arxiv:1706.03762"], client, services, 1)
    assert isinstance(record, Record)
    assert [wait for wait in waits if wait in (7.0, 6.0)] == [7.0, 6.0]


def test_between_two_requests_to_one_host_lies_the_pause_that_it_asks_for(service: Service) -> None:
    service.answer = lambda path, _: csl(path[1:])
    waits: list[float] = []
    with HttpClient("paperchat/test", RequestPolicy(pause=3.0), sleep=waits.append) as client:
        services = ServiceUrls(service.address, service.address)
        assert len(list(lookup.fetch(["doi:10.1000/a", "doi:10.1000/b"], client, services, 1))) == 2
    (wait,) = waits
    assert 2.0 < wait <= 3.0


# What does not


def test_an_id_that_arxiv_does_not_know_is_reported_and_the_others_come(service: Service) -> None:
    service.answer = lambda *_: feed(entry("1706.03762"))
    items = fetched(service, "arxiv:1706.03762", "arxiv:9912.00001")
    assert [type(item) for item in items] == [Record, Problem]
    assert str(items[1]) == "arxiv:9912.00001: arXiv has no paper with this id"


def test_a_withdrawn_paper_is_reported(service: Service) -> None:
    service.answer = lambda *_: feed(entry("1706.03762", "This paper has been withdrawn by the authors. " * 3, "Bees"))
    assert problem(service, "arxiv:1706.03762") == "Bees has been withdrawn"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("arxiv:bees", "is not a valid arXiv id"),
        ("arxiv:../../etc/passwd", "is not a valid arXiv id"),
        ("doi:bees", "is not a valid DOI"),
        ("bees.bib", "files are for paperchat ingest"),
        ("arxiv-search:", "write arxiv:ID"),
        ("http://127.0.0.1/", "write arxiv:ID"),
    ],
)
def test_what_names_no_paper_is_reported_and_nobody_is_asked(service: Service, name: str, reason: str) -> None:
    assert reason in problem(service, name)
    assert service.requests == []


@pytest.mark.parametrize("name", ["arxiv:1706.03762", "doi:10.1000/bees", "arxiv-search:bees"])
@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply("<!DOCTYPE html><html><body>Closed</body></html>", kind="text/html"), "this is a web page"),
        (Reply("dear diary"), "no record is recognised"),
        (Reply(""), "the file is empty"),
        (Reply("<feed><entry>"), ""),
        (Reply(status=404), "127.0.0.1 has no such paper"),
        (Reply(status=403), "127.0.0.1 answers 403 Forbidden"),
        (Reply(status=503), "127.0.0.1 answers 503 Service Unavailable; asked 3 times, try again later"),
        (Reply(status=429, headers={"Retry-After": "3600"}), "asks to wait for 3600 seconds: try again later"),
        (Reply(b"x" * 200_000), "the answer is longer than 100,000 bytes"),
        (Reply(status=302, headers={"Location": "/again"}), "127.0.0.1 cannot be reached"),
        (Reply("short", headers={"Content-Length": "500"}, silent=0.0), "127.0.0.1"),
    ],
)  # fmt: skip
def test_a_bad_answer_is_one_problem_of_its_name(service: Service, name: str, reply: Reply, reason: str) -> None:
    service.answer = lambda *_: reply
    assert reason in problem(service, name)


def test_a_service_that_keeps_silent_is_given_up(service: Service) -> None:
    service.answer = lambda *_: Reply(silent=0.6)
    hasty = RequestPolicy(pause=0.0, timeout=0.2, attempts=2)
    assert problem(service, "doi:10.1000/bees", hasty) == (
        "127.0.0.1 does not answer within 0.2 seconds; asked 2 times, try again later"
    )


def test_a_service_that_is_not_there_is_a_problem(service: Service) -> None:
    gone = Service("http://127.0.0.1:9", lambda *_: Reply())
    assert "cannot be reached" in problem(gone, "doi:10.1000/bees")


def test_entities_in_an_answer_are_not_expanded(service: Service) -> None:
    bomb = '<!DOCTYPE feed [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    service.answer = lambda *_: Reply(
        str(feed(entry("1706.03762", "&b;" * 40)).body).replace("<feed", f"{bomb}<feed", 1)
    )
    assert all(isinstance(item, Problem) for item in fetched(service, "arxiv:1706.03762"))


# The verb


def test_add_puts_what_comes_into_the_library_and_reports_what_does_not(
    paperchat: Paperchat, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.answer = lambda *_: feed(entry("1706.03762"))
    monkeypatch.setenv("PAPERCHAT_ARXIV_URL", f"{service.address}/api/query")
    monkeypatch.setattr("importlib.metadata.version", lambda _: "9.9")
    done = paperchat("add", "arxiv:1706.03762", "arxiv:9912.00001")
    assert done.code == 1
    assert done.err == "paperchat: arxiv:9912.00001: arXiv has no paper with this id\n"
    assert "1 papers added" in done.out
    assert service.headers[0]["User-Agent"] == "paperchat/9.9"
    (paper,) = paperchat("list", "--json").json
    assert (paper["arxiv_id"], paper["sources"]) == ("1706.03762", ["arxiv:1706.03762"])
    assert paperchat("add", "arxiv:1706.03762").out.startswith("1 records read: 0 papers added, 0 updated, 0 merged, 1")
    assert len(paperchat("search", "dance", "--json").json["hits"]) == 1
