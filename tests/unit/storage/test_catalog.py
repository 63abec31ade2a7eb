"""The catalog: what is written is kept whole, and a file that cannot be read is a clear error."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from assistant.errors import LibraryError, LibraryWriteError, NotFoundError
from assistant.schema import Paper, Record
from assistant.storage.catalog import Catalog
from tests.unit.storage.catalogs import BARE, FULL, change, ids, keep, many


def test_it_is_one_file_in_wal_mode_made_with_its_folder(catalog: Catalog, file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_new_catalog_holds_nothing(catalog: Catalog) -> None:
    assert catalog.papers.count() == catalog.ledger.pending_count() == catalog.ledger.generation == 0
    assert list(catalog.papers.all()) == catalog.ledger.pending(10) == catalog.papers.get(["00ff"]) == []
    assert catalog.ledger.stale_ids() == []


def test_every_field_of_a_paper_survives_reopening(catalog: Catalog, reopen: Callable[[], Catalog]) -> None:
    keep(catalog, FULL, BARE)
    catalog.close()
    again = reopen()
    assert list(again.papers.all()) == [FULL, BARE]
    assert again.papers.count() == 2
    assert again.ledger.generation == 1


def test_putting_a_paper_again_replaces_it(catalog: Catalog) -> None:
    keep(catalog, FULL)
    newer = Paper(id=FULL.id, abstract="A new abstract.")
    keep(catalog, newer)
    assert list(catalog.papers.all()) == [newer]


def test_a_deleted_paper_is_gone_and_its_id_is_stale(catalog: Catalog) -> None:
    keep(catalog, FULL, BARE)
    catalog.delete([FULL.id, "nobody"])
    assert list(catalog.papers.all()) == [BARE]
    assert catalog.ledger.stale_ids() == [FULL.id]
    with pytest.raises(NotFoundError):
        catalog.papers.find(FULL.id)
    catalog.ledger.mark_removed([FULL.id])
    assert catalog.ledger.stale_ids() == []


def test_deleting_a_paper_deletes_its_records_match_keys_and_former_ids(catalog: Catalog) -> None:
    record = Record("An abstract.", source="a.txt", line=3)
    keep(catalog, FULL)
    catalog.put([change(BARE, FULL.id, record=record)], run=2)
    catalog.ledger.mark_indexed([BARE])
    assert catalog.records.existing([record]) == {record}
    assert [each.record for each in catalog.records.matching(["key An abstract."])["key An abstract."]] == [record]
    catalog.delete([BARE.id])
    assert catalog.records.existing([record]) == set()
    assert catalog.records.matching(["key An abstract."]) == {}
    assert catalog.records.of_papers([BARE.id]) == []
    with pytest.raises(NotFoundError):
        catalog.papers.find(FULL.id)


def test_more_papers_than_a_statement_has_parameters_are_deleted_in_one_call(catalog: Catalog) -> None:
    papers = many(1100)
    keep(catalog, *papers)
    catalog.delete(ids(papers))
    assert catalog.papers.count() == 0
    assert len(catalog.ledger.stale_ids()) == 1100


def test_a_change_that_fails_leaves_nothing_of_its_batch(catalog: Catalog) -> None:
    record = Record("Of two papers at once.")
    with pytest.raises(LibraryWriteError, match="cannot be written"):
        catalog.put([change(FULL, record=record), change(BARE, record=record)], run=1)
    assert catalog.ledger.pending_count() == 0
    assert catalog.records.existing([record]) == set()


def test_a_reader_beside_a_writer_sees_what_was_committed(catalog: Catalog, reopen: Callable[[], Catalog]) -> None:
    reader = reopen()
    keep(catalog, FULL)
    assert list(reader.papers.all()) == [FULL]


def test_a_catalog_of_a_newer_version_is_refused_with_the_cure(catalog: Catalog, file: Path) -> None:
    catalog.close()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE facts SET value = 2 WHERE name = 'version'")
    with pytest.raises(LibraryError, match=r"version 2.*upgrade paperchat"):
        Catalog(file)


def test_a_file_that_is_no_catalog_is_refused_and_left_alone(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"this is no database" * 100)
    with pytest.raises(LibraryError, match=r"catalog\.db cannot be opened: .*not a database"):
        Catalog(file)
    assert file.read_bytes() == b"this is no database" * 100


def test_damage_inside_the_file_is_a_library_error_wherever_it_is_met(
    catalog: Catalog, file: Path, reopen: Callable[[], Catalog]
) -> None:
    keep(catalog, *many(500))
    catalog.close()
    content = file.read_bytes()
    half = len(content) // 2
    file.write_bytes(content[:half] + b"\xa5" * (len(content) - half))
    damaged = reopen().papers
    for read in (
        lambda: list(damaged.all()),
        lambda: damaged.get(ids(many(500))),
        lambda: damaged.find("000400"),
    ):
        with pytest.raises(LibraryError, match="catalog"):
            read()


def test_a_folder_that_cannot_be_made_is_a_library_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(LibraryError, match="cannot be opened"):
        Catalog(tmp_path / "file" / "catalog.db")
