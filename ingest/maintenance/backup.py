"""Back up a library to one file while others read and ingest, and restore it after checking the file.

A backup is a zip archive:

    manifest.json       what it contains, when it was made and by what recipe    catalog.db   a snapshot of the catalog
    conversations.db    the conversations, if there are any                      readings.db  the encodings of papers

Only rows are taken from the databases, and the indexes are rebuilt from them. Nothing in an archive is executed, and
nothing is unpacked to a path that the archive names.
"""

from __future__ import annotations

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

from pydantic import TypeAdapter

from assistant import factory
from assistant.batches import batches
from assistant.encodings import EncodedPaper
from assistant.errors import InputError, LibraryError
from ingest.indexing import CachedEncodings, update_indexes
from ingest.maintenance.embedding_cache import EmbeddingCache
from ingest.report import ProgressCallback

if TYPE_CHECKING:
    from assistant.settings import Settings
    from assistant.storage.catalog import Catalog
    from assistant.storage.conversations import Conversations
    from assistant.storage.library import Indexes, Library

_MANIFEST, _CATALOG, _CONVERSATIONS, _ENCODINGS = "manifest.json", "catalog.db", "conversations.db", "readings.db"
_MEMBERS = frozenset({_MANIFEST, _CATALOG, _CONVERSATIONS, _ENCODINGS})
_LONGEST_MANIFEST = 1 << 20
# How many papers' encodings are copied together.
_BATCH_SIZE = 256
_DAMAGED = "is not a backup of paperchat, or is cut short or damaged"


@dataclass(frozen=True, slots=True)
class _Header:
    """The format and version of a backup, which every version writes."""

    format: str = "paperchat backup"
    version: int = 1


@dataclass(frozen=True, slots=True)
class BackupManifest:
    """The contents of a backup: when it was made (ISO 8601, UTC), how many papers, and the recipe of the encodings."""

    made: str
    papers: int
    recipe: dict[str, Any] | None


_HEADER_JSON, _MANIFEST_JSON = TypeAdapter(_Header), TypeAdapter(BackupManifest)
_OBJECT_JSON = TypeAdapter(dict[str, Any])


def backup(settings: Settings, file: Path, overwrite: bool = False) -> BackupManifest:
    """Write the whole library to a file, which is complete once it exists. Readers and writers need not wait.

    Papers that change meanwhile are included, and are encoded again when the backup is restored. Raise InputError if
    the file cannot be written, and LibraryError if the library cannot be read.
    """
    if file.exists() and not (overwrite and file.is_file()):
        raise InputError(str(file), "exists already; --force overwrites a file")
    partial = file.with_name(f"{file.name}.{secrets.token_hex(4)}.part")
    try:
        with TemporaryDirectory(dir=file.parent, prefix=".paperchat-") as folder:
            manifest = _gather(settings, Path(folder))
            _pack(Path(folder), partial)
        partial.replace(file)
    except (OSError, sqlite3.Error) as error:
        raise InputError(str(file), f"cannot be written: {_reason(error)}") from error
    finally:
        with suppress(OSError):
            partial.unlink()
    return manifest


def inspect(file: Path) -> BackupManifest:
    """Return the manifest of a backup. Raise InputError if the file is not one."""
    with _open_archive(file) as archive:
        return _read_manifest(archive, file)


def restore(settings: Settings, file: Path, progress: ProgressCallback | None = None) -> int:
    """Replace the library and its conversations by a backup, and return how many papers it has.

    A catalog that cannot be opened is moved aside. Raise InputError for a wrong or truncated file, which leaves the
    library unchanged; LibraryBusy; LibraryWriteError. After a later interruption, the papers that are not indexed yet
    are indexed by the next ingest.
    """
    embedder = factory.open_embedder(settings)
    settings.home.mkdir(parents=True, exist_ok=True)
    with factory.database_location(settings).exclusive(), _unpacked(settings, file) as (folder, manifest):
        _replace(settings, folder, file)
        with closing(factory.open_library(settings, embedder, for_repair=True)) as library:
            with _cached_encodings(folder / _ENCODINGS, manifest, library) as cached:
                update_indexes(library, progress, cached)
            return library.catalog.papers.count()


@contextmanager
def _cached_encodings(file: Path, manifest: BackupManifest, library: Library) -> Iterator[CachedEncodings | None]:
    """Yield access to a backup's encodings; None if there are none or the library has another recipe."""
    if manifest.recipe != asdict(library.recipe) or not file.exists():
        yield None
        return
    with closing(EmbeddingCache(file, library.recipe.dimension)) as cache:
        yield lambda papers: cache.get([paper.id for paper in papers])


# Writing


def _gather(settings: Settings, folder: Path) -> BackupManifest:
    """Write the members of the archive to a folder."""
    with closing(factory.open_catalog(settings)) as catalog:
        manifest = _copy_catalog(settings, catalog, folder)
    if settings.database or (settings.home / factory.CONVERSATIONS_FILE).exists():
        with closing(factory.open_conversations(settings)) as conversations:
            conversations.copy_to(folder / _CONVERSATIONS)
    content = asdict(_Header()) | asdict(manifest)
    (folder / _MANIFEST).write_bytes(_OBJECT_JSON.dump_json(content, indent=2))
    return manifest


def _copy_catalog(settings: Settings, catalog: Catalog, folder: Path) -> BackupManifest:
    """Copy the catalog and the encodings of its papers."""
    from assistant.storage.catalog import Catalog

    catalog.copy_to(folder / _CATALOG)
    recipe = factory.stored_recipe(settings, catalog)
    with closing(Catalog(folder / _CATALOG)) as snapshot:
        if recipe and (indexes := factory.open_stored_indexes(settings, catalog)):
            _copy_encodings(snapshot, catalog, indexes, EmbeddingCache(folder / _ENCODINGS, recipe["dimension"]))
        return BackupManifest(datetime.now(UTC).isoformat(timespec="seconds"), snapshot.papers.count(), recipe)


def _copy_encodings(snapshot: Catalog, live: Catalog, indexes: Indexes, cache: EmbeddingCache) -> None:
    with closing(indexes.store), closing(indexes.words), closing(cache):
        cache.create()
        for ids in batches(sorted(snapshot.ledger.indexed_ids()), _BATCH_SIZE):
            vectors, words = indexes.store.vectors(ids), indexes.words.get(ids)
            # Compared after reading: a writer announces a change in the catalog before it changes the indexes.
            unchanged = snapshot.ledger.fingerprints(ids).items() & live.ledger.fingerprints(ids).items()
            complete = [paper_id for paper_id, _ in unchanged if paper_id in vectors and paper_id in words]
            cache.add({paper_id: EncodedPaper(vectors[paper_id], words[paper_id]) for paper_id in complete})


def _pack(folder: Path, file: Path) -> None:
    with file.open("xb") as stream:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name in sorted(_MEMBERS):
                if (folder / name).exists():
                    archive.write(folder / name, name)
        stream.flush()
        os.fsync(stream.fileno())


# Reading


@contextmanager
def _open_archive(file: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive with the members of a backup. Raise InputError for this and any later failure to read it."""
    try:
        with zipfile.ZipFile(file) as archive:
            _check_members(archive, file)
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(str(file), _DAMAGED) from error
    except OSError as error:
        raise InputError(str(file), f"cannot be read: {_reason(error)}") from error


def _check_members(archive: zipfile.ZipFile, file: Path) -> None:
    names = [member.filename for member in archive.infolist()]
    for name in names:
        if name not in _MEMBERS or names.count(name) > 1:
            raise InputError(str(file), f"contains {name!r}, which does not belong in a backup; nothing was restored")
    if not {_MANIFEST, _CATALOG} <= set(names):
        raise InputError(str(file), _DAMAGED)


def _read_manifest(archive: zipfile.ZipFile, file: Path) -> BackupManifest:
    try:
        with archive.open(_MANIFEST) as stream:
            data = stream.read(_LONGEST_MANIFEST)
        content, current = _OBJECT_JSON.validate_json(data), _Header()
        header = _HEADER_JSON.validate_python({name: content.get(name) for name in ("format", "version")})
        if header.format != current.format:
            raise InputError(str(file), _DAMAGED)
        if header.version != current.version:
            raise InputError(str(file), f"is a backup of version {header.version}: upgrade paperchat")
        return _MANIFEST_JSON.validate_python(content)
    except ValueError as error:
        raise InputError(str(file), _DAMAGED) from error


@contextmanager
def _unpacked(settings: Settings, file: Path) -> Iterator[tuple[Path, BackupManifest]]:
    """Unpack the archive to a temporary folder, with every byte checked against the archive's checksums."""
    with TemporaryDirectory(dir=settings.home, prefix=".restoring-", ignore_cleanup_errors=True) as folder:
        with _open_archive(file) as archive:
            manifest = _read_manifest(archive, file)
            size, free = sum(member.file_size for member in archive.infolist()), shutil.disk_usage(folder).free
            if size > free:
                raise InputError(str(file), f"needs {size:,} bytes to be unpacked, {folder} has {free:,}")
            for name in archive.namelist():
                with archive.open(name) as member, (Path(folder) / name).open("xb") as stream:
                    shutil.copyfileobj(member, stream)
        yield Path(folder), manifest


def _open_checked_catalog(folder: Path, file: Path) -> Catalog:
    """Open the archive's catalog after reading all of it. Raise InputError if it is damaged."""
    from assistant.storage.catalog import Catalog

    try:
        catalog = Catalog(folder / _CATALOG)
        try:
            catalog.check()
        except LibraryError:
            catalog.close()
            raise
    except LibraryError as error:
        raise InputError(str(file), f"{_DAMAGED}: {error}") from error
    return catalog


def _open_conversations(folder: Path, file: Path) -> Conversations | None:
    """Open the archive's conversations, if it has any. Raise InputError if they cannot be read."""
    if not (folder / _CONVERSATIONS).exists():
        return None
    from assistant.storage.conversations import Conversations

    try:
        return Conversations(folder / _CONVERSATIONS)
    except LibraryError as error:
        raise InputError(str(file), f"{_DAMAGED}: {error}") from error


def _replace(settings: Settings, folder: Path, file: Path) -> None:
    """Replace catalog and conversations by the archive's after checking both, and empty the indexes."""
    with ExitStack() as stack:
        restored = stack.enter_context(closing(_open_checked_catalog(folder, file)))
        if restored_conversations := _open_conversations(folder, file):
            stack.callback(restored_conversations.close)
        catalog = stack.enter_context(closing(_open_catalog(settings)))
        factory.require_reachable_store(settings, catalog)
        catalog.restore(restored)
        factory.delete_indexes(settings, catalog)
        if restored_conversations:
            conversations = stack.enter_context(closing(factory.open_conversations(settings)))
            conversations.restore(restored_conversations)


def _open_catalog(settings: Settings) -> Catalog:
    """Open the library's catalog; rename a damaged one and create a new one."""
    try:
        return factory.open_catalog(settings)
    except LibraryError:
        if settings.database:
            raise
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                damaged = settings.home / f"{factory.CATALOG_FILE}{suffix}"
                damaged.replace(damaged.with_name(f"{factory.CATALOG_FILE}.damaged{suffix}"))
        return factory.open_catalog(settings)


def _reason(error: OSError | sqlite3.Error) -> str:
    return str(getattr(error, "strerror", None) or error)
