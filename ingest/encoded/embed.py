"""Encode the papers of files into a directory, from which a library takes them without a model.

The records are written first, and merged into papers as an ingest into an empty library would. Every batch of encoded
papers becomes a file of its own; whatever interrupts a run, the next one encodes the papers whose texts no file has.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from assistant.batches import batches
from assistant.errors import InputError, RecipeMismatch
from assistant.schema import Paper, Recipe
from assistant.settings import Settings
from assistant.storage.catalog import Catalog
from ingest import identity, pipeline
from ingest.encoded import parquet
from ingest.encoded.described_embedder import DescribedEmbedder
from ingest.encoded.directory import EncodedDirectory, Part, PartKind
from ingest.encoded.manifest import Manifest, is_encoded
from ingest.encoded.parquet import ReadRecord
from ingest.encoded.source import check_settings
from ingest.encoded.texts import TextIndex, text_digest
from ingest.encoded.workers import BATCH_SIZE, Batch, Workers, encoding_job
from ingest.reading import files_of, records_of
from ingest.report import IngestReport, Progress, ProgressCallback

logger = logging.getLogger(__name__)

_RECORDS_PER_PART = 4096
# Batches are smaller where each worker would otherwise get fewer than this many.
_BATCHES_PER_WORKER, _SMALLEST_BATCH = 4, 16
# The catalog that a run merges papers in. Its name tells which records, once it has all of them.
_MERGING, _MERGED = "merging", "merged-"


@dataclass(slots=True)
class EmbedReport:
    """What a run has read, and how many papers it encoded, in addition to those that were encoded before.

    `papers` are those of the directory that have an abstract.
    """

    reading: IngestReport = field(default_factory=IngestReport)
    papers: int = 0
    encoded: int = 0


def embed(
    inputs: Sequence[Path],
    folder: Path,
    settings: Settings,
    workers: Workers,
    progress: ProgressCallback | None = None,
) -> EmbedReport:
    """Read files and folders, and bring a directory of encoded papers in line with them.

    Raise InputError where the directory cannot be written or has something else in it, RecipeMismatch where it was
    begun with another recipe, ModelError, and ClusterError where the workers fail.
    """
    parquet.require_pyarrow()
    _require_apart(inputs, folder)
    report, directory = EmbedReport(), EncodedDirectory(folder)
    with directory.writing():
        manifest = _begun(directory, settings, workers)
        records = _write_records(inputs, directory, report.reading, progress)
        with _merged(directory, records, progress) as catalog:
            encodings = _Encodings(directory, manifest.recipe.dimension)
            job = encoding_job(settings, manifest.recipe)
            pending = _Pending(catalog, encodings.index())
            size = batch_size(len(pending), workers.count)
            if len(pending):
                numbered = (Batch(number, tuple(papers)) for number, papers in enumerate(batches(pending, size)))
                for encoded in workers.encode(job, numbered, -(-len(pending) // size)):
                    report.encoded += encodings.add(encoded.data)
                    _report(progress, "papers encoded", report.encoded, len(pending))
            report.papers = sum(1 for _ in _papers(catalog))
            used = encodings.used(_papers(catalog))
            _complete(directory, manifest, report, [*records, *used])
    return report


def batch_size(papers: int, workers: int) -> int:
    """Return how many papers a worker encodes together: fewer where all would otherwise not have work to the end."""
    return max(_SMALLEST_BATCH, min(BATCH_SIZE, -(-papers // (_BATCHES_PER_WORKER * workers))))


def _require_apart(inputs: Iterable[Path], folder: Path) -> None:
    for path in inputs:
        if path.is_dir() and folder.resolve().is_relative_to(path.resolve()):
            raise InputError(str(folder), f"is inside {path}, which is read: name a directory elsewhere")


def _begun(directory: EncodedDirectory, settings: Settings, workers: Workers) -> Manifest:
    """Return the manifest of a directory that is not complete: a new one, or that of an earlier run."""
    if not is_encoded(directory.folder):
        description = workers.describe(encoding_job(settings))
        manifest = Manifest(description.recipe, description.max_tokens)
    else:
        manifest = directory.manifest()
        _check(directory.folder, manifest, settings)
    unfinished = Manifest(manifest.recipe, manifest.max_tokens)
    directory.write_manifest(unfinished)
    return unfinished


def _check(folder: Path, manifest: Manifest, settings: Settings) -> None:
    """Raise RecipeMismatch where the settings ask for another recipe than the manifest has, or for another engine."""
    recipe: Recipe = manifest.recipe
    described = DescribedEmbedder(recipe, manifest.max_tokens, _never_loaded)
    check_settings(folder, recipe, settings, described)
    if settings.engine not in ("auto", recipe.engine):
        raise RecipeMismatch(
            f"{folder} was begun by the engine {recipe.engine!r}, and the settings name {settings.engine!r}: "
            "set PAPERCHAT_ENGINE=auto to go on by the former, or name another directory"
        )


def _never_loaded() -> DescribedEmbedder:
    raise AssertionError("a description is compared without the model")


def _write_records(
    inputs: Sequence[Path], directory: EncodedDirectory, report: IngestReport, progress: ProgressCallback | None
) -> list[Part]:
    """Write the records of the inputs, in their order, and return the parts. Raise InputError where there are none."""
    parts = []
    for number, records in enumerate(batches(_read(inputs, report), _RECORDS_PER_PART)):
        parts.append(directory.add(PartKind.RECORDS, number, parquet.records_data(records)))
        report.records += len(records)
        _report(progress, "records read", report.records)
    if not parts:
        reason = str(report.problems[0]) if report.problems else "there is no record in them"
        raise InputError("the inputs", f"cannot be read: {reason}")
    return parts


def _read(inputs: Sequence[Path], report: IngestReport) -> Iterator[ReadRecord]:
    for file in files_of(inputs, report):
        for record in records_of(file, report):
            report.without_abstract += not record.abstract
            yield ReadRecord(record, identity.match_keys(record))


@contextmanager
def _merged(
    directory: EncodedDirectory, records: Sequence[Part], progress: ProgressCallback | None
) -> Iterator[Catalog]:
    """Yield a catalog of the records: one that an interrupted run has filled with the same records, or a new one."""
    digest = hashlib.sha256("\n".join(part.name for part in records).encode()).hexdigest()[:16]
    file = directory.folder / f"{_MERGED}{digest}.db"
    if not file.exists():
        _remove_catalogs(directory.folder)
        merging = directory.folder / f"{_MERGING}.db"
        with closing(Catalog(merging)) as catalog:
            _merge(directory, records, catalog, progress)
        merging.replace(file)
    with closing(Catalog(file)) as catalog:
        yield catalog
    _remove_catalogs(directory.folder)


def _merge(
    directory: EncodedDirectory, records: Sequence[Part], catalog: Catalog, progress: ProgressCallback | None
) -> None:
    run, done = catalog.records.next_run(), 0
    for part in records:
        read = parquet.read_records(directory.read(part), part.name)
        keys = {item.record: item.match_keys for item in read}
        pipeline.store_records([item.record for item in read], catalog, run, keys)
        done += len(read)
        _report(progress, "records merged", done)


def _remove_catalogs(folder: Path) -> None:
    for name in (_MERGING, f"{_MERGED}*"):
        for file in folder.glob(f"{name}.db*"):
            file.unlink()


def _papers(catalog: Catalog) -> Iterator[Paper]:
    """Yield the papers of a catalog that have an abstract, by id: nothing in it is indexed."""
    last_id = ""
    while papers := catalog.ledger.pending(_RECORDS_PER_PART, after=last_id):
        yield from papers
        last_id = papers[-1].id


class _Pending:
    """The papers whose texts are not encoded, by id; of papers with equal texts only the first."""

    def __init__(self, catalog: Catalog, index: TextIndex) -> None:
        self._catalog, self._index = catalog, index
        self._count = sum(1 for _ in self)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Paper]:
        seen: set[bytes] = set()
        for papers in batches(_papers(self._catalog), BATCH_SIZE):
            digests = [text_digest(paper) for paper in papers]
            for paper, digest, part in zip(papers, digests, self._index.find(digests), strict=True):
                if part is None and digest not in seen:
                    seen.add(digest)
                    yield paper


class _Encodings:
    """The parts with encodings. A damaged one is deleted, and its papers are encoded again."""

    def __init__(self, directory: EncodedDirectory, dimension: int) -> None:
        self._directory, self._dimension = directory, dimension
        on_disk = directory.parts(PartKind.ENCODINGS)
        self._parts = [part for part in on_disk if directory.is_intact(part)]
        directory.remove(set(on_disk) - set(self._parts))

    def index(self) -> TextIndex:
        return TextIndex(map(self._digests, self._parts))

    def add(self, data: bytes) -> int:
        """Write the encodings of a batch, and return of how many papers they are."""
        number = self._parts[-1].number + 1 if self._parts else 0
        self._parts.append(self._directory.add(PartKind.ENCODINGS, number, data))
        return len(parquet.read_text_digests(data, self._parts[-1].name, self._dimension))

    def used(self, papers: Iterable[Paper]) -> list[Part]:
        """Return the parts that have the text of one of the papers."""
        index, used = self.index(), set[int]()
        for batch in batches(papers, BATCH_SIZE):
            used.update(number for number in index.find([text_digest(paper) for paper in batch]) if number is not None)
        return [self._parts[number] for number in sorted(used)]

    def _digests(self, part: Part) -> list[bytes]:
        return parquet.read_text_digests(self._directory.read(part), part.name, self._dimension)


def _complete(directory: EncodedDirectory, manifest: Manifest, report: EmbedReport, parts: Sequence[Part]) -> None:
    """Write the manifest of the complete directory, and delete the parts that do not belong to it.

    They stay where an input had problems: it may be read whole the next time.
    """
    names = tuple(part.name for part in parts)
    counts = report.reading.records, report.papers
    directory.write_manifest(Manifest(manifest.recipe, manifest.max_tokens, True, *counts, names))
    for kind in PartKind if not report.reading.problems else ():
        directory.remove(set(directory.parts(kind)) - set(parts))
    logger.debug("%s is complete: %d records, %d papers, %d parts", directory.folder, *counts, len(parts))


def _report(progress: ProgressCallback | None, activity: str, done: int, total: int | None = None) -> None:
    if progress:
        progress(Progress(activity, done, total))
