"""Measure how the indexes of a library grow to millions of papers: recall, latency, memory, disk space, time to open.

Measured are the vectors on a Chroma server of the measurement's own, by number of shards, and the lexicon and the word
index. The papers are made by `eval.bench.synthetic`. Figures are written to a file after each size.
"""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant import factory
from assistant.schema import Chunk, Paper
from assistant.settings import Settings
from assistant.storage.chroma_location import ChromaServer
from assistant.storage.lexicon import TantivyLexicon
from assistant.storage.sharded_store import ShardedStore
from assistant.storage.word_vectors import SqliteWordVectors
from eval.bench import synthetic
from eval.bench.chroma_process import ChromaProcess
from eval.bench.growth_curves import fit_all
from eval.bench.timing import measure_latency, measure_seconds
from eval.corpora import ML_ARXIV
from eval.runs import environment
from eval.suites import beir
from eval.suites.disagreement import DATA

if TYPE_CHECKING:
    from assistant.schema import Recipe

LEXICON, WORDS = "lexicon", "word index"
_CANDIDATES, _RERANKED = 100, 50
_BATCH = 4096
# Filters that let through one paper in so many.
_FILTER_STEPS = (10, 1000)
_TIMEOUT = 600.0
# Beyond what was measured, the curves that fit the figures are evaluated at these sizes.
_FURTHER_SIZES = (3_000_000, 25_000_000, 250_000_000)
# Other beams than the store's own, `chroma_collection.EF_SEARCH`.
_BEAMS = (100, 200, 800, 1600)
_OF_BEAMS = ("recall", "processor_ms_a_query", "query_ms")

Json = dict[str, Any]


@dataclass(slots=True)
class _Report:
    """The figures so far, by part and number of papers, as a JSON file that is complete after each size.

    `by_beam` are those of searches with other beams.
    """

    file: Path
    figures: dict[str, dict[int, Json]] = field(default_factory=dict)
    by_beam: Json = field(default_factory=dict)

    def add(self, part: str, papers: int, figures: Json) -> None:
        """Add the figures of a part at a size, and write the file."""
        self.figures.setdefault(part, {})[papers] = figures
        self._write()

    def add_beam(self, part: str, beam: int, figures: Json) -> None:
        """Add the figures of searches with a beam, and write the file."""
        self.by_beam.setdefault(part, {})[f"ef_search {beam}"] = figures
        self._write()

    def as_json(self) -> Json:
        """Return all figures, and the curves that fit them."""
        figures = {
            part: {f"{papers:,} papers": figures for papers, figures in by_size.items()}
            for part, by_size in self.figures.items()
        }
        return {"figures": figures, "by beam": self.by_beam, "curves": fit_all(self.figures, _FURTHER_SIZES)}

    def _write(self) -> None:
        self.file.write_text(json.dumps(self.as_json(), indent=1), encoding="utf-8")


def measure_growth(
    settings: Settings, sizes: Sequence[int], shards: Sequence[int], folder: Path, local: bool = True
) -> Json:
    """Measure the vectors over each number of shards at each of the ascending sizes, and the `local` indexes.

    Everything is written below the folder, which must not have been used before, and stays there: figures and indexes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    embedder = factory.open_embedder(settings)
    papers = beir.read_papers(DATA / ML_ARXIV)
    sample = synthetic.read_sample(papers, embedder, settings.home / "eval" / f"sample-{embedder.revision[:12]}.npz")
    report = _Report(folder / "growth.json")
    recipe = factory.index_recipe(settings, embedder)
    for count in shards:
        with _server(folder / f"shards-{count}") as server:
            _VectorGrowth(server, recipe, count, sample).measure(sizes, report)
    if local:
        _measure_local(papers, embedder.dimension, sample, sizes, folder, report)
    return {"versions": environment.versions(), "commit": environment.commit()} | report.as_json()


@contextmanager
def _server(folder: Path) -> Iterator[ChromaProcess]:
    folder.mkdir()
    server = ChromaProcess(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@dataclass(slots=True)
class _VectorGrowth:
    """A store on a server that grows from size to size."""

    server: ChromaProcess
    recipe: Recipe
    shards: int
    sample: synthetic.Sample
    ids: list[str] = field(default_factory=list)

    def measure(self, sizes: Sequence[int], report: _Report) -> None:
        """Grow to each size and measure there; at the last one also with wider and narrower beams."""
        nearest = synthetic.ExactNeighbours(self.sample.question_vectors, _CANDIDATES)
        for size in sizes:
            figures = self._grow(size, nearest) | self._ask(nearest.ids())
            report.add(f"vectors, shards: {self.shards}", size, figures)
        for beam in _BEAMS:
            report.add_beam(f"vectors, shards: {self.shards}", beam, self._ask_with_beam(beam, nearest.ids()))

    def _location(self) -> ChromaServer:
        return ChromaServer(self.server.address, "growth", "default_tenant", "default_database", _TIMEOUT)

    def _grow(self, size: int, nearest: synthetic.ExactNeighbours) -> Json:
        """Add papers up to the size, and return the seconds to write 1,000 of them."""
        first, seconds, processor = len(self.ids), 0.0, self.server.processor_seconds()
        with closing(ShardedStore(self._location(), self.recipe, self.shards)) as store:
            for numbers in _ranges(first, size):
                vectors = self.sample.vectors_of(numbers)
                nearest.add(numbers, vectors)
                added = [synthetic.paper_id(number) for number in numbers]
                chunks = [Chunk(paper_id, 0, "", 0, 0, 2020) for paper_id in added]
                seconds += measure_seconds(partial(store.replace, chunks, vectors))
                self.ids += added
        return {
            "s_per_1000_papers": 1000 * seconds / (size - first),
            "processor_s_per_1000_papers": 1000 * (self.server.processor_seconds() - processor) / (size - first),
        }

    def _ask(self, expected: Sequence[set[str]]) -> Json:
        """Return the figures of a store that is opened by a server that has just started."""
        self.server.restart()
        started = time.perf_counter()
        vectors = dict(zip(self.sample.questions, self.sample.question_vectors, strict=True))
        with closing(ShardedStore(self._location(), self.recipe, self.shards)) as store:
            opened = time.perf_counter() - started

            def search(text: str, allowed: frozenset[str] | None = None) -> set[str]:
                return {hit.paper_id for hit in store.search(vectors[text], _CANDIDATES, allowed)}

            first = measure_seconds(partial(search, self.sample.questions[0]))
            processor = self.server.processor_seconds()
            hits = [search(text) for text in self.sample.questions]
            processor = self.server.processor_seconds() - processor
            figures: Json = {
                "s_to_open": opened,
                "s_first_search": first,
                "recall": float(np.mean([len(a & b) / len(b) for a, b in zip(hits, expected, strict=True)])),
                "processor_ms_a_query": 1000 * processor / len(hits),
                "query_ms": measure_latency(search, self.sample.questions),
            }
            for step in _FILTER_STEPS:
                allowed = frozenset(paper_id for paper_id in self.ids if int(paper_id[:8], 16) % step == 0)
                latency = measure_latency(partial(search, allowed=allowed), self.sample.questions[:20])
                figures[f"query_ms, 1 paper in {step}"] = latency
            figures["s_all_ids"] = measure_seconds(store.paper_ids)
        figures["memory_bytes"] = self.server.memory_bytes()
        figures["disk_bytes_per_paper"] = self.server.disk_bytes() / len(self.ids)
        return figures

    def _ask_with_beam(self, beam: int, expected: Sequence[set[str]]) -> Json:
        """Return recall and latency of searches with another beam, which the server reads when it starts."""
        with closing(self._location().connect()) as client, warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Chroma's own, of collections without a function
            for number in range(self.shards):
                name = self._location().of_shard(number).collection
                collection = client.get_collection(name, embedding_function=None)
                collection.modify(configuration={"hnsw": {"ef_search": beam}})
        return {name: figure for name, figure in self._ask(expected).items() if name in _OF_BEAMS}


def _measure_local(
    papers: Sequence[Paper],
    dimension: int,
    sample: synthetic.Sample,
    sizes: Sequence[int],
    folder: Path,
    report: _Report,
) -> None:
    """Grow a lexicon and a word index from size to size, and measure them."""
    noisy, start = synthetic.NoisyPapers(papers), 0
    lexicon = TantivyLexicon(folder / "lexicon")
    with closing(SqliteWordVectors(folder / "words.db")) as words:
        encoded = [synthetic.word_vectors(paper, dimension, lexicon) for paper in papers[:_BATCH]]
        for size in sizes:
            seconds = {LEXICON: 0.0, WORDS: 0.0}
            for numbers in _ranges(start, size):
                batch = noisy(numbers)
                seconds[LEXICON] += measure_seconds(partial(lexicon.replace, batch))
                by_id = {paper.id: encoded[number % len(encoded)] for paper, number in zip(batch, numbers, strict=True)}
                seconds[WORDS] += measure_seconds(partial(words.replace, by_id))
            files = {LEXICON: [*(folder / "lexicon").rglob("*")], WORDS: [*folder.glob("words.db*")]}
            searches = {
                LEXICON: lambda text: lexicon.search(text, _CANDIDATES),
                WORDS: _random_reads(words, size),
            }
            for part, search in searches.items():
                figures = {
                    "s_per_1000_papers": 1000 * seconds[part] / (size - start),
                    "query_ms": measure_latency(search, sample.questions),
                    "disk_bytes_per_paper": sum(file.stat().st_size for file in files[part] if file.is_file()) / size,
                }
                report.add(part, size, figures)
            start = size


def _random_reads(words: SqliteWordVectors, size: int) -> Callable[[str], object]:
    """Return a function that reads the word vectors of as many papers as a question re-ranks, others each time."""
    random = np.random.default_rng(1)
    return lambda _: words.get([synthetic.paper_id(int(number)) for number in random.integers(size, size=_RERANKED)])


def _ranges(start: int, stop: int) -> Iterator[range]:
    """Yield the numbers in batches that begin at multiples of the batch size: a number is always the same paper."""
    while start < stop:
        end = min(stop, (start // _BATCH + 1) * _BATCH)
        yield range(start, end)
        start = end
