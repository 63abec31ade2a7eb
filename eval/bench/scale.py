"""Measure the cost of each part of a library as it grows: time to write, disk space, time per query.

The papers are real, and so are the encodings of a sample of them. All papers get the encodings of the sample in turn,
with noise added to the vectors: the cost of storing an encoding does not depend on its values.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, fields
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant import factory
from assistant.batches import batches
from assistant.embedding import content_words
from assistant.encodings import EncodedPaper
from assistant.protocols import Embedder
from assistant.schema import Chunk, Paper, Record
from assistant.settings import Settings
from assistant.storage.catalog import Catalog
from assistant.storage.chroma_store import ChromaStore
from assistant.storage.lexicon import TantivyLexicon
from assistant.storage.word_vectors import SqliteWordVectors
from eval.bench.large_library import with_noise
from eval.bench.timing import measure_latency
from eval.corpora import ML_ARXIV, SEED_FILES
from eval.runs import environment
from eval.suites import SEEDS, beir, load
from eval.suites.disagreement import DATA, SCIFACT
from ingest import pipeline
from ingest.chunks import chunk_papers
from ingest.parsers.detect import find_files, read_records

if TYPE_CHECKING:
    from assistant.encodings import Vectors

EMBEDDER, CATALOG, LEXICON, WORDS = "embedder", "catalog", "lexicon", "word index"
FOLDER, SERVER = "Chroma, folder", "Chroma, server"
_SAMPLE = _BATCH = 256
_QUESTIONS = 40
# A filter allows every tenth paper.
_FILTER_STEP = 10

Json = dict[str, Any]


def measure_scale(settings: Settings, large: bool = False) -> Json:
    """Measure each collection, and the Chroma server of the settings, if there is one, next to a folder.

    `large` adds 80,753 papers. Returns figures by size and part.
    """
    embedder = factory.open_embedder(settings)
    sizes: Json = {}
    for records in _collections(large):
        with tempfile.TemporaryDirectory() as folder:
            benchmark = _LibraryBenchmark(settings.model_copy(update={"home": Path(folder)}), embedder)
            benchmark.measure(records)
            sizes[f"{benchmark.papers:,} papers"] = benchmark.figures()
    return {"versions": environment.versions(), "commit": environment.commit(), "sizes": sizes}


def _collections(large: bool) -> Iterator[list[Record]]:
    """Yield the records of the seeds, and of the collections that are present."""
    items = [item for file in find_files(SEED_FILES) if isinstance(file, Path) for item in read_records(file)]
    yield [item for item in items if isinstance(item, Record)]
    for name in (SCIFACT, *([ML_ARXIV] if large else [])):
        if (DATA / name).is_dir():
            papers = beir.read_papers(DATA / name)
            yield [_record(paper, name, line) for line, paper in enumerate(papers, start=1)]


def _record(paper: Paper, source: str, line: int) -> Record:
    shared = {field.name for field in fields(Record)} & {field.name for field in fields(Paper)}
    return Record(source=source, line=line, **{name: getattr(paper, name) for name in shared})


@dataclass(slots=True)
class _LibraryBenchmark:
    """The measurements of one library by part: seconds to write, milliseconds per query, bytes."""

    settings: Settings
    embedder: Embedder
    papers: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    latencies: Json = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)

    def measure(self, records: Sequence[Record]) -> None:
        """Build the library of these records, query it, and measure its size."""
        home = self.settings.home
        with ExitStack() as stack:
            catalog = stack.enter_context(closing(Catalog(home / factory.CATALOG_FILE)))
            parts = _MeasuredLibrary(
                catalog,
                TantivyLexicon(home / factory.LEXICON_FOLDER),
                stack.enter_context(closing(SqliteWordVectors(home / factory.WORD_VECTORS_FILE))),
                _stores(self.settings, catalog, self.embedder, stack),
            )
            papers = self._merge(records, catalog)
            self._write(papers, self._embed(papers[:_SAMPLE], parts.lexicon), parts)
            self._query(papers, parts)
        names = {
            CATALOG: factory.CATALOG_FILE,
            FOLDER: factory.STORE_FOLDER,
            LEXICON: factory.LEXICON_FOLDER,
            WORDS: factory.WORD_VECTORS_FILE,
        }
        self.bytes = {part: _disk_usage(home, name) for part, name in names.items()}

    def figures(self) -> Json:
        """Return the figures of each part, in the order in which a paper passes through them."""
        parts = (EMBEDDER, CATALOG, FOLDER, SERVER, LEXICON, WORDS)
        return {part: figures for part in parts if (figures := self._part_figures(part))}

    def _part_figures(self, part: str) -> Json:
        written = min(self.papers, _SAMPLE) if part == EMBEDDER else self.papers
        figures: Json = {"s_per_1000_papers": 1000 * self.seconds[part] / written} if part in self.seconds else {}
        if part in self.bytes:
            figures["bytes_per_paper"] = self.bytes[part] / self.papers
        figures.update(self.latencies.get(part, {}))
        return figures

    def _merge(self, records: Sequence[Record], catalog: Catalog) -> list[Paper]:
        """Merge the records and return their papers in the order of their ids, which is arbitrary."""
        run = catalog.records.next_run()
        with self._timed(CATALOG):
            for batch in batches(records, _BATCH):
                pipeline.store_records(batch, catalog, run)
        papers = catalog.ledger.pending(len(records))
        self.papers = len(papers)
        return papers

    def _embed(self, papers: Sequence[Paper], lexicon: TantivyLexicon) -> list[EncodedPaper]:
        recipe = factory.index_recipe(self.settings, self.embedder)
        with self._timed(EMBEDDER):
            chunks = chunk_papers(papers, self.embedder, recipe.chunk_tokens)
            encoded_chunks = self.embedder.encode_documents([chunk.text for chunk in chunks])
        words = content_words.word_vectors(papers, chunks, encoded_chunks, lexicon)
        vectors: dict[str, list[Vectors]] = {paper.id: [] for paper in papers}
        for chunk, encoded in zip(chunks, encoded_chunks, strict=True):
            vectors[chunk.paper_id].append(encoded.vector)
        return [EncodedPaper(np.array(vectors[paper.id]), words[paper.id]) for paper in papers]

    def _write(self, papers: Sequence[Paper], sample: Sequence[EncodedPaper], parts: _MeasuredLibrary) -> None:
        noise, encodings = np.random.default_rng(0), cycle(sample)
        for batch in batches(papers, _BATCH):
            by_paper = {paper.id: next(encodings) for paper in batch}
            chunks, vectors = _chunks(batch, by_paper, noise)
            for name, store in parts.stores.items():
                with self._timed(name):
                    store.replace(chunks, vectors)
            with self._timed(WORDS):
                parts.words.replace({paper_id: encoding.words for paper_id, encoding in by_paper.items()})
            with self._timed(LEXICON):
                parts.lexicon.replace(batch)
            with self._timed(CATALOG):
                parts.catalog.ledger.announce(batch, parts.stores[FOLDER].stamp)
                parts.catalog.ledger.mark_indexed(batch)

    def _query(self, papers: Sequence[Paper], parts: _MeasuredLibrary) -> None:
        """Measure the queries of one question: candidates of each index, papers and words of the re-ranked ones."""
        texts = [question.text for question in load(SEEDS / "single.jsonl", "dev")][:_QUESTIONS]
        vectors = {text: self.embedder.encode_queries([text])[0].vector for text in texts}
        ids, limit = [paper.id for paper in papers], self.settings.candidates
        reranked, allowed = ids[: self.settings.rerank_top_k], ids[::_FILTER_STEP]
        queries: dict[str, Callable[[str], object]] = {
            EMBEDDER: lambda text: self.embedder.encode_queries([text]),
            CATALOG: lambda _: parts.catalog.papers.get(reranked),
            LEXICON: lambda text: parts.lexicon.search(text, limit),
            WORDS: lambda _: parts.words.get(reranked),
        }
        self.latencies = {part: {"query_ms": measure_latency(query, texts)} for part, query in queries.items()}
        for name, store in parts.stores.items():
            search = partial(_search, store, vectors, limit)
            self.latencies[name] = {
                "query_ms": measure_latency(search, texts),
                "filtered_query_ms": measure_latency(partial(search, allowed_ids=allowed), texts),
            }

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[part] = self.seconds.get(part, 0.0) + time.perf_counter() - started


@dataclass(frozen=True, slots=True)
class _MeasuredLibrary:
    """The catalog and the indexes of one library."""

    catalog: Catalog
    lexicon: TantivyLexicon
    words: SqliteWordVectors
    stores: Mapping[str, ChromaStore]


def _stores(settings: Settings, catalog: Catalog, embedder: Embedder, stack: ExitStack) -> dict[str, ChromaStore]:
    """Open a store in a folder, and one on the server of the settings, which is deleted at the end."""
    by_name = {FOLDER: settings.model_copy(update={"store": None})} | ({SERVER: settings} if settings.store else {})
    stores = {}
    for name, store_settings in by_name.items():
        location = factory.store_location(store_settings, catalog)
        stores[name] = ChromaStore(location, factory.index_recipe(settings, embedder))
        if location.is_shared:
            stack.callback(location.wipe)
        stack.callback(stores[name].close)
    return stores


def _search(
    store: ChromaStore, vectors: Mapping[str, Vectors], limit: int, text: str, allowed_ids: Sequence[str] | None = None
) -> object:
    return store.search(vectors[text], limit, allowed_ids)


def _chunks(
    papers: Sequence[Paper], encodings: Mapping[str, EncodedPaper], noise: np.random.Generator
) -> tuple[list[Chunk], Vectors]:
    """Return the chunks of the papers, and their vectors with noise added, normalised to length one."""
    chunks = [
        Chunk(paper.id, number, "", 0, 0, paper.year)
        for paper in papers
        for number in range(len(encodings[paper.id].vectors))
    ]
    return chunks, with_noise(np.concatenate([encodings[paper.id].vectors for paper in papers]), noise)


def _disk_usage(home: Path, name: str) -> int:
    """Sum the bytes of a folder, or of a file and its companions, such as a write-ahead log."""
    files = (home / name).rglob("*") if (home / name).is_dir() else home.glob(f"{name}*")
    return sum(file.stat().st_size for file in files if file.is_file())
