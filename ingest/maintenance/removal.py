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
        drop_records(library.catalog, library.catalog.records.of_source(source))
        update_indexes(library)


def drop_records(catalog: Catalog, dropped: Collection[StoredRecord]) -> int:
    """Remove records from the catalog, with the papers that have no others, and return the number of those papers.

    A paper is split where only a removed record joined the others. The caller holds the library for writing.
    """
    numbers = {stored.number for stored in dropped}
    paper_ids = sorted({stored.paper_id for stored in dropped})
    by_paper: dict[str, list[StoredRecord]] = {paper_id: [] for paper_id in paper_ids}
    for stored in catalog.records.of_papers(paper_ids):
        by_paper[stored.paper_id].append(stored)
    empty = [paper_id for paper_id, stored in by_paper.items() if numbers.issuperset(item.number for item in stored)]
    catalog.delete(empty)
    for paper_id in by_paper.keys() - set(empty):
        _split(catalog, paper_id, by_paper[paper_id], numbers)
    return len(empty)


def _split(catalog: Catalog, paper_id: str, stored: Sequence[StoredRecord], dropped: Collection[int]) -> None:
    """Remove records from a paper that keeps others, and split it where only they joined these."""
    remaining = [record for record in stored if record.number not in dropped]
    is_separate = catalog.records.is_kept_separate(paper_id)
    merge = identity.merge_separately if is_separate else identity.merge
    groups = [remaining] if is_separate else _same_paper_groups(remaining)
    parts = {merge([record.record for record in group]): [record.number for record in group] for group in groups}
    removed = [record.number for record in stored if record.number in dropped]
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
