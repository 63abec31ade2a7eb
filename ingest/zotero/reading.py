"""Choose how Zotero is read: by its local API while it runs, otherwise from its database."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from assistant.errors import InputError
from assistant.settings import Settings
from ingest.sources.http_client import HttpClient, RequestPolicy, ServiceError
from ingest.zotero.database import FILE, ZoteroDatabase
from ingest.zotero.items import ZoteroReader
from ingest.zotero.local_api import LocalApi

# Zotero answers at once, except where it still loads a large library.
_POLICY = RequestPolicy(pause=0.0, timeout=60.0, deadline=300.0, attempts=2, max_bytes=1 << 28)
_FORBIDDEN = 403
_DATA_DIRECTORY = re.compile(r'user_pref\("extensions\.zotero\.dataDir", "((?:[^"\\]|\\.)+)"\);')
_PROFILES = {
    "linux": "~/.zotero/zotero/*/prefs.js",
    "darwin": "~/Library/Application Support/Zotero/Profiles/*/prefs.js",
    "win32": "~/AppData/Roaming/Zotero/Zotero/Profiles/*/prefs.js",
}
_ABSENT = (
    "Zotero does not run, and there is no database in {}: start Zotero, with Settings > Advanced > Allow other "
    "applications on this computer to communicate with Zotero, or name its data directory in PAPERCHAT_ZOTERO_DIRECTORY"
)
_REFUSED = (
    "Zotero runs, but lets no other program read it: in Zotero, switch on Settings > Advanced > Allow other "
    "applications on this computer to communicate with Zotero"
)


@contextmanager
def open_zotero(settings: Settings) -> Iterator[ZoteroReader]:
    """Yield the reader of a running Zotero, or else of its database. Raise InputError where there is neither."""
    with HttpClient(f"paperchat/{version('paperchat')}", _POLICY, proxies=False) as client:
        api = LocalApi(client, settings.zotero_url)
        try:
            api.libraries()
        except ServiceError as error:
            yield _database(settings, error)
        else:
            yield api


def data_directory(settings: Settings) -> Path | None:
    """Return Zotero's data directory: of the settings, of a profile of Zotero, or the usual one; None without any."""
    if settings.zotero_directory is not None:
        return settings.zotero_directory
    candidates = [*_profile_directories(), Path("~/Zotero").expanduser()]
    return next((path for path in candidates if (path / FILE).is_file()), None)


def _database(settings: Settings, error: ServiceError) -> ZoteroDatabase:
    directory = data_directory(settings)
    if directory is not None and (directory / FILE).is_file():
        return ZoteroDatabase(directory / FILE)
    reason = _REFUSED if error.status == _FORBIDDEN else _ABSENT.format(directory or Path("~/Zotero").expanduser())
    raise InputError("zotero", reason) from error


def _profile_directories() -> Iterator[Path]:
    """Yield the data directories that profiles of Zotero name, the most recently used profile first."""
    pattern = _PROFILES.get(sys.platform, _PROFILES["linux"])
    home, _, below = pattern.partition("/")
    profiles = [file for file in Path(home).expanduser().glob(below) if os.access(file, os.R_OK)]
    for file in sorted(profiles, key=lambda file: file.stat().st_mtime, reverse=True):
        if match := _DATA_DIRECTORY.search(file.read_text("utf-8", "replace")):
            yield Path(re.sub(r"\\(.)", r"\1", match[1]))
