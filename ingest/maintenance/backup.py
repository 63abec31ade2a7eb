"""A library in one file, written while others read and ingest, and checked before it takes the place of another.

A zip archive:

    manifest.json       what it is, when it was made and with what recipe     catalog.db   the catalog at one moment
    conversations.db    the conversations, if there are any                   readings.db  vectors and words of papers

Only rows are taken from its databases, and indexes are built anew from them: nothing in an archive is run or unpacked
to a place that it names itself.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from assistant import factory
from assistant.batches import batches
from assistant.errors import InputError, LibraryError
from assistant.storage.library import Read, lock
from ingest.maintenance.embedding_cache import Readings
from ingest.pipeline import Progress, synchronise

if TYPE_CHECKING:
    from assistant.settings import Settings
    from assistant.storage.catalog import Catalog
    from assistant.storage.conversations import Conversations
    from assistant.storage.library import Indexes

_FORMAT, _VERSION = "paperchat backup", 1
_MANIFEST, _CATALOG, _CONVERSATIONS, _READINGS = "manifest.json", "catalog.db", "conversations.db", "readings.db"
_MEMBERS = frozenset({_MANIFEST, _CATALOG, _CONVERSATIONS, _READINGS})
_LONGEST_MANIFEST = 1 << 20
# Papers whose readings are copied together.
_BATCH = 256
_CUT = "is no backup of paperchat, or is cut short or damaged"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds: when it was made (ISO 8601, UTC), how many papers, and the recipe of its readings."""

    made: str
    papers: int
    recipe: dict[str, Any] | None


def backup(settings: Settings, file: Path, overwrite: bool = False) -> Manifest:
    """Write the library, whole, to a file, which is there whole or not at all. Nothing waits for it.

    Papers that are being changed meanwhile are in it, and are embedded again when it is restored. Raises InputError
    where the file cannot be written, LibraryError where the library cannot be read.
    """
    if file.exists() and not (overwrite and file.is_file()):
        raise InputError(str(file), "exists already; --force overwrites a file")
    part = file.with_name(f"{file.name}.{secrets.token_hex(4)}.part")
    try:
        with TemporaryDirectory(dir=file.parent, prefix=".paperchat-") as folder:
            manifest = _gather(settings, Path(folder))
            _pack(Path(folder), part)
        part.replace(file)
    except (OSError, sqlite3.Error) as error:
        raise InputError(str(file), f"cannot be written: {_reason(error)}") from error
    finally:
        with suppress(OSError):
            part.unlink()
    return manifest


def inspect(file: Path) -> Manifest:
    """What a backup says that it holds. Raises InputError where it is none."""
    with _opened(file) as archive:
        return _manifest(archive, file)


def restore(settings: Settings, file: Path, progress: Progress | None = None) -> int:
    """Put a backup in the place of the library and its conversations; returns how many papers it has.

    A catalog that cannot be opened is moved aside. Raises InputError for a file that is wrong or cut short, and then
    the library is as it was; LibraryBusy; LibraryWriteError. If it is interrupted later, the papers that are not yet
    indexed wait for the next ingest.
    """
    embedder = factory.open_embedder(settings)
    with lock(settings.home), _unpacked(settings, file) as (folder, manifest):
        _replace(settings, folder, file)
        with closing(factory.open_library(settings, embedder, to_mend=True)) as library:
            if manifest.recipe == asdict(library.recipe) and (folder / _READINGS).exists():
                with closing(Readings(folder / _READINGS, library.recipe.dimension)) as readings:
                    synchronise(library, progress, readings.get)
            else:
                synchronise(library, progress)
            return library.catalog.papers.count()


# Writing


def _gather(settings: Settings, folder: Path) -> Manifest:
    """Put together what the archive will hold."""
    from assistant.storage.catalog import Catalog

    with closing(factory.open_catalog(settings.home)) as catalog:
        catalog.copy_to(folder / _CATALOG)
        recipe = factory.held_recipe(settings, catalog)
        with closing(Catalog(folder / _CATALOG)) as snapshot:
            if recipe and (indexes := factory.open_held_indexes(settings, catalog)):
                _copy_readings(snapshot, catalog, indexes, Readings(folder / _READINGS, recipe["dimension"]))
            manifest = Manifest(datetime.now(UTC).isoformat(timespec="seconds"), snapshot.papers.count(), recipe)
    if (settings.home / _CONVERSATIONS).exists():
        with closing(factory.open_conversations(settings.home)) as conversations:
            conversations.copy_to(folder / _CONVERSATIONS)
    said = {"format": _FORMAT, "version": _VERSION, **asdict(manifest)}
    (folder / _MANIFEST).write_text(json.dumps(said, indent=2), encoding="utf-8")
    return manifest


def _copy_readings(snapshot: Catalog, live: Catalog, indexes: Indexes, readings: Readings) -> None:
    with closing(indexes.store), closing(indexes.words), closing(readings):
        readings.begin()
        for ids in batches(sorted(snapshot.ledger.indexed_ids()), _BATCH):
            vectors, words = indexes.store.vectors(ids), indexes.words.get(ids)
            # Compared after reading: whoever changes a paper says so in the catalog before the indexes change.
            same = snapshot.ledger.fingerprints(ids).items() & live.ledger.fingerprints(ids).items()
            whole = [paper_id for paper_id, _ in same if paper_id in vectors and paper_id in words]
            readings.add({paper_id: Read(vectors[paper_id], words[paper_id]) for paper_id in whole})


def _pack(folder: Path, part: Path) -> None:
    with part.open("xb") as stream:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name in sorted(_MEMBERS):
                if (folder / name).exists():
                    archive.write(folder / name, name)
        stream.flush()
        os.fsync(stream.fileno())


# Reading


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, once its members are known to be those of a backup. Raises InputError, whatever goes wrong in it."""
    try:
        with zipfile.ZipFile(file) as archive:
            _refuse_strange(archive, file)
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(str(file), _CUT) from error
    except OSError as error:
        raise InputError(str(file), f"cannot be read: {_reason(error)}") from error


def _refuse_strange(archive: zipfile.ZipFile, file: Path) -> None:
    names = [member.filename for member in archive.infolist()]
    for name in names:
        if name not in _MEMBERS or names.count(name) > 1:
            raise InputError(str(file), f"holds {name!r}, which no backup does; nothing of it was taken")
    if not {_MANIFEST, _CATALOG} <= set(names):
        raise InputError(str(file), _CUT)


def _manifest(archive: zipfile.ZipFile, file: Path) -> Manifest:
    try:
        with archive.open(_MANIFEST) as stream:
            said = json.loads(stream.read(_LONGEST_MANIFEST))
        if said["format"] != _FORMAT:
            raise InputError(str(file), _CUT)
        if said["version"] != _VERSION:
            raise InputError(str(file), f"is a backup of version {said['version']}: upgrade paperchat")
        return Manifest(str(said["made"]), int(said["papers"]), said["recipe"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(str(file), _CUT) from error


@contextmanager
def _unpacked(settings: Settings, file: Path) -> Iterator[tuple[Path, Manifest]]:
    """The archive's databases in a folder of their own, every byte of them checked against its checksum."""
    with TemporaryDirectory(dir=settings.home, prefix=".restoring-", ignore_cleanup_errors=True) as folder:
        with _opened(file) as archive:
            manifest = _manifest(archive, file)
            needed, free = sum(each.file_size for each in archive.infolist()), shutil.disk_usage(folder).free
            if needed > free:
                raise InputError(str(file), f"needs {needed:,} bytes to be unpacked, {folder} has {free:,}")
            for name in archive.namelist():
                with archive.open(name) as member, (Path(folder) / name).open("xb") as stream:
                    shutil.copyfileobj(member, stream)
        yield Path(folder), manifest


def _checked(folder: Path, file: Path) -> Catalog:
    """The archive's catalog. Raises InputError where it cannot be read to its end."""
    from assistant.storage.catalog import Catalog

    try:
        catalog = Catalog(folder / _CATALOG)
        try:
            catalog.check()
        except LibraryError:
            catalog.close()
            raise
    except LibraryError as error:
        raise InputError(str(file), f"{_CUT}: {error}") from error
    return catalog


def _checked_conversations(folder: Path, file: Path) -> Conversations | None:
    """The archive's conversations, if it has any. Raises InputError where they cannot be read."""
    if not (folder / _CONVERSATIONS).exists():
        return None
    try:
        return factory.open_conversations(folder)
    except LibraryError as error:
        raise InputError(str(file), f"{_CUT}: {error}") from error


def _replace(settings: Settings, folder: Path, file: Path) -> None:
    """Take over what the archive holds, once all of it is checked; the indexes are empty then."""
    with ExitStack() as stack:
        restored = stack.enter_context(closing(_checked(folder, file)))
        if conversations := _checked_conversations(folder, file):
            stack.callback(conversations.close)
        catalog = stack.enter_context(closing(_catalog(settings)))
        factory.reach_store(settings, catalog)
        catalog.restore(restored)
        factory.wipe_indexes(settings, catalog)
        if conversations:
            held = stack.enter_context(closing(factory.open_conversations(settings.home)))
            held.restore(conversations)


def _catalog(settings: Settings) -> Catalog:
    """The library's catalog; one that is damaged makes room, and is kept beside it."""
    try:
        return factory.open_catalog(settings.home)
    except LibraryError:
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                damaged = settings.home / f"{factory.CATALOG}{suffix}"
                damaged.replace(damaged.with_name(f"{factory.CATALOG}.damaged{suffix}"))
        return factory.open_catalog(settings.home)


def _reason(error: OSError | sqlite3.Error) -> str:
    return str(getattr(error, "strerror", None) or error)
