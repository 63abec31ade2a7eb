"""Fetch papers from arXiv's API, by id or by search (https://info.arxiv.org/help/api/user-manual.html)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from assistant.errors import InputError
from assistant.schema import Record
from ingest.parsers import arxiv_xml
from ingest.parsers.base import Problem
from ingest.parsers.detect import parse
from ingest.sources.http_client import HttpClient
from ingest.sources.responses import named_records, says_withdrawn

# How many papers one request asks for.
PAGE_SIZE = 50
_ATOM = "application/atom+xml"
_ID = re.compile(r"(?:https?://arxiv\.org/(?:abs|pdf)/)?(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?")
_FIELD = re.compile(r"\b(?:ti|au|abs|co|jr|cat|rn|id|all):")


def parse_id(text: str) -> str | None:
    """Return the arXiv id in a text that is an id or the address of a paper, without its version; otherwise None."""
    match = _ID.fullmatch(text)
    return match[1] if match else None


def fetch_papers(names: Mapping[str, str], client: HttpClient, url: str) -> Iterator[Record | Problem]:
    """Yield the papers with these ids, each under its name, and a problem for each that is missing. One request."""
    joined_names = ", ".join(names.values())
    try:
        body = client.get(url, joined_names, _ATOM, id_list=",".join(names), max_results=len(names))
        items = list(parse(body, joined_names))
        withdrawn = withdrawn_ids(body)
    except InputError as error:
        yield from (Problem(name, 0, error.reason) for name in names.values())
        return
    missing = dict(names)
    for item in items:
        if isinstance(item, Record) and (name := missing.pop(item.arxiv_id or "", None)):
            yield from named_records([item], name, withdrawn)
    reason = next((item.reason for item in items if isinstance(item, Problem)), "arXiv has no paper with this id")
    yield from (Problem(name, 0, reason) for name in missing.values())


def search(
    words: str, name: str, client: HttpClient, url: str, limit: int, *, newest_first: bool = False
) -> Iterator[Record | Problem]:
    """Yield at most `limit` papers that match a search, page by page. Raise InputError if a request fails."""
    order = {"sortBy": "submittedDate", "sortOrder": "descending"} if newest_first else {}
    count = 0
    while count < limit:
        size = min(PAGE_SIZE, limit - count)
        body = client.get(url, name, _ATOM, search_query=_query(words), start=count, max_results=size, **order)
        items = list(named_records(parse(body, name), name, withdrawn_ids(body)))
        yield from items
        count += len(items)
        if len(items) < size:
            break
    if not count:
        yield Problem(name, 0, "arXiv finds no matching paper")


def withdrawn_ids(body: bytes) -> dict[str, str]:
    """Return the ids of the papers of a response whose newest version withdraws them, each with the comment."""
    comments = arxiv_xml.comments(body.decode("utf-8", "replace"))
    return {arxiv_id: comment for arxiv_id, comment in comments.items() if says_withdrawn(comment)}


def _query(words: str) -> str:
    """Return the query in arXiv's syntax. Plain words must all occur in the paper."""
    if _FIELD.search(words):
        return words
    terms = re.findall(r"[^\W_]+(?:[-'’][^\W_]+)*", words)
    return " AND ".join(f"all:{term}" for term in terms) or words
