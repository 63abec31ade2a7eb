"""Remove papers from a library: whole papers, or the records of one source."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from assistant.storage.catalog import Catalog
from assistant.storage.library import Library
from assistant.storage.records import StoredRecord
from ingest import identity
from ingest.indexing import update_indexes


def remove_papers(library: Library, paper_ids: Collection[str]) -> None:
    """Remove papers from the catalog and from every index. Raise LibraryBusy or LibraryWriteError."""
    with library.writing():
        library.catalog.delete(paper_ids)
        update_indexes(library)


def remove_source(library: Library, source: str) -> None:
    """Remove the records of a source. Papers keep the records of other sources, merged as if this one never existed.

    Raise LibraryBusy or LibraryWriteError.
    """
    with library.writing():
        exclusive, shared = library.catalog.records.papers_from(source)
        library.catalog.delete(exclusive)
        for paper_id in shared:
            _remove_records(library.catalog, paper_id, source)
        update_indexes(library)


def _remove_records(catalog: Catalog, paper_id: str, source: str) -> None:
    """Remove a source's records from a paper, and split the paper where only they joined the others."""
    stored = catalog.records.of_papers([paper_id])
    removed = [record.number for record in stored if record.record.source == source]
    remaining = [record for record in stored if record.record.source != source]
    is_separate = catalog.records.is_kept_separate(paper_id)
    merge = identity.merge_separately if is_separate else identity.merge
    groups = [remaining] if is_separate else _same_paper_groups(remaining)
    parts = {merge([record.record for record in group]): [record.number for record in group] for group in groups}
    catalog.split(paper_id, parts, dropped=removed)


def _same_paper_groups(stored: Sequence[StoredRecord]) -> list[list[StoredRecord]]:
    """Return the records grouped by paper, the largest group first."""
    from scipy.cluster.hierarchy import DisjointSet

    groups = DisjointSet(range(len(stored)))
    for index, record in enumerate(stored):
        for earlier in range(index):
            if identity.same_paper(record.record, stored[earlier].record):
                groups.merge(index, earlier)
    parts = [[stored[index] for index in sorted(group)] for group in groups.subsets()]
    return sorted(parts, key=lambda part: (-len(part), part[0].number))
