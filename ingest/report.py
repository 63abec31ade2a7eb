"""Report on an ingest: its progress while it runs, and its counts and problems at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ingest.parsers.base import Problem


@dataclass(frozen=True, slots=True)
class Progress:
    """How many items of an activity (`records read`, `papers indexed`) are done, and of how many if that is known."""

    activity: str
    done: int
    total: int | None = None


ProgressCallback = Callable[[Progress], None]


@dataclass(slots=True)
class IngestReport:
    """Counts and problems of an ingest. Counts are of records, except `indexed` and `removed`, which count papers.

    Records without an abstract are stored and listed; they become searchable when a later source has the abstract.
    """

    records: int = 0
    added: int = 0
    updated: int = 0
    merged: int = 0
    unchanged: int = 0
    without_abstract: int = 0
    skipped: int = 0
    indexed: int = 0
    removed: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Return whether any record was lost."""
        return any(problem.lost for problem in self.problems)

    def add_counts(self, batch: IngestReport) -> None:
        """Add the counts of a batch."""
        for name in ("records", "added", "updated", "merged", "unchanged", "without_abstract"):
            setattr(self, name, getattr(self, name) + getattr(batch, name))

    def add_problem(self, problem: Problem) -> None:
        """Add a problem, and count the record that it lost."""
        self.skipped += problem.lost
        self.problems.append(problem)

    def extend(self, other: IngestReport) -> None:
        """Add what another ingest reports."""
        self.add_counts(other)
        self.skipped += other.skipped
        self.indexed += other.indexed
        self.removed += other.removed
        self.problems += other.problems
