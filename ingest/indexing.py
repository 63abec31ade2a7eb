"""Keep the indexes in line with the catalog: chunk and encode the papers that changed, and write them to every index.

A paper is marked as indexed after all indexes contain it. Whatever interrupts a run, the next one indexes every paper
without a current mark.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from assistant.batches import batches
from assistant.encodings import EncodedPaper, EncodedText
from assistant.protocols import Embedder
from assistant.schema import Chunk, Paper
from assistant.storage.catalog import Catalog
from assistant.storage.library import Library
from ingest.chunks import chunk_papers
from ingest.report import Progress, ProgressCallback

logger = logging.getLogger(__name__)

# How many papers, or records, are written to the library together.
BATCH_SIZE = 256
# How many papers that need not be encoded are: the indexes take these faster in larger batches.
_CACHED_BATCH_SIZE = 2048
# How many chunks are encoded between two progress reports.
_CHUNKS_PER_REPORT = 32
# Returns the cached encodings of papers by id; papers that are not cached are left out.
CachedEncodings = Callable[[Sequence[Paper]], Mapping[str, EncodedPaper]]


def update_indexes(
    library: Library, progress: ProgressCallback | None = None, cached: CachedEncodings | None = None
) -> int:
    """Update all indexes to agree with the catalog, and return how many papers were indexed.

    Papers with cached encodings are not encoded again. The caller holds the library for writing.
    """
    if stale := library.catalog.ledger.stale_ids():
        library.remove(stale)
        logger.debug("%d deleted papers removed from the indexes", len(stale))
    total, done = library.catalog.ledger.pending_count(), 0
    with _background_writer() as write:  # while one batch is written, the next one is encoded
        for pending in _pending_batches(library.catalog, _CACHED_BATCH_SIZE if cached else BATCH_SIZE):
            encodings = cached(pending) if cached else {}
            if encodings:
                encoded = [paper for paper in pending if paper.id in encodings]
                write(partial(library.index_encoded, encoded, encodings))
                done += len(encoded)
                _share_reporter(progress, done, 0, total)(1.0)
            for papers in batches((paper for paper in pending if paper.id not in encodings), BATCH_SIZE):
                write(_encode(papers, library, _share_reporter(progress, done, len(papers), total)))
                done += len(papers)
    return done


def index_papers(papers: Sequence[Paper], library: Library) -> None:
    """Encode papers and write them to all indexes. The caller holds the library for writing."""
    _encode(papers, library, lambda _: None)()


def _pending_batches(catalog: Catalog, size: int) -> Iterator[Sequence[Paper]]:
    last_id = ""
    while papers := catalog.ledger.pending(size, after=last_id):
        yield papers
        last_id = papers[-1].id


def _share_reporter(progress: ProgressCallback | None, done: int, papers: int, total: int) -> Callable[[float], None]:
    """Return a function that reports a share (0..1) of the current papers, in addition to those done before."""

    def report(share: float) -> None:
        if progress:
            progress(Progress("papers indexed", done + round(share * papers), total))

    return report


def _encode(papers: Sequence[Paper], library: Library, report_share: Callable[[float], None]) -> Callable[[], None]:
    """Encode papers, and return the function that writes them to the indexes."""
    chunks = chunk_papers(papers, library.embedder, library.recipe.chunk_tokens)
    encoded = encode_chunks(chunks, library.embedder, report_share)
    report_share(1.0)

    def write() -> None:
        library.index(papers, chunks, encoded)
        logger.debug("%d papers encoded and indexed", len(papers))

    return write


def encode_chunks(
    chunks: Sequence[Chunk], embedder: Embedder, report_share: Callable[[float], None] = lambda _: None
) -> list[EncodedText]:
    """Return the encoding of each chunk. Chunks of similar length are encoded together, which avoids padding.

    `report_share` is called with the share of the chunks that are encoded, 0..1.
    """
    longest_first = sorted(range(len(chunks)), key=lambda index: -len(chunks[index].text))
    encoded: dict[int, EncodedText] = {}
    for indices in batches(longest_first, _CHUNKS_PER_REPORT):
        report_share(len(encoded) / len(chunks))
        texts = [chunks[index].text for index in indices]
        encoded |= zip(indices, embedder.encode_documents(texts), strict=True)
    return [encoded[index] for index in range(len(chunks))]


@contextmanager
def _background_writer() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Yield a function that runs a task in the background once the previous one is done, and raises its error."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="indexing") as worker:
        running: list[Future[None]] = []

        def wait() -> None:
            while running:
                running.pop().result()

        def submit(task: Callable[[], None]) -> None:
            wait()
            running.append(worker.submit(task))

        yield submit
        wait()
