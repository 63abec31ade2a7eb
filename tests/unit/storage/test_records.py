"""The records of the catalog: known again, and numbered by runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from assistant.schema import Record
from assistant.storage.catalog import Catalog
from tests.unit.storage.catalogs import BARE, FULL, change


def test_a_record_is_held_wherever_in_its_file_it_stands(catalog: Catalog) -> None:
    record = Record("An abstract.", source="a.txt", line=3)
    moved = Record("An abstract.", source="a.txt", line=9)
    elsewhere = Record("An abstract.", source="b.txt", line=3)
    catalog.put([change(BARE, record=record)], run=1)
    assert catalog.records.existing([moved, elsewhere]) == {moved}


def test_runs_are_numbered_upwards_across_reopening(catalog: Catalog, reopen: Callable[[], Catalog]) -> None:
    assert [catalog.records.next_run(), catalog.records.next_run(), reopen().records.next_run()] == [1, 2, 3]


MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)


def test_papers_are_found_by_the_time_of_their_first_record(catalog: Catalog) -> None:
    catalog.put([change(BARE, record=Record("Bare.", source="a.txt"))], 1, MONDAY)
    again, new = Record("Bare again.", source="b.txt"), Record("Full.", source="b.txt")
    catalog.put([change(BARE, record=again), change(FULL, record=new)], 2, TUESDAY)
    assert catalog.records.added_at([BARE.id, FULL.id, "unknown"]) == {BARE.id: MONDAY, FULL.id: TUESDAY}
    assert catalog.records.added_within(MONDAY, TUESDAY) == {BARE.id}
    assert catalog.records.added_within(MONDAY, TUESDAY + timedelta(seconds=1)) == {BARE.id, FULL.id}
    assert catalog.records.added_within(TUESDAY + timedelta(seconds=1), TUESDAY + timedelta(days=1)) == frozenset()


def test_the_number_of_a_deleted_record_takes_no_old_time_along(catalog: Catalog) -> None:
    catalog.put([change(BARE, record=Record("Bare.", source="a.txt"))], 1, MONDAY)
    catalog.delete([BARE.id])
    catalog.put([change(FULL, record=Record("Full.", source="a.txt"))], 2, TUESDAY)
    assert catalog.records.added_at([FULL.id]) == {FULL.id: TUESDAY}
