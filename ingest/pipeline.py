"""The path of one abstract: identity -> catalog -> chunks -> vectors -> indexes -> mark.

The catalog is written first and marked last, so that whatever it holds without a mark is simply indexed by the
next run: one rule for every interruption.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from typing import IO

from scipy.cluster.hierarchy import DisjointSet

from assistant.batches import batches
from assistant.encodings import EncodedText
from assistant.errors import InputError, LibraryWriteError
from assistant.protocols import Embedder
from assistant.schema import Chunk, Paper, Record
from assistant.storage.catalog import Catalog, PaperChange
from assistant.storage.library import Library, Read
from assistant.storage.records import StoredRecord
from ingest import identity
from ingest.chunks import chunk
from ingest.parsers.base import Problem
from ingest.parsers.detect import find_files, read_records

logger = logging.getLogger(__name__)

_BATCH = 256
# Of one file's problems only the first are told, so that neither memory nor the reader is flooded.
_MOST_TOLD = 1_000
# After so many chunks it is told how far the embedder has come.
_TOLD = 32
# Gives what the embedder made of those of the papers, by id, that it knows.
Known = Callable[[Sequence[str]], Mapping[str, Read]]


@dataclass(frozen=True, slots=True)
class Step:
    """How far a run has come: so many `records read` or `papers indexed`, of how many where that is known."""

    what: str
    done: int
    total: int | None = None


Progress = Callable[[Step], None]


@dataclass(slots=True)
class Report:
    """What an ingest did. Counts are of records, `indexed` is of papers.

    `without_abstract` are kept and listed, and are searched once a later file brings their abstracts.
    """

    records: int = 0
    added: int = 0
    updated: int = 0
    merged: int = 0
    unchanged: int = 0
    without_abstract: int = 0
    skipped: int = 0
    indexed: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether something that was given did not go in."""
        return any(problem.lost for problem in self.problems)

    def count(self, other: Report) -> None:
        """Add another report's counts."""
        for name in ("records", "added", "updated", "merged", "unchanged", "without_abstract"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def ingest(paths: Iterable[Path], library: Library, progress: Progress | None = None) -> Report:
    """Read files and folders into the library. What cannot be read is in the report; the rest goes in.

    Raises LibraryBusy where another process writes, LibraryWriteError where the library cannot be written.
    """
    report = Report()
    with library.writing():
        run = library.catalog.records.next_run()
        for batch in batches(_records(paths, library.catalog, run, report), _BATCH):
            report.count(put(batch, library.catalog, run))
            if progress:
                progress(Step("records read", report.records))
        report.indexed = synchronise(library, progress)
        library.catalog.records.note_ingest(datetime.now(UTC))
    return report


def add(items: Iterable[Record | Problem], library: Library, progress: Progress | None = None) -> Report:
    """Put records into the library that something else has read; as `ingest`."""
    report = Report()
    with library.writing():
        run = library.catalog.records.next_run()
        for batch in batches(_records_of(items, report), _BATCH):
            report.count(put(batch, library.catalog, run))
        report.indexed = synchronise(library, progress)
        library.catalog.records.note_ingest(datetime.now(UTC))
    return report


def put(records: Sequence[Record], catalog: Catalog, run: int) -> Report:
    """Write a batch of records to the catalog, each to the paper that it is of."""
    held = catalog.records.existing(records)
    catalog.records.touch(held, run)
    fresh = [record for record in dict.fromkeys(records) if record not in held]
    bare = sum(not record.abstract for record in records)
    report = Report(records=len(records), unchanged=len(records) - len(fresh), without_abstract=bare)
    changes = [_change(group, run, report) for group in _groups(fresh, catalog)]
    catalog.put(changes, run)
    logger.debug("%d records put into the catalog, %d of them unchanged", len(records), report.unchanged)
    return report


def synchronise(library: Library, progress: Progress | None = None, known: Known | None = None) -> int:
    """Bring all indexes in line with the catalog; returns how many papers were indexed.

    `known` gives what the embedder made of papers before, by their ids; those that it knows are not embedded again.
    """
    if stale := library.catalog.ledger.stale_ids():
        library.drop(stale)
        logger.debug("%d deleted papers removed from the indexes", len(stale))
    total, done = library.catalog.ledger.pending_count(), 0
    with _behind() as write:  # while one batch is written, the next one is embedded
        for papers in _pending(library.catalog):
            read = known([paper.id for paper in papers]) if known else {}
            write(_indexing(papers, read, library, _share(progress, done, len(papers), total)))
            done += len(papers)
    return done


def _pending(catalog: Catalog) -> Iterator[Sequence[Paper]]:
    last = ""
    while papers := catalog.ledger.pending(_BATCH, after=last):
        yield papers
        last = papers[-1].id


def _share(progress: Progress | None, done: int, papers: int, total: int) -> Callable[[float], None]:
    """Tells the progress once a share of so many papers, 0..1, is read; `done` came before them."""

    def tell(share: float) -> None:
        if progress:
            progress(Step("papers indexed", done + round(share * papers), total))

    return tell


def _indexing(
    papers: Sequence[Paper], read: Mapping[str, Read], library: Library, tell: Callable[[float], None]
) -> Callable[[], None]:
    """Embeds the papers that were not read before, and gives what then puts all of them into the indexes."""
    again = [paper for paper in papers if paper.id in read]
    fresh = [paper for paper in papers if paper.id not in read]
    chunks = chunk(fresh, library.embedder, library.recipe.chunk_tokens)
    readings = _readings(chunks, library.embedder, tell)
    tell(1.0)

    def index() -> None:
        if again:
            library.index_again(again, read)
        if fresh:
            library.index(fresh, chunks, readings)
        logger.debug("%d papers indexed, %d of them embedded", len(papers), len(fresh))

    return index


def _readings(chunks: Sequence[Chunk], embedder: Embedder, tell: Callable[[float], None]) -> list[EncodedText]:
    """What the embedder makes of each chunk, given to it the longest first: those read together are then alike."""
    ordered = sorted(range(len(chunks)), key=lambda at: -len(chunks[at].text))
    found: dict[int, EncodedText] = {}
    for places in batches(ordered, _TOLD):
        tell(len(found) / len(chunks))
        read = embedder.encode_documents([chunks[at].text for at in places])
        found |= zip(places, read, strict=True)
    return [found[at] for at in range(len(chunks))]


def embed(papers: Sequence[Paper], library: Library) -> None:
    """Put papers into all indexes, for whoever holds the library for writing; those with an abstract."""
    _indexing(papers, {}, library, lambda _: None)()


@contextmanager
def _behind() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Has work done one piece behind: each is handed over once the one before is done, whose error is raised then."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="indexing") as worker:
        under_way: list[Future[None]] = []

        def hand_over(work: Callable[[], None]) -> None:
            while under_way:
                under_way.pop().result()
            under_way.append(worker.submit(work))

        yield hand_over
        while under_way:
            under_way.pop().result()


@dataclass(slots=True)
class _Group:
    """Records of one paper: those just read, and those of the papers held that they turn out to belong to."""

    new: dict[Record, frozenset[str]]
    stored: list[StoredRecord]


def _records(paths: Iterable[Path], catalog: Catalog, run: int, report: Report) -> Iterator[Record]:
    """Every record of the paths.

    Those of a file that are held already are noted before any of its records is put: what an edited record
    replaces must not be one that stands further down in the file, in another batch. Until then the records wait in
    a temporary file, because a source may be larger than the memory, and standard input is read only once.
    """
    for file in _files(paths, report):
        logger.debug("reading %s", file)
        with _temporary() as waiting:
            for batch in batches(_read(file, report), _BATCH):
                catalog.records.touch(catalog.records.existing(batch), run)
                with _room():
                    waiting.writelines(f"{json.dumps(asdict(record))}\n" for record in batch)
            with _room():
                waiting.seek(0)
            yield from map(_restored, waiting)


@contextmanager
def _temporary() -> Iterator[IO[str]]:
    with _room():
        file = TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed below, where that may fail
    try:
        yield file
    finally:
        with suppress(OSError):  # of what could not be written there is an error already
            file.close()


@contextmanager
def _room() -> Iterator[None]:
    """Raises LibraryWriteError where the temporary directory is full or cannot be written."""
    try:
        yield
    except OSError as error:
        cause = error.strerror or error
        raise LibraryWriteError(
            f"the temporary directory {gettempdir()} cannot be written: {cause}; make room there, or name another "
            "directory in TMPDIR"
        ) from error


def _restored(line: str) -> Record:
    fields = json.loads(line)
    return Record(**fields | {"authors": tuple(fields["authors"])})


def _records_of(items: Iterable[Record | Problem], report: Report) -> Iterator[Record]:
    for item in items:
        if isinstance(item, Record):
            yield item
        else:
            report.skipped += item.lost
            report.problems.append(item)


def _read(file: Path, report: Report) -> Iterator[Record]:
    """The records of a file; whatever is wrong goes to the report."""
    untold: list[bool] = []
    told = len(report.problems) + _MOST_TOLD
    try:
        for item in read_records(file):
            if isinstance(item, Record):
                yield item
                continue
            report.skipped += item.lost
            if len(report.problems) < told:
                report.problems.append(item)
            else:
                untold.append(item.lost)
    except InputError as error:
        report.problems.append(Problem(error.source, error.line, error.reason))
    if untold:
        report.problems.append(Problem(file.name, 0, f"and {len(untold):,} more problems like these", any(untold)))


def _files(paths: Iterable[Path], report: Report) -> Iterator[Path]:
    for path in paths:
        try:
            for file in find_files(path):
                if isinstance(file, Path):
                    yield file
                else:
                    report.problems.append(file)
        except InputError as error:
            report.problems.append(Problem(error.source, error.line, error.reason))


def _groups(fresh: Sequence[Record], catalog: Catalog) -> list[_Group]:
    """The records just read, grouped by paper together with what the catalog holds of these papers."""
    marked = {record: identity.marks(record) for record in fresh}
    sharing = catalog.records.matching({mark for traces in marked.values() for mark in traces})
    neighbours: dict[str, list[Record]] = {}
    groups = DisjointSet()
    for record, traces in marked.items():
        groups.add(record)
        stored = {each.number: each for mark in traces for each in sharing.get(mark, ())}
        for each in stored.values():
            if identity.same_paper(record, each.record):
                groups.add(each.paper_id)
                groups.merge(record, each.paper_id)
        for other in {other for mark in traces for other in neighbours.get(mark, ())}:
            if identity.same_paper(record, other):
                groups.merge(record, other)
        for mark in traces:
            neighbours.setdefault(mark, []).append(record)
    return [
        _Group(
            {member: marked[member] for member in members if isinstance(member, Record)},
            catalog.records.of_papers([member for member in members if isinstance(member, str)]),
        )
        for members in groups.subsets()
    ]


def _change(group: _Group, run: int, report: Report) -> PaperChange:
    """The paper that a group makes, and what became of its records, counted in the report."""
    sources = {record.source for record in group.new}
    superseded = {each.number for each in group.stored if each.record.source in sources and each.run < run}
    kept = [each.record for each in group.stored if each.number not in superseded]
    report.added += not group.stored
    report.updated += min(len(group.new), len(superseded))
    report.merged += len(group.new) - (not group.stored) - min(len(group.new), len(superseded))
    paper = identity.merge([*kept, *group.new])
    absorbed = frozenset(each.paper_id for each in group.stored)
    return PaperChange(paper, group.new, frozenset(superseded), absorbed)
