"""Mark the papers of a library that were retracted or withdrawn, as services say when they are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from assistant.batches import batches
from assistant.errors import InputError
from assistant.schema import Notice, Paper, Record
from assistant.storage.catalog import Catalog
from assistant.text.links import bare_arxiv_id, bare_doi, is_arxiv_doi
from ingest.known_papers import known_papers
from ingest.parsers.base import Problem
from ingest.sources import announcements
from ingest.sources.http_client import HttpClient
from ingest.sources.responses import WithdrawnPaper

Ask = Callable[[Sequence[str]], Mapping[str, Sequence[Notice]]]


@dataclass(frozen=True, slots=True)
class AnnouncementUrls:
    """The addresses of the services that announce retractions and withdrawals."""

    crossref: str
    openalex: str
    arxiv: str


@dataclass(frozen=True, slots=True)
class _Service:
    """A service by name: the ids that it knows papers by, how many a request names, and how it is asked."""

    name: str
    papers_by_id: Mapping[str, Sequence[str]]
    size: int
    ask: Ask


def check(papers: Iterable[Paper], catalog: Catalog, client: HttpClient, urls: AnnouncementUrls) -> Iterator[Problem]:
    """Ask every service about papers and store what it announces; yield a problem for each request that failed.

    A paper of which a service no longer announces anything loses its notice of that service. Raises LibraryWriteError.
    """
    by_doi, by_arxiv_id = _papers_by_id(papers)
    for service in (
        _Service(
            announcements.CROSSREF,
            by_doi,
            announcements.DOIS_PER_REQUEST,
            partial(announcements.from_crossref, client=client, url=urls.crossref),
        ),
        _Service(
            announcements.OPENALEX,
            by_doi,
            announcements.DOIS_PER_REQUEST,
            partial(announcements.from_openalex, client=client, url=urls.openalex),
        ),
        _Service(
            announcements.ARXIV,
            by_arxiv_id,
            announcements.IDS_PER_REQUEST,
            partial(announcements.from_arxiv, client=client, url=urls.arxiv),
        ),
    ):
        yield from _check_service(service, catalog)


def mark_withdrawn(items: Iterable[Record | Problem], catalog: Catalog) -> int:
    """Mark the papers of the library among those that were met as withdrawn; return how many were not marked before."""
    withdrawn = [item for item in items if isinstance(item, WithdrawnPaper) and item.record]
    records = [item.record for item in withdrawn if item.record]
    by_paper: dict[str, list[Notice]] = {}
    for item, record, paper_ids in zip(withdrawn, records, known_papers(records, catalog), strict=True):
        for paper_id in paper_ids:
            by_paper[paper_id] = [announcements.withdrawal(record.arxiv_id or "", item.comment)]
    return catalog.notices.replace(announcements.ARXIV, by_paper, by_paper) if by_paper else 0


def _check_service(service: _Service, catalog: Catalog) -> Iterator[Problem]:
    for ids in batches(sorted(service.papers_by_id), service.size):
        try:
            announced = service.ask(ids)
        except InputError as error:
            yield Problem(service.name, 0, error.reason)
            return  # it would refuse the rest, too
        checked = [paper_id for identifier in ids for paper_id in service.papers_by_id[identifier]]
        by_paper: dict[str, list[Notice]] = {}
        for identifier, of_id in announced.items():
            for paper_id in service.papers_by_id.get(identifier, ()):
                by_paper.setdefault(paper_id, []).extend(of_id)
        catalog.notices.replace(service.name, checked, by_paper)


def _papers_by_id(papers: Iterable[Paper]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the ids of papers by DOI, in lower case, and by arXiv id."""
    by_doi: dict[str, list[str]] = {}
    by_arxiv_id: dict[str, list[str]] = {}
    for paper in papers:
        doi = bare_doi(paper.doi or "").casefold()
        # No notice ever updates a DOI of arXiv, and a comma would end a filter of the services.
        if doi and not is_arxiv_doi(doi) and not set(doi) & set(",|"):
            by_doi.setdefault(doi, []).append(paper.id)
        if paper.arxiv_id:
            by_arxiv_id.setdefault(bare_arxiv_id(paper.arxiv_id), []).append(paper.id)
    return by_doi, by_arxiv_id
