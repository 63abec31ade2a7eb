"""Fetch papers by name: `arxiv:1706.03762`, `doi:10.18653/v1/...`, `arxiv-search:WORDS`.

A search takes plain words or arXiv's query syntax: `au:vaswani AND ti:attention`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from assistant.batches import batches
from assistant.schema import Record
from ingest.parsers.base import Problem
from ingest.sources import arxiv, doi
from ingest.sources.http_client import HttpClient
from ingest.sources.responses import errors_as_problems

_INVALID = {"arxiv": "is not a valid arXiv id", "doi": "is not a valid DOI"}
_USAGE = "write arxiv:ID, doi:DOI, arxiv-search:WORDS or zotero:; files are for paperchat ingest"


@dataclass(frozen=True, slots=True)
class ServiceUrls:
    """The addresses of the services."""

    arxiv: str
    doi: str


def fetch(
    names: Sequence[str], client: HttpClient, urls: ServiceUrls, limit: int, *, newest_first: bool = False
) -> Iterator[Record | Problem]:
    """Yield the papers with these names, at most `limit` for each search, with their names as sources.

    A search yields the best matches, or with `newest_first` the newest ones.

    Yield a problem for each name that cannot be resolved, and continue with the others.
    """
    names_by_id: dict[str, str] = {}
    for name in dict.fromkeys(names):
        kind, value = _split(name)
        if kind == "arxiv" and (arxiv_id := arxiv.parse_id(value)):
            names_by_id[arxiv_id] = name
        else:
            yield from _fetch_other(name, client, urls, limit, newest_first)
    for ids in batches(names_by_id, arxiv.PAGE_SIZE):
        yield from arxiv.fetch_papers({arxiv_id: names_by_id[arxiv_id] for arxiv_id in ids}, client, urls.arxiv)


def _fetch_other(
    name: str, client: HttpClient, urls: ServiceUrls, limit: int, newest_first: bool
) -> Iterator[Record | Problem]:
    """Yield the papers of a name that takes requests of its own, or the problem with the name."""
    kind, value = _split(name)
    if kind == "doi" and (identifier := doi.parse_doi(value)):
        yield from errors_as_problems(name, partial(doi.fetch_paper, identifier, name, client, urls.doi))
    elif kind == "arxiv-search" and value:
        search = partial(arxiv.search, value, name, client, urls.arxiv, limit, newest_first=newest_first)
        yield from errors_as_problems(name, search)
    else:
        yield Problem(name, 0, _INVALID.get(kind, _USAGE))


def _split(name: str) -> tuple[str, str]:
    kind, _, value = name.partition(":")
    return kind, value.strip().strip("\"'").strip()
