"""Find the papers of the library that records describe, without adding anything."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.schema import Record
from assistant.storage.catalog import Catalog
from ingest import identity


def known_papers(records: Sequence[Record], catalog: Catalog) -> list[tuple[str, ...]]:
    """Return for each record the ids of the library's papers that it describes, usually one or none.

    A paper is known by DOI, arXiv id, title with authors, or abstract, as by an ingest. Raises LibraryError.
    """
    keys = [identity.match_keys(record) for record in records]
    stored = catalog.records.matching(frozenset().union(*keys))
    return [
        tuple(
            sorted(
                {
                    match.paper_id
                    for key in record_keys
                    for match in stored.get(key, ())
                    if identity.same_paper(record, match.record)
                }
            )
        )
        for record, record_keys in zip(records, keys, strict=True)
    ]
