"""Collections when something goes wrong: two writers, a kill, a later ingest that merges, a read-only file."""

from __future__ import annotations

import os
import signal
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from assistant import factory
from assistant.errors import LibraryError, NotFoundError
from assistant.schema import EVERYTHING, Annotation, Filters, Selection
from assistant.settings import Settings
from assistant.storage.catalog import Catalog
from assistant.storage.library import Library
from ingest import merging, pipeline
from ingest.maintenance import backup, removal
from tests.fakes import WordHashEmbedder
from tests.processes import exit_code, start
from tests.unit.storage.catalogs import ids, keep, many

_NOBODY = 65534
_ROUNDS = 40
_LAST_PAPER = 2000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "catalog.db"


def add_each(file: Path, first: int, step: int) -> None:
    """Add and tag papers one by one, as another process does at the same time with other ones."""
    with closing(Catalog(file)) as catalog:
        collection = catalog.collections.find("shared")
        for number in range(first, _ROUNDS, step):
            catalog.collections.add(collection.id, [f"{number:06}"])
            catalog.annotations.add_tags("000000", [f"tag {number}"])


def add_all_again_and_again(file: Path) -> None:
    """Put all papers into a collection and take them out again, for ever."""
    with closing(Catalog(file)) as catalog:
        collection = catalog.collections.find("shared")
        papers = [f"{number:06}" for number in range(_LAST_PAPER)]
        while True:
            catalog.collections.add(collection.id, papers)
            catalog.collections.remove(collection.id, papers)


def open_as_nobody(file: Path) -> None:
    """Open a file that this process may read and not write; nothing but one clear error is expected."""
    os.setuid(_NOBODY)
    with pytest.raises(LibraryError, match=r"catalog\.db cannot be opened"):
        Catalog(file)


def test_two_processes_that_write_lose_nothing(file: Path) -> None:
    with closing(Catalog(file)) as catalog:
        keep(catalog, *many(_ROUNDS))
        catalog.collections.create("shared")
        writers = [start(add_each, file, first, 2) for first in range(2)]
        for writer in writers:
            writer.join(120)
        assert [writer.exitcode for writer in writers] == [0, 0]
        assert catalog.collections.find("shared").papers == _ROUNDS
        assert len(catalog.annotations.of("000000").tags) == _ROUNDS


def test_a_process_killed_in_the_middle_has_added_all_papers_or_none(file: Path) -> None:
    with closing(Catalog(file)) as catalog:
        keep(catalog, *many(_LAST_PAPER))
        collection = catalog.collections.create("shared")
        writer = start(add_all_again_and_again, file)
        while catalog.collections.find("shared").papers == 0:
            assert writer.is_alive()
            time.sleep(0.001)
        writer.kill()
        writer.join()
        assert writer.exitcode == -signal.SIGKILL
        assert catalog.collections.find("shared").papers in (0, _LAST_PAPER)
        catalog.collections.add(collection.id, ["000000"])
        catalog.check()


def test_papers_that_a_later_ingest_merges_stay_in_their_collection_and_unmerging_restores_it(
    library: Library, tmp_path: Path
) -> None:
    catalog = library.catalog
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    first.write_text('{"title": "Bees dance for flowers", "abstract": "Bees tell where flowers are by a dance."}\n')
    pipeline.ingest([first], library)
    [before] = catalog.papers.all()
    catalog.collections.create("Bees", [before.id])
    catalog.annotations.set_note(before.id, "read")
    text = (
        '{"title": "Bees dance for flowers", "abstract": "Bees tell where flowers are by a dance.", "doi": "10.1234/b"}'
    )
    second.write_text(text + "\n")
    pipeline.ingest([second], library)
    [merged] = catalog.papers.all()
    assert merged.id != before.id
    assert list(catalog.papers.all(Selection(Filters(collections=("bees",))))) == [merged]
    assert catalog.annotations.of(merged.id) == Annotation(note="read", collections=("Bees",))
    merging.unmerge(library, merged.id)
    assert catalog.papers.count() == 2
    assert catalog.collections.find("bees").papers == 1
    removal.remove_source(library, "a.jsonl")
    removal.remove_source(library, "b.jsonl")
    assert catalog.collections.find("bees").papers == 0


def test_a_backup_has_collections_tags_and_notes(
    library: Library, settings: Settings, papers_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(factory, "open_embedder", lambda _: WordHashEmbedder())
    pipeline.ingest([papers_file], library)
    paper = next(library.catalog.papers.all())
    library.catalog.collections.create("<b>Best</b>", [paper.id])
    library.catalog.annotations.set_tags(paper.id, ["to read"])
    library.catalog.annotations.set_note(paper.id, "a\nb")
    expected = library.catalog.annotations.of(paper.id)
    backup.backup(settings, tmp_path / "saved.zip")
    elsewhere = settings.model_copy(update={"home": tmp_path / "elsewhere"})
    assert backup.restore(elsewhere, tmp_path / "saved.zip") == 3
    with closing(factory.open_catalog(elsewhere)) as restored:
        assert restored.annotations.of(paper.id) == expected
        assert restored.collections.find("<B>best</B>").papers == 1


@pytest.fixture
def old_read_only_file(file: Path) -> Iterator[Path]:
    """A library without the tables, where everybody may read and nobody write."""
    with closing(Catalog(file)) as catalog:
        keep(catalog, *many(2))
    with closing(sqlite3.connect(file)) as connection:
        for table in ("collections", "members", "tags", "notes"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "catalog.db"
        copy.write_bytes(file.read_bytes())
        copy.chmod(0o444)
        Path(folder).chmod(0o555)
        yield copy
        Path(folder).chmod(0o755)


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="only root may become somebody else")
def test_an_older_library_that_may_only_be_read_is_one_error_and_stays_as_it_is(old_read_only_file: Path) -> None:
    before = old_read_only_file.read_bytes()
    assert exit_code(open_as_nobody, old_read_only_file) == 0
    assert old_read_only_file.read_bytes() == before


def test_an_older_library_gets_the_tables_beside_a_process_that_reads_it(file: Path) -> None:
    with closing(Catalog(file)) as catalog:
        keep(catalog, *many(2))
        with closing(sqlite3.connect(file)) as connection:
            for table in ("collections", "members", "tags", "notes"):
                connection.execute(f"DROP TABLE {table}")
        with closing(Catalog(file)) as newer:
            newer.collections.create("few", ids(many(1)))
        assert catalog.collections.find("few").papers == 1
        assert catalog.papers.count() == 2


def test_a_paper_deleted_by_another_process_leaves_the_collection_at_once(file: Path) -> None:
    few = Filters(collections=("few",))
    with closing(Catalog(file)) as catalog, closing(Catalog(file)) as other:
        keep(catalog, *many(3))
        catalog.collections.create("few", ids(many(3)))
        assert catalog.papers.allowed_ids(few, EVERYTHING) == set(ids(many(3)))
        other.delete(["000001"])
        assert catalog.papers.allowed_ids(few, EVERYTHING) == {"000000", "000002"}
        with pytest.raises(NotFoundError):
            catalog.annotations.set_tags("000001", ["late"])
