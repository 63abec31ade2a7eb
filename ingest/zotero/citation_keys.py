"""Read the citation keys that Better BibTeX has given to items, from its own database beside Zotero's.

Zotero 8 and later have a field for the key, and a key that a person has set is in the field Extra; both come with the
item. The database has those that Better BibTeX made by itself.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from assistant.errors import InputError
from ingest.zotero.database_file import open_database

FILE = "better-bibtex.sqlite"
_KEYS = "SELECT itemKey, citationKey FROM citationkey"
# Versions before 6.7 kept a JSON object in one cell.
_JSON_KEYS = "SELECT data FROM \"better-bibtex\" WHERE name = 'better-bibtex.citekey'"


def citation_keys(directory: Path | None) -> dict[str, str] | None:
    """Return the citation keys of items by the items' keys; none where Better BibTeX is absent, None where it is busy.

    A key that two libraries share is left out: the database of a running Zotero does not tell them apart.
    """
    if directory is None or not (directory / FILE).is_file():
        return {}
    try:
        with open_database(directory / FILE) as connection:
            pairs = list(dict.fromkeys(_pairs(connection)))
    except InputError:  # the keys are a convenience: new papers come without them, and with them the next time
        return None
    counts = Counter(key for key, _ in pairs)
    return {key: citation_key for key, citation_key in pairs if counts[key] == 1 and citation_key}


def _pairs(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    tables = {row["name"] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "citationkey" in tables:
        yield from ((str(row["itemKey"]), str(row["citationKey"])) for row in connection.execute(_KEYS))
    elif "better-bibtex" in tables:
        for row in connection.execute(_JSON_KEYS):
            yield from _json_pairs(row["data"])


def _json_pairs(text: str) -> Iterator[tuple[str, str]]:
    try:
        values = json.loads(text)["data"]
        yield from ((str(value["itemKey"]), str(value["citekey"])) for value in values)
    except (ValueError, KeyError, TypeError):
        return
