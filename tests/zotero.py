"""A Zotero made for the tests: libraries that are edited, written as `zotero.sqlite`, and served as Zotero's local API.

The tables have the names and columns of Zotero's own `userdata.sql` that a reader needs; `SCHEMAS` has the numbers that
each version writes. The server speaks as each version does: up to Zotero 9, an object's version is that of the last
synchronization, so a local edit changes none; later ones count edits and send a Zotero-Server-ID.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]

# The version of Zotero, and what its database says: `userdata` and `compatibility`.
SCHEMAS = {7: (123, 7), 8: (123, 7), 9: (125, 7), 10: (129, 9)}
_TABLES = """
CREATE TABLE version (schema TEXT PRIMARY KEY, version INT NOT NULL);
CREATE TABLE settings (setting TEXT, key TEXT, value, PRIMARY KEY (setting, key));
CREATE TABLE libraries (libraryID INTEGER PRIMARY KEY, type TEXT NOT NULL, editable INT, version INT DEFAULT 0);
CREATE TABLE groups (groupID INTEGER PRIMARY KEY, libraryID INT NOT NULL UNIQUE, name TEXT NOT NULL, version INT);
CREATE TABLE itemTypes (itemTypeID INTEGER PRIMARY KEY, typeName TEXT);
CREATE TABLE fields (fieldID INTEGER PRIMARY KEY, fieldName TEXT);
CREATE TABLE items (itemID INTEGER PRIMARY KEY, itemTypeID INT NOT NULL, libraryID INT NOT NULL, key TEXT NOT NULL,
    version INT NOT NULL DEFAULT 0, synced INT NOT NULL DEFAULT 0, UNIQUE (libraryID, key));
CREATE TABLE itemDataValues (valueID INTEGER PRIMARY KEY, value UNIQUE);
CREATE TABLE itemData (itemID INT, fieldID INT, valueID, PRIMARY KEY (itemID, fieldID));
CREATE TABLE tags (tagID INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE itemTags (itemID INT NOT NULL, tagID INT NOT NULL, type INT NOT NULL, PRIMARY KEY (itemID, tagID));
CREATE TABLE creatorTypes (creatorTypeID INTEGER PRIMARY KEY, creatorType TEXT);
CREATE TABLE creators (creatorID INTEGER PRIMARY KEY, firstName TEXT, lastName TEXT, fieldMode INT);
CREATE TABLE itemCreators (itemID INT, creatorID INT, creatorTypeID INT, orderIndex INT);
CREATE TABLE collections (collectionID INTEGER PRIMARY KEY, collectionName TEXT NOT NULL, parentCollectionID INT,
    libraryID INT NOT NULL, key TEXT NOT NULL, version INT NOT NULL DEFAULT 0, UNIQUE (libraryID, key));
CREATE TABLE collectionItems (collectionID INT, itemID INT, orderIndex INT, PRIMARY KEY (collectionID, itemID));
CREATE TABLE deletedItems (itemID INTEGER PRIMARY KEY, dateDeleted TEXT);
CREATE TABLE deletedCollections (collectionID INTEGER PRIMARY KEY, dateDeleted TEXT);
"""
_LATER_COLUMNS = (
    "ALTER TABLE itemDataValues ADD COLUMN valueNormalized TEXT",
    "ALTER TABLE tags ADD COLUMN nameNormalized TEXT",
    "ALTER TABLE items ADD COLUMN clientVersion INT NOT NULL DEFAULT 0",
    "ALTER TABLE libraries ADD COLUMN clientVersion INT NOT NULL DEFAULT 0",
)


@dataclass
class Shelf:
    """A library of the made-up Zotero: `group` is the number of the group, None for the person's own."""

    group: int | None = None
    name: str = ""
    items: dict[str, Json] = field(default_factory=dict)
    collections: dict[str, Json] = field(default_factory=dict)
    synced: int = 0
    edits: int = 0

    @property
    def path(self) -> str:
        """Return the beginning of the paths of its objects."""
        return f"groups/{self.group}" if self.group else "users/0"


class FakeZotero:
    """Libraries that tests edit as a person does in Zotero."""

    def __init__(self, version: int = 9, account: int = 4711) -> None:
        self.version, self.account, self.server_id = version, account, "instance-1"
        self.own = Shelf()
        self.groups: dict[int, Shelf] = {}
        self._numbers = count(1)

    @property
    def shelves(self) -> list[Shelf]:
        """Return the person's own library, then the groups."""
        return [self.own, *self.groups.values()]

    def key(self, letter: str) -> str:
        """Return a new key."""
        return f"{letter}{next(self._numbers):07}"

    def add_group(self, number: int, name: str) -> Shelf:
        """Join a group."""
        self.groups[number] = Shelf(number, name)
        return self.groups[number]

    def add_collection(self, name: str, shelf: Shelf | None = None, parent: str = "") -> str:
        """Create a collection, and return its key."""
        shelf, key = shelf or self.own, self.key("C")
        shelf.edits += 1
        shelf.collections[key] = {"key": key, "name": name, "parentCollection": parent or False, "edit": shelf.edits}
        return key

    def add(self, title: str, abstract: str = "", shelf: Shelf | None = None, **data: Any) -> str:
        """Add an item, and return its key. `tags` are names, `authors` pairs of names."""
        shelf, key = shelf or self.own, self.key("I")
        authors = data.pop("authors", [("Ada", "Moss")])
        creators = [{"creatorType": "author", "firstName": first, "lastName": last} for first, last in authors]
        item: Json = {"key": key, "itemType": "journalArticle", "title": title, "abstractNote": abstract}
        item |= {"creators": creators, "tags": [], "collections": []}
        shelf.items[key] = item
        self.edit(key, shelf, **data)
        return key

    def edit(self, key: str, shelf: Shelf | None = None, **data: Any) -> None:
        """Change fields of an item, as a person does: the edit is not synchronized."""
        shelf = shelf or self.own
        if "tags" in data:
            data["tags"] = [{"tag": tag} for tag in data["tags"]]
        shelf.edits += 1
        shelf.items[key] |= data | {"edit": shelf.edits}

    def trash(self, key: str, shelf: Shelf | None = None) -> None:
        """Move an item to the trash."""
        self.edit(key, shelf, deleted=True)

    def drop_collection(self, key: str, shelf: Shelf | None = None) -> None:
        """Delete a collection; its items stay. As in Zotero, their versions do not change."""
        shelf = shelf or self.own
        del shelf.collections[key]
        for item in shelf.items.values():
            item["collections"] = [other for other in item["collections"] if other != key]

    # As a database

    def write(self, directory: Path) -> Path:
        """Write the database of this version of Zotero, and return its file."""
        directory.mkdir(parents=True, exist_ok=True)
        file = directory / "zotero.sqlite"
        file.unlink(missing_ok=True)
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.executescript(_TABLES)
            if self.version >= 10:
                for statement in _LATER_COLUMNS:
                    connection.execute(statement)
            self._fill(connection)
        return file

    def _fill(self, connection: sqlite3.Connection) -> None:
        userdata, compatibility = SCHEMAS[self.version]
        versions = [("userdata", userdata), ("compatibility", compatibility)]
        connection.executemany("INSERT INTO version VALUES (?, ?)", versions)
        connection.execute("INSERT INTO settings VALUES ('account', 'userID', ?)", [self.account])
        connection.execute("INSERT INTO creatorTypes VALUES (1, 'author'), (2, 'editor')")
        connection.execute("INSERT INTO libraries (libraryID, type) VALUES (900, 'feed')")
        for number, shelf in enumerate(self.shelves, start=1):
            connection.execute(
                "INSERT INTO libraries (libraryID, type, version) VALUES (?, ?, ?)",
                [number, "group" if shelf.group else "user", shelf.synced],
            )
            if shelf.group:
                connection.execute("INSERT INTO groups VALUES (?, ?, ?, 1)", [shelf.group, number, shelf.name])
            _fill_library(connection, number, shelf)

    # As a server

    @contextmanager
    def serve(self) -> Iterator[ZoteroServer]:
        """Serve the local API on this machine."""
        with ZoteroServer(self) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
            thread.start()
            yield server
            server.shutdown()
            thread.join()


def _fill_library(connection: sqlite3.Connection, library: int, shelf: Shelf) -> None:
    numbers: dict[str, int] = {}
    for key, collection in shelf.collections.items():
        parent = numbers.get(collection["parentCollection"])
        row = [collection["name"], parent, library, key]
        cursor = connection.execute(
            "INSERT INTO collections (collectionName, parentCollectionID, libraryID, key) VALUES (?, ?, ?, ?)", row
        )
        numbers[key] = cursor.lastrowid or 0
    for item in shelf.items.values():
        _fill_item(connection, library, item, numbers)


def _fill_item(connection: sqlite3.Connection, library: int, item: Json, collections: dict[str, int]) -> None:
    kind = _number(connection, "itemTypes", "typeName", item["itemType"])
    row = [kind, library, item["key"]]
    number = connection.execute("INSERT INTO items (itemTypeID, libraryID, key) VALUES (?, ?, ?)", row).lastrowid
    if item.get("deleted"):
        connection.execute("INSERT INTO deletedItems VALUES (?, '2026-01-01')", [number])
    for name, value in item.items():
        if isinstance(value, str) and value and name not in ("key", "itemType"):
            field_number = _number(connection, "fields", "fieldName", name)
            # Zotero keeps dates in two parts: sortable, and as they were typed.
            stored = f"{value[-4:]}-00-00 {value}" if name == "date" else value
            value_number = _number(connection, "itemDataValues", "value", stored)
            connection.execute("INSERT INTO itemData VALUES (?, ?, ?)", [number, field_number, value_number])
    for order, creator in enumerate(item["creators"]):
        names = [creator["firstName"], creator["lastName"]]
        row_number = connection.execute(
            "INSERT INTO creators (firstName, lastName, fieldMode) VALUES (?, ?, 0)", names
        ).lastrowid
        connection.execute("INSERT INTO itemCreators VALUES (?, ?, 1, ?)", [number, row_number, order])
    for tag in item["tags"]:
        tag_number = _number(connection, "tags", "name", tag["tag"])
        connection.execute("INSERT INTO itemTags VALUES (?, ?, 0)", [number, tag_number])
    for key in item["collections"]:
        connection.execute("INSERT INTO collectionItems VALUES (?, ?, 0)", [collections[key], number])


def _number(connection: sqlite3.Connection, table: str, column: str, value: str) -> int:
    """Return the number of a value in a table, which gets it where it lacks it."""
    query = f"SELECT rowid FROM {table} WHERE {column} = ?"  # noqa: S608 - names of the module
    if row := connection.execute(query, [value]).fetchone():
        return int(row[0])
    cursor = connection.execute(f"INSERT INTO {table} ({column}) VALUES (?)", [value])  # noqa: S608 - as above
    return cursor.lastrowid or 0


class ZoteroServer(ThreadingHTTPServer):
    """The local API. `requests` lists what was asked; `before` is called with every path, and may interfere."""

    def __init__(self, zotero: FakeZotero) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.zotero = zotero
        self.enabled = True
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.before: Callable[[str], None] = lambda _: None

    @property
    def url(self) -> str:
        """Return the address of the API."""
        return f"http://127.0.0.1:{self.server_address[1]}/api"

    def paths(self) -> list[str]:
        """Return the paths that were asked for, without what all lists share."""
        return [path for _, path, _ in self.requests]

    def handle_error(self, *_: Any) -> None:
        """Whoever asked may have given up."""


class _Handler(BaseHTTPRequestHandler):
    server: ZoteroServer

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        parameters = {name: values[0] for name, values in parse_qs(url.query).items()}
        path = url.path.removeprefix("/api/")
        self.server.requests.append((self.command, path, parameters))
        self.server.before(path)
        if not self.server.enabled:
            return self._send(403, b"Local API is not enabled", {})
        shelf = next((shelf for shelf in self.server.zotero.shelves if path.startswith(f"{shelf.path}/")), None)
        if path == "users/0/groups":
            return self._send_list(self._groups(), {}, None)
        if shelf is None:
            return self._send(404, b"Not found", {})
        objects = shelf.collections if path.endswith("/collections") else shelf.items
        values = [self._object(shelf, value) for value in objects.values() if not value.get("deleted")]
        return self._send_list(values, parameters, shelf)

    def do_POST(self) -> None:
        """Refuse, and remember that somebody wanted to write."""
        self.server.requests.append((self.command, self.path, {}))
        self._send(405, b"", {})

    do_PUT = do_PATCH = do_DELETE = do_POST  # noqa: N815 - the names of http.server

    @property
    def _counts_edits(self) -> bool:
        return self.server.zotero.version >= 10

    def _groups(self) -> list[Json]:
        shelves = self.server.zotero.groups.values()
        return [{"id": shelf.group, "version": 1, "data": {"id": shelf.group, "name": shelf.name}} for shelf in shelves]

    def _object(self, shelf: Shelf, value: Json) -> Json:
        data = {name: field for name, field in value.items() if name != "edit"}
        version = value["edit"] if self._counts_edits else value.get("synced", 0)
        owner = (
            {"type": "group", "id": shelf.group} if shelf.group else {"type": "user", "id": self.server.zotero.account}
        )
        return {"key": value["key"], "version": version, "library": owner, "data": data | {"version": version}}

    def _send_list(self, values: list[Json], parameters: dict[str, str], shelf: Shelf | None) -> None:
        if since := int(parameters.get("since", 0)):
            values = [value for value in values if value["version"] > since]
        start = int(parameters.get("start", 0))
        page = values[start : start + int(parameters.get("limit", len(values)) or 0)]
        headers = {"Total-Results": str(len(values)), "Zotero-API-Version": "3"}
        if self._counts_edits:
            headers["Zotero-Server-ID"] = self.server.zotero.server_id
        if shelf:
            headers["Last-Modified-Version"] = str(shelf.edits if self._counts_edits else shelf.synced)
        if parameters.get("format") == "keys":
            return self._send(200, "\n".join(value["key"] for value in page).encode(), headers)
        return self._send(200, json.dumps(page, indent=4).encode(), headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""
