"""The records of the catalog: known again, and numbered by runs."""

from __future__ import annotations

from collections.abc import Callable

from assistant.schema import Record
from assistant.storage.catalog import Catalog
from tests.unit.storage.catalogs import BARE, change


def test_a_record_is_held_wherever_in_its_file_it_stands(catalog: Catalog) -> None:
    record = Record("An abstract.", source="a.txt", line=3)
    moved = Record("An abstract.", source="a.txt", line=9)
    elsewhere = Record("An abstract.", source="b.txt", line=3)
    catalog.put([change(BARE, record=record)], run=1)
    assert catalog.records.existing([moved, elsewhere]) == {moved}


def test_runs_are_numbered_upwards_across_reopening(catalog: Catalog, reopen: Callable[[], Catalog]) -> None:
    assert [catalog.records.next_run(), catalog.records.next_run(), reopen().records.next_run()] == [1, 2, 3]
