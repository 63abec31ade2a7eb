"""Group new records by paper: with each other, and with the records that the catalog already has of the same papers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from assistant.schema import Record
from assistant.storage.catalog import Catalog, PaperChange
from assistant.storage.records import StoredRecord
from ingest import identity
from ingest.report import IngestReport

MatchKeys = frozenset[str]


@dataclass(frozen=True, slots=True)
class RecordGroup:
    """The records of one paper: new ones with their match keys, and stored ones, possibly of several stored papers."""

    new: Mapping[Record, MatchKeys]
    stored: Sequence[StoredRecord]

    def change(self, run: int) -> PaperChange:
        """Return the change that makes one paper of the group, in this ingest run."""
        superseded = self._superseded(run)
        remaining = [stored.record for stored in self.stored if stored.number not in superseded]
        paper = identity.merge([*remaining, *self.new])
        return PaperChange(paper, self.new, superseded, frozenset(stored.paper_id for stored in self.stored))

    def counts(self, run: int) -> IngestReport:
        """Return how many of the new records add a paper, update a record or are merged into a paper."""
        added = int(not self.stored)
        updated = min(len(self.new), len(self._superseded(run)))
        return IngestReport(added=added, updated=updated, merged=len(self.new) - added - updated)

    def _superseded(self, run: int) -> frozenset[int]:
        """Return the numbers of stored records whose source was read in this run without containing them."""
        sources = {record.source for record in self.new}
        return frozenset(
            stored.number for stored in self.stored if stored.record.source in sources and stored.run < run
        )


def group_by_paper(
    records: Sequence[Record], catalog: Catalog, known_keys: Mapping[Record, MatchKeys] | None = None
) -> list[RecordGroup]:
    """Return the new records grouped by paper, each group with the catalog's records of the same papers.

    `known_keys` are match keys of records that were computed earlier.
    """
    from scipy.cluster.hierarchy import DisjointSet

    known = known_keys or {}
    keys = {record: known.get(record) or identity.match_keys(record) for record in records}
    members = DisjointSet(records)  # of new records and of the ids of stored papers
    for record, match in _same_paper_pairs(keys, catalog):
        members.add(match)
        members.merge(record, match)
    return [_group(subset, keys, catalog) for subset in members.subsets()]


def _group(members: set[Record | str], keys: Mapping[Record, MatchKeys], catalog: Catalog) -> RecordGroup:
    new = {member: keys[member] for member in members if isinstance(member, Record)}
    stored_ids = [member for member in members if isinstance(member, str)]
    return RecordGroup(new, catalog.records.of_papers(stored_ids) if stored_ids else [])


def _same_paper_pairs(keys: Mapping[Record, MatchKeys], catalog: Catalog) -> Iterator[tuple[Record, Record | str]]:
    """Yield each new record with every earlier new record, and the id of every stored paper, that is the same paper.

    Only records that share a match key are compared.
    """
    stored_by_key = catalog.records.matching(set().union(*keys.values()))
    new_by_key: dict[str, list[Record]] = {}
    for record, record_keys in keys.items():
        stored = {match.number: match for key in record_keys for match in stored_by_key.get(key, ())}
        for candidate in stored.values():
            if identity.same_paper(record, candidate.record):
                yield record, candidate.paper_id
        for earlier in {earlier for key in record_keys for earlier in new_by_key.get(key, ())}:
            if identity.same_paper(record, earlier):
                yield record, earlier
        for key in record_keys:
            new_by_key.setdefault(key, []).append(record)
