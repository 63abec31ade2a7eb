"""Papers from services on the network, named one by one or searched for: arXiv's, and whoever registered a DOI.

arxiv:1706.03762        arXiv's interface (https://info.arxiv.org/help/api/user-manual.html), Atom
arxiv-search:"..."      the same; words, or its own query language: au:vaswani AND ti:attention
doi:10.18653/v1/...     the DOI's registrar (Crossref, DataCite ...) by content negotiation, CSL-JSON
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import quote

from assistant.batches import batches
from assistant.errors import InputError
from assistant.schema import Record
from ingest.parsers.base import Problem
from ingest.parsers.detect import parse
from ingest.sources.http_client import Web

_ATOM, _CSL = "application/atom+xml", "application/vnd.citationstyles.csl+json"
_ARXIV_ID = re.compile(r"(?:https?://arxiv\.org/(?:abs|pdf)/)?(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?")
_DOI = re.compile(r"(?:https?://(?:dx\.)?doi\.org/)?(10\.\d{4,9}/\S+)")
_FIELD = re.compile(r"\b(?:ti|au|abs|co|jr|cat|rn|id|all):")
_WITHDRAWN = re.compile(
    r"(?:this|the) (?:paper|article|work|submission|manuscript|preprint)\b.{0,60}\bwithdrawn", re.IGNORECASE
)
# Ids asked for together, and papers of a search in one answer.
_TOGETHER = 50
_KINDS = "write arxiv:ID, doi:DOI or arxiv-search:WORDS; files are for paperchat ingest"


@dataclass(frozen=True, slots=True)
class Services:
    """Where the services are."""

    arxiv: str
    doi: str


def fetch(names: Sequence[str], web: Web, services: Services, limit: int) -> Iterator[Record | Problem]:
    """The records of what is named, `limit` at most of each search, each with its name as its source.

    What cannot be had is a problem with its name; the others go on.
    """
    by_id: dict[str, str] = {}
    for name in dict.fromkeys(names):
        kind, _, value = name.partition(":")
        value = value.strip().strip("\"'").strip()
        if kind == "arxiv" and (found := _ARXIV_ID.fullmatch(value)):
            by_id[found[1]] = name
        elif kind == "doi" and (found := _DOI.fullmatch(value)):
            yield from _reported(name, partial(_of_doi, found[1], name, web, services.doi))
        elif kind == "arxiv-search" and value:
            yield from _reported(name, partial(_search, _query(value), name, web, services.arxiv, limit))
        else:
            yield Problem(name, 0, f"is no {kind} id" if kind in ("arxiv", "doi") else _KINDS)
    for batch in batches(by_id, _TOGETHER):
        yield from _of_arxiv({each: by_id[each] for each in batch}, web, services.arxiv)


def _of_doi(doi: str, name: str, web: Web, address: str) -> Iterable[Record | Problem]:
    body = web.get(f"{address}/{quote(doi, safe='/')}", name, _CSL)
    return _kept(parse(body, name), name)


def _search(query: str, name: str, web: Web, address: str, limit: int) -> Iterator[Record | Problem]:
    found = 0
    while found < limit:
        size = min(_TOGETHER, limit - found)
        body = web.get(address, name, _ATOM, search_query=query, start=found, max_results=size)
        items = list(_kept(parse(body, name), name))
        yield from items
        found += len(items)
        if len(items) < size:
            break
    if not found:
        yield Problem(name, 0, "arXiv finds no paper")


def _of_arxiv(names: dict[str, str], web: Web, address: str) -> Iterator[Record | Problem]:
    """The papers of these ids, asked for together, each under its own name."""
    asked = ", ".join(names.values())
    try:
        body = web.get(address, asked, _ATOM, id_list=",".join(names), max_results=len(names))
        items = list(parse(body, asked))
    except InputError as error:
        yield from (Problem(name, 0, error.reason) for name in names.values())
        return
    left = dict(names)
    for item in items:
        if isinstance(item, Record) and (name := left.pop(item.arxiv_id or "", None)):
            yield from _kept([item], name)
    broken = next((item.reason for item in items if isinstance(item, Problem)), None)
    yield from (Problem(name, 0, broken or "arXiv knows no paper of this id") for name in left.values())


def _kept(items: Iterable[Record | Problem], name: str) -> Iterator[Record | Problem]:
    for item in items:
        if isinstance(item, Record) and _WITHDRAWN.search(item.abstract[:200]):
            yield Problem(name, 0, f"{item.title or item.arxiv_id} has been withdrawn")
        elif isinstance(item, Record):
            yield replace(item, source=name)
        else:
            yield Problem(name, 0, item.reason, item.lost)  # a line of an answer says nothing to anybody


def _reported(name: str, read: Callable[[], Iterable[Record | Problem]]) -> Iterator[Record | Problem]:
    try:
        yield from read()
    except InputError as error:
        yield Problem(name, 0, error.reason)


def _query(value: str) -> str:
    """The query as arXiv has it: plain words must all be somewhere in the paper."""
    if _FIELD.search(value):
        return value
    words = re.findall(r"[^\W_]+(?:[-'’][^\W_]+)*", value)
    return " AND ".join(f"all:{word}" for word in words) or value
