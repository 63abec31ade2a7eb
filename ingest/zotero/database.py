"""Read Zotero's database, `zotero.sqlite`, while Zotero is closed.

The tables are those of Zotero 7 to 9 and of the development version after it (`userdata` 123 to 129); nothing that is
read here has changed between them. `compatibility` is the number by which Zotero itself tells whether an older
version may open a file.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from assistant.errors import InputError
from assistant.storage.sync_ledger import SyncedLibrary
from ingest.zotero.database_file import open_database
from ingest.zotero.items import (
    USER_LABEL,
    USER_LIBRARY,
    LibraryContent,
    ZoteroCollection,
    ZoteroCreator,
    ZoteroItem,
    ZoteroLibrary,
)

Value = TypeVar("Value")

FILE = "zotero.sqlite"
OLDEST_USERDATA, NEWEST_COMPATIBILITY = 121, 9
_TOO_OLD = "was last opened by a Zotero before 6.0.37: open it once with Zotero 7 or later, and close Zotero again"
_TOO_NEW = (
    "was written by a newer Zotero (compatibility {found}, this paperchat reads {known}): upgrade paperchat, or start "
    "Zotero and let it be asked instead (Settings > Advanced > Allow other applications on this computer to "
    "communicate with Zotero)"
)
_LIBRARIES = (
    "SELECT libraryID, type, groupID, name FROM libraries LEFT JOIN groups USING (libraryID) "
    "WHERE type IN ('user', 'group') ORDER BY type DESC, libraryID"
)
_ITEMS = (
    "SELECT itemID, key FROM items JOIN itemTypes USING (itemTypeID) WHERE libraryID = ? "
    "AND typeName NOT IN ('attachment', 'note', 'annotation') "
    "AND itemID NOT IN (SELECT itemID FROM deletedItems) ORDER BY key"
)
_FIELDS = (
    "SELECT itemID, fieldName, value FROM itemData JOIN fields USING (fieldID) JOIN itemDataValues USING (valueID) "
    "JOIN items USING (itemID) WHERE items.libraryID = ?"
)
_CREATORS = (
    "SELECT itemID, creatorType, firstName, lastName FROM itemCreators JOIN creators USING (creatorID) "
    "JOIN creatorTypes USING (creatorTypeID) JOIN items USING (itemID) WHERE items.libraryID = ? "
    "ORDER BY itemID, orderIndex"
)
_TAGS = (
    "SELECT itemID, name FROM itemTags JOIN tags USING (tagID) JOIN items USING (itemID) "
    "WHERE items.libraryID = ? ORDER BY name"
)
_COLLECTIONS = (
    "SELECT child.key, child.collectionName, parent.key AS parent FROM collections AS child "
    "LEFT JOIN collections AS parent ON parent.collectionID = child.parentCollectionID "
    "WHERE child.libraryID = ? AND child.collectionID NOT IN (SELECT collectionID FROM deletedCollections)"
)
_MEMBERS = (
    "SELECT itemID, collections.key AS key FROM collectionItems JOIN collections USING (collectionID) "
    "JOIN items USING (itemID) WHERE items.libraryID = ? "
    "AND collectionID NOT IN (SELECT collectionID FROM deletedCollections)"
)
_ACCOUNT = "SELECT value FROM settings WHERE setting = 'account' AND key = 'userID'"


class ZoteroDatabase:
    """A database file. It is opened for each call, so that Zotero can start between two of them."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def libraries(self) -> list[ZoteroLibrary]:
        """Return the person's own library, then the groups. Raise InputError, with the remedy."""
        with open_database(self._file) as connection:
            self._check_version(connection)
            account = connection.execute(_ACCOUNT).fetchone()
            return [_library(row, str(account[0]) if account else "") for row in connection.execute(_LIBRARIES)]

    def read(self, library: ZoteroLibrary, last: SyncedLibrary | None) -> LibraryContent:
        """Return all items of a library: reading them takes less time than asking which of them have changed."""
        with open_database(self._file) as connection:
            self._check_version(connection)
            number = next(
                (row["libraryID"] for row in connection.execute(_LIBRARIES) if _library(row, "").name == library.name),
                None,
            )
            if number is None:
                raise InputError(str(self._file), f"has no library {library.label!r} any more: try again")
            items = tuple(_items(connection, number))
            collections = tuple(
                ZoteroCollection(row["key"], row["collectionName"], row["parent"] or "")
                for row in connection.execute(_COLLECTIONS, [number])
            )
        return LibraryContent(library, collections, items, frozenset(item.key for item in items))

    def _check_version(self, connection: sqlite3.Connection) -> None:
        """Raise InputError where the tables may not be those that are read here."""
        names = {row["name"] for row in connection.execute("SELECT name FROM sqlite_master")}
        if not {"version", "items", "itemData"} <= names:
            raise InputError(str(self._file), "is not a Zotero database")
        versions: dict[str, int] = dict(map(tuple, connection.execute("SELECT schema, version FROM version")))
        if versions.get("userdata", 0) < OLDEST_USERDATA:
            raise InputError(str(self._file), _TOO_OLD)
        if (found := versions.get("compatibility", 0)) > NEWEST_COMPATIBILITY:
            raise InputError(str(self._file), _TOO_NEW.format(found=found, known=NEWEST_COMPATIBILITY))


def _library(row: sqlite3.Row, account: str) -> ZoteroLibrary:
    if row["type"] == "user":
        return ZoteroLibrary(USER_LIBRARY, USER_LABEL, account)
    return ZoteroLibrary(f"groups/{row['groupID']}", row["name"] or f"Group {row['groupID']}")


def _items(connection: sqlite3.Connection, library: int) -> Iterable[ZoteroItem]:
    fields: dict[int, dict[str, str]] = defaultdict(dict)
    for row in connection.execute(_FIELDS, [library]):
        fields[row["itemID"]][row["fieldName"]] = str(row["value"])
    creators = _by_item(connection, _CREATORS, library, _creator)
    tags = _by_item(connection, _TAGS, library, lambda row: str(row["name"]))
    collections = _by_item(connection, _MEMBERS, library, lambda row: str(row["key"]))
    for row in connection.execute(_ITEMS, [library]):
        number = row["itemID"]
        parts = (tuple(values.get(number, ())) for values in (creators, tags, collections))
        yield ZoteroItem(row["key"], fields.get(number, {}), *parts)  # type: ignore[arg-type]  # in this order


def _by_item(
    connection: sqlite3.Connection, query: str, library: int, convert: Callable[[sqlite3.Row], Value]
) -> dict[int, list[Value]]:
    values: dict[int, list[Value]] = defaultdict(list)
    for row in connection.execute(query, [library]):
        values[row["itemID"]].append(convert(row))
    return values


def _creator(row: sqlite3.Row) -> ZoteroCreator:
    name = f"{row['firstName'] or ''} {row['lastName'] or ''}".strip()
    return ZoteroCreator(row["creatorType"], name)
