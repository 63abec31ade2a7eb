"""Taking papers out of the library: whole papers, or what one source said of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from scipy.cluster.hierarchy import DisjointSet

from assistant.storage.catalog import Catalog
from assistant.storage.library import Library
from assistant.storage.records import StoredRecord
from ingest import identity
from ingest.pipeline import synchronise


def remove(library: Library, paper_ids: Collection[str]) -> None:
    """Forget papers, in the catalog and in every index. Raises LibraryBusy and LibraryWriteError."""
    with library.writing():
        library.catalog.delete(paper_ids)
        synchronise(library)


def remove_source(library: Library, source: str) -> None:
    """Forget what a source said. What other sources say of the same papers stays, as if this one had never been.

    Raises LibraryBusy and LibraryWriteError.
    """
    with library.writing():
        alone, shared = library.catalog.records.papers_from(source)
        library.catalog.delete(alone)
        for paper_id in shared:
            _without(library.catalog, paper_id, source)
        synchronise(library)


def _without(catalog: Catalog, paper_id: str, source: str) -> None:
    held = catalog.records.of_papers([paper_id])
    kept = [each for each in held if each.record.source != source]
    dropped = [each.number for each in held if each.record.source == source]
    if catalog.records.is_kept_separate(paper_id):
        separate = {identity.apart([each.record for each in kept]): [each.number for each in kept]}
        catalog.split(paper_id, separate, dropped=dropped)
        return
    parts = {identity.merge([each.record for each in part]): [each.number for each in part] for part in _parts(kept)}
    catalog.split(paper_id, parts, dropped=dropped)


def _parts(held: Sequence[StoredRecord]) -> list[list[StoredRecord]]:
    """The records by paper, the largest group first: what joined them may be gone."""
    groups = DisjointSet(range(len(held)))
    for place, each in enumerate(held):
        for other in range(place):
            if identity.same_paper(each.record, held[other].record):
                groups.merge(place, other)
    parts = [[held[place] for place in sorted(group)] for group in groups.subsets()]
    return sorted(parts, key=lambda part: (-len(part), part[0].number))
