"""The index ledger: which papers the indexes hold, lack, or should no longer hold."""

from __future__ import annotations

from assistant.schema import Paper
from assistant.storage.catalog import Catalog
from tests.unit.storage.catalogs import BARE, FULL, change, keep


def test_papers_that_wait_are_not_counted_as_indexed(catalog: Catalog) -> None:
    keep(catalog, FULL)
    catalog.put([change(BARE)], run=1)
    assert catalog.ledger.indexed_count() == 1


def test_pending_are_papers_that_are_new_or_have_changed(catalog: Catalog) -> None:
    keep(catalog, FULL)
    changed = Paper(id=FULL.id, abstract=FULL.abstract, title="Another title")
    catalog.put([change(changed), change(BARE)], run=2)
    assert catalog.ledger.pending(10) == [changed, BARE]
    assert catalog.ledger.pending(1) == [changed]
    assert catalog.ledger.pending(1, after=changed.id) == [BARE]
    assert catalog.ledger.pending(1, after=BARE.id) == []
    assert catalog.ledger.pending_count() == 2
    assert catalog.papers.count() == 1, "the paper stays in sight while its new version waits"
    catalog.ledger.mark_indexed([changed, BARE])
    assert catalog.ledger.pending_count() == 0


def test_writing_the_same_paper_again_leaves_nothing_pending(catalog: Catalog) -> None:
    keep(catalog, FULL)
    catalog.put([change(FULL)], run=2)
    assert catalog.ledger.pending(10) == []


def test_the_id_of_an_absorbed_paper_is_stale(catalog: Catalog) -> None:
    keep(catalog, FULL)
    catalog.put([change(BARE, FULL.id)], run=2)
    assert catalog.ledger.stale_ids() == [FULL.id]


def test_the_generation_grows_with_each_change_of_the_indexes_only(catalog: Catalog) -> None:
    catalog.put([change(FULL)], run=1)
    assert catalog.ledger.generation == 0
    catalog.ledger.mark_indexed([FULL])
    assert catalog.ledger.generation == 1
    catalog.ledger.mark_removed([FULL.id])
    assert catalog.ledger.generation == 2
    catalog.ledger.clear()
    assert catalog.ledger.generation == 3


def test_clearing_makes_every_paper_pending(catalog: Catalog) -> None:
    keep(catalog, FULL, BARE)
    catalog.ledger.clear()
    assert catalog.papers.count() == 0
    assert catalog.ledger.pending(10) == [FULL, BARE]
