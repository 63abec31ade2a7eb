"""The sources that can be watched: what they are called, and how each is asked for what is new.

arxiv-search:WORDS   a search of arXiv, the newest papers first     FOLDER   files that are new or have changed
https://...          an RSS or Atom feed, asked for conditionally   zotero:  and others with a run of their own
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import InputError
from assistant.schema import Record
from ingest.parsers.base import Problem
from ingest.parsers.detect import parse
from ingest.reading import files_of, records_of
from ingest.report import IngestReport
from ingest.sources import lookup
from ingest.sources.http_client import NOT_FOUND, HttpClient, ServiceError
from ingest.sources.lookup import ServiceUrls

# Papers of a search that are looked at in one run.
MAX_RESULTS = 100
_FEED = "application/atom+xml, application/rss+xml, application/rdf+xml, application/xml;q=0.9, text/xml;q=0.8"
_SEARCH = "arxiv-search"
_USAGE = "write arxiv-search:WORDS, the address of an RSS or Atom feed, the path of a folder, or zotero:"
_ADDRESS = re.compile(r"https?://[^\s/]+\S*", re.IGNORECASE)
# An entity that a feed declares itself may stand for text without end; no feed of papers needs one.
_ENTITY = re.compile(rb"<!ENTITY\b")


@dataclass(frozen=True, slots=True)
class Findings:
    """What a source has now, and the state to ask it with the next time; `unread` is why nothing could be read."""

    items: tuple[Record | Problem, ...]
    state: Mapping[str, Any]
    unread: str = ""


def parse_source(text: str, services: Collection[str] = ()) -> str:
    """Return the name under which a source is watched. Raise InputError for what cannot be watched.

    `services` are the kinds, such as `zotero`, that have a run of their own.
    """
    kind, _, value = text.strip().partition(":")
    if kind in services or (kind == _SEARCH and value.strip()):
        return text.strip()
    if kind in ("http", "https"):
        if not _ADDRESS.fullmatch(text.strip()):
            raise InputError(text, f"is not an address; {_USAGE}")
        return text.strip()
    if kind in ("arxiv", "doi"):
        raise InputError(text, "is one paper, which does not change: paperchat add fetches it")
    folder = Path(text).expanduser()
    if text.strip() and folder.exists():
        return str(folder.resolve())
    raise InputError(text, f"is no folder, and no source that can be watched; {_USAGE}")


def look(source: str, state: Mapping[str, Any], client: HttpClient, urls: ServiceUrls) -> Findings:
    """Return what a source has that may be new since the state. Raise InputError where it cannot be asked."""
    if source.startswith(f"{_SEARCH}:"):
        return _search(source, state, client, urls)
    if _ADDRESS.match(source):
        return _read_feed(source, state, client)
    return _read_folder(Path(source), state)


def _search(source: str, state: Mapping[str, Any], client: HttpClient, urls: ServiceUrls) -> Findings:
    items = tuple(lookup.fetch([source], client, urls, MAX_RESULTS, newest_first=True))
    if not any(isinstance(item, Record) for item in items) and items:
        raise InputError(source, next(item.reason for item in items if isinstance(item, Problem)))
    return Findings(items, state)


def _read_feed(address: str, state: Mapping[str, Any], client: HttpClient) -> Findings:
    try:
        response = client.request_if_changed(
            address, address, _FEED, str(state.get("etag", "")), str(state.get("last_modified", ""))
        )
    except ServiceError as error:
        if error.status in NOT_FOUND:
            raise InputError(address, "there is no feed at this address") from error
        raise
    if response is None:
        return Findings((), state)
    if _ENTITY.search(response.body):
        raise InputError(address, "the feed declares entities of its own, which may be a trap; nothing of it is read")
    items = tuple(_of_feed(response.body, address))
    if not any(isinstance(item, Record) for item in items) and items:
        raise InputError(address, f"the feed cannot be read: {items[0]}")
    headers = response.headers
    return Findings(items, {"etag": headers.get("ETag", ""), "last_modified": headers.get("Last-Modified", "")})


def _of_feed(body: bytes, address: str) -> Iterator[Record | Problem]:
    """Yield the papers of a feed. Raise InputError for what is no feed."""
    if re.search(rb"<(?:[\w.-]+:)?(?:rss|feed|RDF)[\s>]", body) is None:
        raise InputError(address, "this is no RSS or Atom feed")
    if re.search(rb"<(?:[\w.-]+:)?(?:item|entry)[\s>]", body):
        yield from parse(body, address)


def _read_folder(folder: Path, state: Mapping[str, Any]) -> Findings:
    """Read the files that are new or have changed, by size and time. Raise InputError for a folder that is gone."""
    report, items, stamps = IngestReport(), [], {}
    known = state.get("files", {})
    if not folder.exists():
        raise InputError(str(folder), "there is no such folder any more")
    is_empty = folder.is_dir() and not any(folder.iterdir())
    for file in () if is_empty else files_of([folder], report):
        stamps[str(file)] = stamp = _stamp(file)
        if known.get(str(file)) != stamp:
            items += list(records_of(file, report))
    return Findings((*items, *report.problems), {"files": stamps})


def _stamp(file: Path) -> str:
    try:
        status = file.stat()
    except OSError:
        return ""
    return f"{status.st_size}-{status.st_mtime_ns}"
