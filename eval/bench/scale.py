"""What each part of a library costs as it grows: time to write, room on the disk, time of a question. Not a test.

The papers are real, and so is what the embedder makes of a sample of them. All get the vectors and words of those in
the sample in turn, the vectors with some noise: what they say does not matter to what it costs to keep them.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
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
from eval import runs
from eval.bench.bench import DATA, LARGE, SCIFACT
from eval.bench.timing import milliseconds_each
from eval.corpora import SEED_FILES
from eval.suites import SEEDS, beir, load
from ingest import pipeline
from ingest.chunks import chunk_papers
from ingest.parsers.detect import find_files, read_records

if TYPE_CHECKING:
    from assistant.encodings import Vectors

EMBEDDER, CATALOG, LEXICON, WORDS = "embedder", "catalog", "lexicon", "word index"
FOLDER, SERVER = "Chroma, folder", "Chroma, server"
_SAMPLE = _BATCH = 256
_QUESTIONS = 40
# Of so many papers a filter lets one through.
_FILTERED = 10
# How far a vector is moved from the one that it was made of, in lengths of that.
_NOISE = 0.5

Json = dict[str, Any]


def scale(settings: Settings, large: bool = False) -> Json:
    """Figures by size and part. The server of the settings, where one is named, is measured beside a folder.

    `large` measures 80,753 papers too.
    """
    embedder = factory.open_embedder(settings)
    found: Json = {"versions": runs.versions(), "commit": runs.commit(), "sizes": {}}
    for records in _collections(large):
        with tempfile.TemporaryDirectory() as folder:
            costs = _Costs(settings.model_copy(update={"home": Path(folder)}), embedder)
            costs.measure(records)
            found["sizes"][f"{costs.papers:,} papers"] = costs.figures()
    return found


def _collections(large: bool) -> Iterator[list[Record]]:
    """The records of the seeds, and of the collections that are at hand."""
    items = [item for file in find_files(SEED_FILES) if isinstance(file, Path) for item in read_records(file)]
    yield [item for item in items if isinstance(item, Record)]
    for name in (SCIFACT, *([LARGE] if large else [])):
        if (DATA / name).is_dir():
            papers = beir.read_papers(DATA / name)
            yield [_record(paper, name, line) for line, paper in enumerate(papers, start=1)]


def _record(paper: Paper, source: str, line: int) -> Record:
    shared = {each.name for each in fields(Record)} & {each.name for each in fields(Paper)}
    return Record(source=source, line=line, **{name: getattr(paper, name) for name in shared})


@dataclass(slots=True)
class _Costs:
    """What was measured of one library, by part: seconds of writing, milliseconds of asking, bytes."""

    settings: Settings
    embedder: Embedder
    papers: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    asking: Json = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)

    def measure(self, records: Sequence[Record]) -> None:
        """Make the library, ask it, and look at what it takes up."""
        home = self.settings.home
        with ExitStack() as stack:
            catalog = stack.enter_context(closing(factory.open_catalog(home)))
            parts = _Parts(
                catalog,
                TantivyLexicon(home / factory.LEXICON),
                stack.enter_context(closing(SqliteWordVectors(home / factory.WORDS))),
                _stores(self.settings, catalog, self.embedder, stack),
            )
            papers = self._merge(records, catalog)
            self._write(papers, self._embed(papers[:_SAMPLE], parts.lexicon), parts)
            self._ask(papers, parts)
        places = {CATALOG: factory.CATALOG, FOLDER: factory.STORE, LEXICON: factory.LEXICON, WORDS: factory.WORDS}
        self.bytes = {part: _room(home, name) for part, name in places.items()}

    def figures(self) -> Json:
        """The parts in the order in which a paper passes through them."""
        return {part: self._of(part) for part in (EMBEDDER, CATALOG, FOLDER, SERVER, LEXICON, WORDS) if self._of(part)}

    def _of(self, part: str) -> Json:
        written = min(self.papers, _SAMPLE) if part == EMBEDDER else self.papers
        found: Json = {"s_per_1000_papers": 1000 * self.seconds[part] / written} if part in self.seconds else {}
        room = {"bytes_per_paper": self.bytes[part] / self.papers} if part in self.bytes else {}
        asked: Json = self.asking.get(part, {})
        return found | room | asked

    def _merge(self, records: Sequence[Record], catalog: Catalog) -> list[Paper]:
        """The papers of the records, in the order of their ids, which is no order."""
        run = catalog.records.next_run()
        with self._on(CATALOG):
            for batch in batches(records, _BATCH):
                pipeline.store_records(batch, catalog, run)
        papers = catalog.ledger.pending(len(records))
        self.papers = len(papers)
        return papers

    def _embed(self, papers: Sequence[Paper], lexicon: TantivyLexicon) -> list[EncodedPaper]:
        made_with = factory.recipe(self.settings, self.embedder)
        with self._on(EMBEDDER):
            chunks = chunk_papers(papers, self.embedder, made_with.chunk_tokens)
            readings = self.embedder.encode_documents([each.text for each in chunks])
        words = content_words.word_vectors(papers, chunks, readings, lexicon)
        vectors: dict[str, list[Vectors]] = {paper.id: [] for paper in papers}
        for each, reading in zip(chunks, readings, strict=True):
            vectors[each.paper_id].append(reading.vector)
        return [EncodedPaper(np.array(vectors[paper.id]), words[paper.id]) for paper in papers]

    def _write(self, papers: Sequence[Paper], sample: Sequence[EncodedPaper], parts: _Parts) -> None:
        noise, turns = np.random.default_rng(0), cycle(sample)
        for batch in batches(papers, _BATCH):
            kept = {paper.id: next(turns) for paper in batch}
            chunks, vectors = _chunks(batch, kept, noise)
            for name, store in parts.stores.items():
                with self._on(name):
                    store.replace(chunks, vectors)
            with self._on(WORDS):
                parts.words.replace({paper_id: each.words for paper_id, each in kept.items()})
            with self._on(LEXICON):
                parts.lexicon.replace(batch)
            with self._on(CATALOG):
                parts.catalog.ledger.announce(batch, parts.stores[FOLDER].stamp)
                parts.catalog.ledger.mark_indexed(batch)

    def _ask(self, papers: Sequence[Paper], parts: _Parts) -> None:
        """As a question does: candidates of each index, papers and words of those that are looked at closer."""
        texts = [question.text for question in load(SEEDS / "single.jsonl", "dev")][:_QUESTIONS]
        vectors = {text: self.embedder.encode_queries([text])[0].vector for text in texts}
        ids, most = [paper.id for paper in papers], self.settings.candidates
        looked_at, some = ids[: self.settings.rerank_top_k], ids[::_FILTERED]
        self.asking = {
            EMBEDDER: {"query_ms": milliseconds_each(lambda text: self.embedder.encode_queries([text]), texts)},
            CATALOG: {"query_ms": milliseconds_each(lambda _: parts.catalog.papers.get(looked_at), texts)},
            LEXICON: {"query_ms": milliseconds_each(lambda text: parts.lexicon.search(text, most), texts)},
            WORDS: {"query_ms": milliseconds_each(lambda _: parts.words.get(looked_at), texts)},
        }
        for name, store in parts.stores.items():
            find = partial(_find, store, vectors, most)
            self.asking[name] = {
                "query_ms": milliseconds_each(find, texts),
                "filtered_query_ms": milliseconds_each(partial(find, allowed_ids=some), texts),
            }

    @contextmanager
    def _on(self, part: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[part] = self.seconds.get(part, 0.0) + time.perf_counter() - started


@dataclass(frozen=True, slots=True)
class _Parts:
    catalog: Catalog
    lexicon: TantivyLexicon
    words: SqliteWordVectors
    stores: Mapping[str, ChromaStore]


def _stores(settings: Settings, catalog: Catalog, embedder: Embedder, stack: ExitStack) -> dict[str, ChromaStore]:
    """A store in a folder, and one on the server of the settings, which is deleted in the end."""
    named = {FOLDER: settings.model_copy(update={"store": None})} | ({SERVER: settings} if settings.store else {})
    found = {}
    for name, of in named.items():
        place = factory.place(of, catalog)
        found[name] = ChromaStore(place, factory.recipe(settings, embedder))
        if place.is_shared:
            stack.callback(place.wipe)
        stack.callback(found[name].close)
    return found


def _find(
    store: ChromaStore, vectors: Mapping[str, Vectors], limit: int, text: str, allowed_ids: Sequence[str] | None = None
) -> object:
    return store.search(vectors[text], limit, allowed_ids)


def _chunks(
    papers: Sequence[Paper], kept: Mapping[str, EncodedPaper], noise: np.random.Generator
) -> tuple[list[Chunk], Vectors]:
    """The chunks of the papers, and their vectors, moved a little and of length one again."""
    chunks = [
        Chunk(paper.id, number, "", 0, 0, paper.year)
        for paper in papers
        for number in range(len(kept[paper.id].vectors))
    ]
    vectors = np.concatenate([kept[paper.id].vectors for paper in papers])
    moved = noise.standard_normal(vectors.shape, dtype=np.float32)
    vectors = vectors + _NOISE * moved / np.linalg.norm(moved, axis=1, keepdims=True)
    return chunks, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _room(home: Path, name: str) -> int:
    """The bytes of a folder, or of a file with those that belong to it."""
    found = (home / name).rglob("*") if (home / name).is_dir() else home.glob(f"{name}*")
    return sum(file.stat().st_size for file in found if file.is_file())
