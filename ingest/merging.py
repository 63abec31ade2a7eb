"""Merging by hand: taking a paper apart that is really several, and joining what was taken apart."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from assistant.errors import InputError
from assistant.schema import Paper
from assistant.storage.library import Library
from assistant.storage.records import StoredRecord
from ingest import identity
from ingest.pipeline import synchronise


def unmerge(library: Library, paper_id: str, source: str | None = None) -> list[Paper]:
    """Set apart what one source says of a paper, or, without one, what each says; returns the papers, the first left.

    What is set apart stays so: later records are merged with the paper that was left. `paper_id` is a whole one.
    Raises InputError where there is nothing to take apart, LibraryBusy, LibraryWriteError.
    """
    with library.writing():
        left, *others = _parts(library.catalog.records.of_papers([paper_id]), source, paper_id)
        first = identity.merge([each.record for each in left])
        if library.catalog.records.is_kept_separate(paper_id):
            first = identity.apart([each.record for each in left])
        parts = {first: [each.number for each in left]}
        parts |= {identity.apart([each.record for each in part]): [each.number for each in part] for part in others}
        library.catalog.split(paper_id, parts, separate=[each.number for part in others for each in part])
        synchronise(library)
        return list(parts)


def merge(library: Library, paper_ids: Collection[str]) -> Paper:
    """Make one paper of several, whether or not they were one before. The ids are whole ones.

    Raises InputError for a single paper, LibraryBusy, LibraryWriteError.
    """
    if len(set(paper_ids)) < 2:
        raise InputError("merge", "give the ids of two papers or more")
    with library.writing():
        paper = identity.merge([each.record for each in library.catalog.records.of_papers(paper_ids)])
        library.catalog.merge(paper, paper_ids)
        synchronise(library)
        return paper


def _parts(held: Sequence[StoredRecord], source: str | None, paper_id: str) -> list[list[StoredRecord]]:
    """The records in the groups that are to be papers, the one that is left first."""
    sources = sorted({each.record.source for each in held})
    if source is not None:
        groups = [[each for each in held if (each.record.source == source) is apart] for apart in (False, True)]
    elif len(sources) > 1:
        groups = [[each for each in held if each.record.source == name] for name in sources]
    else:
        groups = [[each] for each in held]
    if len(groups) < 2 or not all(groups):
        known = ", ".join(map(repr, sources))
        raise InputError(paper_id, f"cannot be taken apart like that: its {len(held)} records are from {known}")
    return groups if source is not None else sorted(groups, key=lambda group: (-len(group), group[0].number))
