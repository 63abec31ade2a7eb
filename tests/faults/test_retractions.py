"""Retractions and withdrawals: what services announce marks papers, and what they fail to answer changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pytest

from assistant.schema import Notice, NoticeKind, Record
from assistant.storage.library import Library
from ingest import pipeline
from ingest.parsers.base import Problem
from ingest.retractions import AnnouncementUrls, check
from ingest.sources.http_client import HttpClient, RequestPolicy
from tests.conftest import Paperchat
from tests.services import ABSTRACT, Reply, Service, entry, feed, serving

HASTY = RequestPolicy(pause=0.0, timeout=0.5, deadline=1.0, attempts=2, max_retry_after=10.0, max_bytes=100_000)


@pytest.fixture
def service() -> Iterator[Service]:
    with serving() as running:
        yield running


@pytest.fixture
def two(library: Library) -> Library:
    """A library of a published paper and of a preprint, with their identifiers."""
    published = Record(ABSTRACT.format("published"), "How bees dance by day", doi="10.5555/Bees.1", source="a")
    preprint = Record(
        "Glaciers lose ice. We scan a hundred of them by laser from an aeroplane.",
        "Ice by laser",
        doi="10.48550/arXiv.2101.00002",
        arxiv_id="2101.00002",
        source="b",
    )
    pipeline.ingest_records([published, preprint], library)
    return library


def crossref(*updates: Mapping[str, object]) -> Reply:
    notice = {"DOI": "10.5555/notice", "title": ["Retraction Note: <b>How bees dance</b>"], "update-to": list(updates)}
    return Reply(json.dumps({"status": "ok", "message": {"items": [notice]}}), kind="application/json")


def openalex(*dois: str) -> Reply:
    works = [{"id": "https://openalex.org/W1", "doi": f"https://doi.org/{doi}", "is_retracted": True} for doi in dois]
    return Reply(json.dumps({"results": works}), kind="application/json")


def answering(service: Service, crossref: Reply, openalex: Reply, arxiv: Reply) -> None:
    replies = {"/crossref/works": crossref, "/openalex/works": openalex, "/arxiv": arxiv}
    service.answer = lambda path, _: replies[path]


def checked(library: Library, service: Service) -> list[Problem]:
    urls = AnnouncementUrls(*(f"{service.address}/{name}" for name in ("crossref", "openalex", "arxiv")))
    with HttpClient("paperchat/test", HASTY, sleep=lambda _: None) as client:
        return list(check(library.catalog.papers.all(), library.catalog, client, urls))


def notices(library: Library) -> dict[str | None, Notice | None]:
    return {paper.title: paper.notice for paper in library.catalog.papers.all()}


RETRACTION: dict[str, object] = {
    "DOI": "10.5555/bees.1",
    "type": "retraction",
    "updated": {"date-parts": [[2024, 3, 9]]},
}
WITHDRAWN = "This paper has been withdrawn by the author; the scans were of another glacier"


def test_a_retraction_and_a_withdrawal_mark_the_papers(two: Library, service: Service) -> None:
    answering(service, crossref(RETRACTION), openalex(), feed(entry("2101.00002", comment=WITHDRAWN)))
    assert checked(two, service) == []
    marked = notices(two)
    assert marked["How bees dance by day"] == Notice(
        NoticeKind.RETRACTED,
        "Crossref",
        "Retraction Note: <b>How bees dance</b>",
        "https://doi.org/10.5555/notice",
        "2024-03-09",
    )
    withdrawn = marked["Ice by laser"]
    assert withdrawn
    assert (withdrawn.kind, withdrawn.text) == (NoticeKind.WITHDRAWN, WITHDRAWN)
    # The DOI that arXiv gives is not asked about where no notice can update it.
    named = [parameters.get("filter", "") for _, parameters in service.requests]
    assert named == ["updates:10.5555/bees.1", "doi:10.5555/bees.1", ""]


def test_a_mark_does_not_have_a_paper_indexed_again(two: Library, service: Service) -> None:
    answering(service, crossref(RETRACTION), openalex(), feed())
    checked(two, service)
    assert two.catalog.ledger.pending_count() == 0
    assert pipeline.ingest_records([], two).indexed == 0


def test_the_gravest_notice_is_shown(two: Library, service: Service) -> None:
    concern = RETRACTION | {"type": "expression_of_concern"}
    answering(service, crossref(concern), openalex("10.5555/bees.1"), feed())
    checked(two, service)
    notice = notices(two)["How bees dance by day"]
    assert notice
    assert (notice.kind, notice.service) == (NoticeKind.RETRACTED, "OpenAlex")


@pytest.mark.parametrize("kind", ["correction", "erratum", "new_version", "addendum"])
def test_a_correction_leaves_a_paper_standing(two: Library, service: Service, kind: str) -> None:
    answering(service, crossref(RETRACTION | {"type": kind}), openalex(), feed())
    checked(two, service)
    assert set(notices(two).values()) == {None}


def test_what_is_no_longer_announced_is_no_longer_shown_and_the_same_check_twice_is_one(
    two: Library, service: Service
) -> None:
    answering(service, crossref(RETRACTION), openalex(), feed())
    checked(two, service)
    once = notices(two)
    checked(two, service)
    assert notices(two) == once
    answering(service, crossref(), openalex(), feed())
    checked(two, service)
    assert set(notices(two).values()) == {None}


@pytest.mark.parametrize(
    "reply",
    [
        Reply("no json"),
        Reply('{"message": {"items": 5}}'),
        Reply('{"results": "x"}'),
        Reply("[]"),
        Reply(status=503),
        Reply(status=429, headers={"Retry-After": "900"}),
        Reply(b"x" * 200_000),
    ],
)
def test_a_service_that_fails_is_a_problem_and_the_others_are_asked(
    two: Library, service: Service, reply: Reply
) -> None:
    answering(service, crossref(RETRACTION), openalex(), feed())
    checked(two, service)
    before = notices(two)
    answering(service, reply, reply, feed(entry("2101.00002", comment=WITHDRAWN)))
    problems = checked(two, service)
    assert [problem.source for problem in problems] == ["Crossref", "OpenAlex"]
    assert notices(two)["How bees dance by day"] == before["How bees dance by day"]
    assert notices(two)["Ice by laser"]


def test_a_mark_stays_with_a_paper_that_is_merged_and_goes_with_one_that_is_deleted(
    two: Library, service: Service
) -> None:
    from ingest import merging

    answering(service, crossref(RETRACTION), openalex(), feed())
    checked(two, service)
    merged = merging.merge(two, [paper.id for paper in two.catalog.papers.all()])
    assert two.catalog.papers.find(merged.id).notice
    with two.writing():
        two.catalog.delete([merged.id])
    assert two.catalog.notices.by_paper() == {}


def test_a_preprint_with_its_published_version_is_one_paper_with_both_identifiers(library: Library) -> None:
    preprint = Record(
        ABSTRACT.format("early"),
        "How bees dance by day",
        ("Ada Moss",),
        doi="10.48550/arXiv.2101.00001",
        arxiv_id="2101.00001",
        url="https://arxiv.org/abs/2101.00001",
        year=2021,
        source="arxiv:2101.00001",
    )
    published = Record(ABSTRACT.format("final"), "How bees dance by day", ("Ada Moss",), doi="10.5555/b", source="doi:")
    pipeline.ingest_records([preprint], library)
    pipeline.ingest_records([published], library)
    (paper,) = library.catalog.papers.all()
    assert (paper.arxiv_id, paper.doi) == ("2101.00001", "10.5555/b")


def test_a_published_paper_that_names_its_preprint_is_that_paper_under_another_title(library: Library) -> None:
    from ingest.parsers.detect import parse

    work = {
        "DOI": "10.5555/b",
        "title": "A final title of another wording",
        "abstract": "Another abstract than that of the preprint.",
        "container-title": "Hives",
        "number": "3",
        "relation": {"has-preprint": [{"id-type": "doi", "id": "10.48550/arXiv.2101.00001"}]},
    }
    preprint = Record(ABSTRACT.format("early"), "How bees dance by day", arxiv_id="2101.00001", source="arxiv")
    pipeline.ingest_records([preprint, *parse(json.dumps(work).encode(), "doi:10.5555/b")], library)
    (paper,) = library.catalog.papers.all()
    assert (paper.arxiv_id, paper.doi) == ("2101.00001", "10.5555/b")


def test_the_command_lists_what_is_known_and_asks_only_when_told_to(
    paperchat: Paperchat, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("crossref", "openalex", "arxiv"):
        monkeypatch.setenv(f"PAPERCHAT_{name.upper()}_URL", f"{service.address}/{name}")
    monkeypatch.setattr(RequestPolicy.__init__, "__defaults__", (0.0, 0.5, 1.0, 2, 10.0, 100_000))
    service.answer = lambda *_: feed(entry("2101.00002"))
    assert paperchat("add", "arxiv:2101.00002").code == 0
    asked = len(service.requests)
    assert paperchat("retractions").out == ""
    assert len(service.requests) == asked
    answering(service, crossref(), openalex(), feed(entry("2101.00002", comment=WITHDRAWN)))
    told = paperchat("retractions", "--online")
    assert told.code == 0
    assert "[withdrawn]" in told.out
    assert "the scans were of another glacier" in told.out
    assert "[withdrawn]" in paperchat("list").out
    (paper,) = paperchat("list", "--json").json
    assert paper["notice"]["kind"] == "withdrawn"
    assert "withdrawn (arXiv)" in paperchat("ask", "How do bees dance?").out
    assert "Withdrawn (arXiv)" in paperchat("export", "--format", "bibtex").out
    assert '"status": "withdrawn"' in paperchat("export", "--format", "csl-json").out
    answering(service, crossref(), openalex(), Reply(status=503))
    failed = paperchat("retractions", "--online")
    assert failed.code == 1
    assert "arXiv: 127.0.0.1 answers 503" in failed.err
