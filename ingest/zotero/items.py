"""Zotero's libraries, collections and items as values, and what an item says of a paper."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from assistant.errors import InputError
from assistant.schema import Record
from assistant.storage.catalog_schema import digest
from assistant.storage.sync_ledger import SyncedItem, SyncedLibrary
from assistant.text.labels import MAX_LENGTH
from assistant.text.links import zotero_link
from ingest.parsers.base import Problem
from ingest.parsers.fields import Fields, make_record

# The name of the library that belongs to a person and to no group, and what Zotero calls it.
USER_LIBRARY, USER_LABEL = "library", "My Library"
# Items that describe no paper themselves.
AUXILIARY_TYPES = ("attachment", "note", "annotation")
# In order: the fields of other item types that stand for title and venue come after the usual ones.
_TITLES = ("title", "caseName", "nameOfAct", "subject")
_VENUES = (
    "publicationTitle proceedingsTitle bookTitle encyclopediaTitle dictionaryTitle blogTitle websiteTitle forumTitle "
    "conferenceName university institution repository publisher"
).split()
_ARXIV_FIELDS = ("archiveID", "number", "reportNumber", "archiveLocation")
_DATES = ("date", "dateDecided", "dateEnacted", "issueDate", "filingDate")
_EXTRA_LINE = re.compile(r"^\s*([\w .-]{2,40}?)\s*:\s*(\S.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ZoteroLibrary:
    """A library: `library` for the person's own, `groups/ID` for a group; `account` is empty where it is unknown."""

    name: str
    label: str
    account: str = ""


@dataclass(frozen=True, slots=True)
class ZoteroCollection:
    """A collection by its key; `parent` is the key of the one that it is in, empty at the top."""

    key: str
    name: str
    parent: str = ""


@dataclass(frozen=True, slots=True)
class ZoteroCreator:
    """A person who made a work; `role` is `author`, `editor` and so on."""

    role: str
    name: str


@dataclass(frozen=True, slots=True)
class ZoteroItem:
    """An item that is neither attachment nor note, with its fields by the names that Zotero gives them."""

    key: str
    fields: Mapping[str, str]
    creators: tuple[ZoteroCreator, ...] = ()
    tags: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LibraryContent:
    """What a library holds: `items` are those that changed since the last reading, or all; `keys` are those of all.

    `version` and `server` are the watermark for the next reading, 0 and empty where there is none to rely on.
    """

    library: ZoteroLibrary
    collections: tuple[ZoteroCollection, ...]
    items: tuple[ZoteroItem, ...]
    keys: frozenset[str]
    version: int = 0
    server: str = ""


class ZoteroReader(Protocol):
    """A way to read Zotero. Every method raises InputError where it cannot be read."""

    def libraries(self) -> list[ZoteroLibrary]:
        """Return the person's own library, then the groups."""
        ...

    def read(self, library: ZoteroLibrary, last: SyncedLibrary | None) -> LibraryContent:
        """Return the content of a library; `last` tells how it was last read."""
        ...


def item_source(library: str, key: str) -> str:
    """Return the source of an item's record: the link that selects it in Zotero. Raise InputError for a wrong key."""
    link = f"zotero://select/{library}/items/{key}"
    if zotero_link(link) is None:
        raise InputError("zotero", f"{key!r} is no key of a Zotero item")
    return link


def describe(item: ZoteroItem, library: str, citation_keys: Mapping[str, str]) -> tuple[Record | Problem, SyncedItem]:
    """Return what an item says of a paper, its tags among it, and what else is followed: collections, citation key.

    The mapping from Zotero to paperchat is here and nowhere else. `citation_keys` are those of Better BibTeX, by key
    of the item. Raise InputError for an item with a wrong key.
    """
    source = item_source(library, item.key)
    extra = dict((name.casefold(), value) for name, value in _EXTRA_LINE.findall(item.fields.get("extra", "")))
    record = make_record(_paper_fields(item, extra), source, 0)
    citation_key = (
        item.fields.get("citationKey", "") or extra.get("citation key", "") or citation_keys.get(item.key, "")
    ).strip()
    state = SyncedItem(
        source,
        library,
        digest(record) if isinstance(record, Record) else "",
        # The library is a collection itself, with an empty key.
        ("", *sorted(set(item.collections))),
        citation_key if len(citation_key) <= MAX_LENGTH else "",  # part of a key is another key
    )
    return record, state


def _paper_fields(item: ZoteroItem, extra: Mapping[str, str]) -> Fields:
    arxiv = [item.fields.get(name, "") for name in _ARXIV_FIELDS]
    authors = [creator.name for creator in item.creators if creator.role == "author"]
    return Fields(
        title=_first(item, _TITLES),
        abstract=item.fields.get("abstractNote", ""),
        authors=authors or [creator.name for creator in item.creators],
        year=_first(item, _DATES) or extra.get("issued", ""),
        venue=_first(item, _VENUES),
        doi=item.fields.get("DOI", "") or extra.get("doi", ""),
        arxiv_id=" ".join([*arxiv, f"arxiv:{extra['arxiv']}" if "arxiv" in extra else ""]),
        url=item.fields.get("url", ""),
        keywords=sorted(item.tags),
    )


def _first(item: ZoteroItem, names: tuple[str, ...] | list[str]) -> str:
    return next((item.fields[name] for name in names if item.fields.get(name, "").strip()), "")
