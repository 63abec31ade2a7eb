"""Correct the merging by hand: split a paper that is really several, and merge papers that are really one."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from assistant.errors import InputError
from assistant.schema import Paper, Record
from assistant.storage.library import Library
from assistant.storage.records import StoredRecord
from ingest import identity
from ingest.indexing import update_indexes


def unmerge(library: Library, paper_id: str, source: str | None = None) -> list[Paper]:
    """Split off the records of one source, or without a source, those of every source but the largest.

    Return the papers, the remaining one first. Records that were split off stay separate; later records merge only
    with the remaining paper. `paper_id` must be a full id. Raise InputError if the paper cannot be split, LibraryBusy
    or LibraryWriteError.
    """
    with library.writing():
        remaining, *others = _groups(library.catalog.records.of_papers([paper_id]), source, paper_id)
        is_separate = library.catalog.records.is_kept_separate(paper_id)
        merge_remaining = identity.merge_separately if is_separate else identity.merge
        parts = {merge_remaining(_records(remaining)): _numbers(remaining)}
        parts |= {identity.merge_separately(_records(group)): _numbers(group) for group in others}
        library.catalog.split(paper_id, parts, separate=[number for group in others for number in _numbers(group)])
        update_indexes(library)
        return list(parts)


def merge(library: Library, paper_ids: Collection[str]) -> Paper:
    """Merge papers into one and return it, whether or not they were one paper before. The ids must be full ids.

    Raise InputError for fewer than two papers, LibraryBusy or LibraryWriteError.
    """
    if len(set(paper_ids)) < 2:
        raise InputError("merge", "give the ids of two papers or more")
    with library.writing():
        paper = identity.merge(_records(library.catalog.records.of_papers(paper_ids)))
        library.catalog.merge(paper, paper_ids)
        update_indexes(library)
        return paper


def _groups(stored: Sequence[StoredRecord], source: str | None, paper_id: str) -> list[list[StoredRecord]]:
    """Return the records grouped by their future papers, the remaining paper's first. Raise InputError if only one."""
    by_source: dict[str, list[StoredRecord]] = {}
    for record in stored:
        by_source.setdefault(record.record.source, []).append(record)
    if source is not None:
        others = [record for record in stored if record.record.source != source]
        groups = [others, by_source.get(source, [])]
    else:
        groups = list(by_source.values()) if len(by_source) > 1 else [[record] for record in stored]
        groups.sort(key=lambda group: (-len(group), group[0].number))
    if len(groups) < 2 or not all(groups):
        sources = ", ".join(map(repr, sorted(by_source)))
        raise InputError(paper_id, f"cannot be split like that: its {len(stored)} records are from {sources}")
    return groups


def _records(stored: Sequence[StoredRecord]) -> list[Record]:
    return [record.record for record in stored]


def _numbers(stored: Sequence[StoredRecord]) -> list[int]:
    return [record.number for record in stored]
