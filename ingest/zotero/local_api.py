"""Read Zotero by its local API, which answers on the person's own machine while Zotero runs. Only GET is ever sent.

The API is that of zotero.org (https://www.zotero.org/support/dev/web_api/v3/basics). Up to Zotero 9, the version of an
item changes only when it is synchronized with zotero.org, so `since` misses local edits, and a library is read
completely. Later ones count local edits, and say so by a Zotero-Server-ID; for these, versions are a watermark.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from assistant.errors import InputError
from assistant.storage.sync_ledger import SyncedLibrary
from ingest.parsers.json_fields import nested
from ingest.sources.http_client import HttpClient, HttpResponse
from ingest.zotero.items import (
    AUXILIARY_TYPES,
    USER_LABEL,
    USER_LIBRARY,
    LibraryContent,
    ZoteroCollection,
    ZoteroCreator,
    ZoteroItem,
    ZoteroLibrary,
)

PAGE_SIZE = 500
# How often a list is read again that changes while its pages are read.
_ATTEMPTS = 3
_JSON = "application/json"
_SOURCE = "zotero"


class LocalApi:
    """A running Zotero. Raises ServiceError where it does not answer, or not as it should."""

    def __init__(self, client: HttpClient, url: str) -> None:
        self._client, self._url = client, url.rstrip("/")

    def libraries(self) -> list[ZoteroLibrary]:
        """Return the person's own library, then the groups."""
        own = self._get("users/0/items/top", limit=1)
        items = _objects(own)
        account = nested(items[0], "library", "id") if items else None
        groups = [_group(value) for value in _objects(self._get("users/0/groups"))]
        return [ZoteroLibrary(USER_LIBRARY, USER_LABEL, str(account or "")), *groups]

    def read(self, library: ZoteroLibrary, last: SyncedLibrary | None) -> LibraryContent:
        """Return the content of a library: what changed since `last` where versions can be relied on, or all."""
        prefix = "users/0" if library.name == USER_LIBRARY else library.name
        first = self._get(f"{prefix}/items/top", limit=1)
        server, version = first.headers.get("Zotero-Server-ID", ""), _number(first, "Last-Modified-Version")
        since = last.version if last and server and last.server == server and last.version <= version else 0
        items = list(self._pages(f"{prefix}/items/top", since))
        collections = tuple(_collection(value) for value in self._pages(f"{prefix}/collections"))
        keys = self._get(f"{prefix}/items/top", format="keys").body.decode().split() if since else []
        return LibraryContent(
            library,
            tuple(collection for collection in collections if collection is not None),
            tuple(_item(value) for value in items if nested(value, "data", "itemType") not in AUXILIARY_TYPES),
            frozenset(keys or map(_key, items)),
            version if server else 0,
            server,
        )

    def _pages(self, path: str, since: int = 0) -> Sequence[dict[str, Any]]:
        """Return a whole list. Raise InputError if it keeps changing while it is read."""
        for _ in range(_ATTEMPTS):
            if (values := self._unchanged_pages(path, since)) is not None:
                return values
        raise InputError(_SOURCE, "the library changes while it is read: try again when Zotero has finished")

    def _unchanged_pages(self, path: str, since: int) -> list[dict[str, Any]] | None:
        """Return a list, page by page, oldest objects first; None if its length changes meanwhile."""
        by_key: dict[str, dict[str, Any]] = {}
        options = {"since": since} if since else {}
        length: int | None = None
        while length is None or len(by_key) < length:
            response = self._get(path, start=len(by_key), limit=PAGE_SIZE, sort="dateAdded", direction="asc", **options)
            page = _objects(response)
            known, total = len(by_key), _number(response, "Total-Results", default=len(by_key) + len(page))
            by_key |= {_key(value): value for value in page}
            if length not in (None, total) or len(by_key) != known + len(page) or (not page and total > known):
                return None
            length = total
        return list(by_key.values())

    def _get(self, path: str, **parameters: str | int) -> HttpResponse:
        return self._client.request(f"{self._url}/{path}", _SOURCE, _JSON, **parameters)


def _objects(response: HttpResponse) -> list[dict[str, Any]]:
    """Return the objects of a response. Raise InputError where it is anything else."""
    try:
        values = json.loads(response.body)
    except ValueError:
        values = None
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise InputError(_SOURCE, "what answers at the address of Zotero's API is not Zotero, or was cut off")
    return values


def _number(response: HttpResponse, header: str, default: int = 0) -> int:
    text = response.headers.get(header, "")
    return int(text) if text.isdecimal() else default


def _key(value: Mapping[str, Any]) -> str:
    return str(value.get("key", ""))


def _group(value: Mapping[str, Any]) -> ZoteroLibrary:
    number = value.get("id")
    if not isinstance(number, int):
        raise InputError(_SOURCE, "a group without a number")
    return ZoteroLibrary(f"groups/{number}", str(nested(value, "data", "name") or f"Group {number}"))


def _collection(value: Mapping[str, Any]) -> ZoteroCollection | None:
    """Return a collection; None for one in the trash."""
    data = value.get("data") or {}
    if data.get("deleted"):
        return None
    return ZoteroCollection(_key(value), str(data.get("name", "")), str(data.get("parentCollection") or ""))


def _item(value: Mapping[str, Any]) -> ZoteroItem:
    data = value.get("data") or {}
    return ZoteroItem(
        _key(value),
        {name: text for name, text in data.items() if isinstance(text, str)},
        tuple(map(_creator, data.get("creators") or ())),
        tuple(str(tag.get("tag", "")) for tag in data.get("tags") or ()),
        tuple(map(str, data.get("collections") or ())),
    )


def _creator(value: Mapping[str, str]) -> ZoteroCreator:
    name = value.get("name") or f"{value.get('firstName', '')} {value.get('lastName', '')}"
    return ZoteroCreator(value.get("creatorType", ""), name.strip())
