"""Measure speed next to the plain llama-index pipeline and the limits of the machine, all in one run."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assistant.chat import Assistant
from assistant.errors import InputError
from assistant.protocols import Embedder
from assistant.schema import Paper, Query
from assistant.settings import Settings
from eval import corpora
from eval.bench import start
from eval.bench.timing import measure_alternating, measure_seconds
from eval.corpora import ML_ARXIV
from eval.runs import environment
from eval.suites import SEEDS, beir, load
from eval.suites.disagreement import DATA, SCIFACT
from eval.suites.selection import Suite
from ingest.progress import progress_bar

# The collection of each size, in papers.
COLLECTIONS = {278: "seeds", 5183: SCIFACT, 80753: ML_ARXIV}
SIZES, LARGEST = (278, 5183), 80753
# Abstracts for the rates of ingestion.
_SAMPLE = 256
# Pairs of a reading, and words of a text that with a question make about 80 word pieces.
_PAIRS, _WORDS_OF_A_PAIR = 24, 42
# Multiplications and additions of the packaged model: per token, twice the weights of its six layers; per pair of
# tokens of one text, what attention computes.
_FLOP_PER_TOKEN, _FLOP_PER_PAIR = 21.2e6, 4 * 6 * 384

Json = dict[str, Any]


def measure_speed(settings: Settings, sizes: Sequence[int] = SIZES, quick: bool = False) -> Json:
    """Measure libraries of these sizes and store the figures as JSON below the home; units are part of the names.

    `quick` measures only searches, on stored libraries. The first indexing of 80,753 papers takes more than an hour on
    two cores. Raises InputError for a size without a collection.
    """
    _known(sizes)
    from eval.bench import baselines, component_benchmarks  # a missing library ends the command before any work

    figures: Json = {
        "versions": environment.versions(),
        "commit": environment.commit(),
        "load_average": os.getloadavg()[0],
        "sizes": dict(_by_size(settings, sizes, quick)),
    }
    figures["ratios"] = {label: _ratios(size_figures) for label, size_figures in figures["sizes"].items()}
    if missing := [COLLECTIONS[size] for size in sizes if not _is_present(COLLECTIONS[size])]:
        figures["left out"] = f"{', '.join(missing)} not found in {DATA}: set EVAL_DATA to the folder that holds it"
    if not quick:
        figures["matrix_peak_gflops"] = baselines.matrix_peak()
        if _is_present(SCIFACT):
            figures["lexical engines"] = component_benchmarks.lexical_engines(DATA / SCIFACT)
            figures["sentence boundaries"] = component_benchmarks.sentence_boundaries(DATA / SCIFACT)
    _store(settings.home, figures)
    return figures


def measure_starts(settings: Settings, sizes: Sequence[int] = SIZES[:1]) -> Json:
    """Measure commands in processes of their own over libraries of these sizes, and store the figures.

    The largest library has the vectors of a sample: what a start costs does not depend on their values. Raises
    InputError for a size without a collection, or whose collection is not present.
    """
    figures: Json = {"versions": environment.versions(), "commit": environment.commit(), "load": os.getloadavg()[0]}
    for size in sorted(set(_known(sizes))):
        figures[f"{size:,} papers"] = start.measure_start(_started_library(settings, size), _questions()[0])
    _store(settings.home, figures)
    return figures


def _started_library(settings: Settings, size: int) -> Path:
    """Return the directory of the library of this size, which is built once."""
    name = COLLECTIONS[size]
    if not _is_present(name):
        raise InputError("--sizes", f"{name} not found in {DATA}: set EVAL_DATA to the folder that holds it")
    if size == LARGEST:
        return corpora.build_large(name, beir.read_papers(DATA / name), settings)
    with _opened(settings, size) as assistant:
        return assistant.library.home


def _known(sizes: Sequence[int]) -> Sequence[int]:
    """Return the sizes. Raises InputError for one without a collection."""
    if unknown := [size for size in sizes if size not in COLLECTIONS]:
        raise InputError("--sizes", f"{unknown[0]} is not one of {', '.join(map(str, COLLECTIONS))}")
    return sizes


def _ratios(figures: Json) -> dict[str, float]:
    """Return how many times as long a search takes as llama-index's, by the medians of one run."""
    return {
        "search, with everything, over llama-index": figures["search_over_llama_index"],
        "search, without re-ranking, over llama-index": figures["search_without_reranking_over_llama_index"],
        "reading of 24 pairs over the embedding of a question": figures["read_24_pairs_over_embed_question"],
    }


def _is_present(collection: str) -> bool:
    return collection == COLLECTIONS[278] or (DATA / collection).is_dir()


def _by_size(settings: Settings, sizes: Sequence[int], quick: bool) -> Iterator[tuple[str, Json]]:
    """Yield a label and the figures of each library, the smallest first."""
    for size in sorted(set(sizes)):
        if not _is_present(COLLECTIONS[size]):
            continue
        with _opened(settings, size) as assistant:
            papers = list(assistant.library.catalog.papers.all())
            figures = _latencies(assistant, papers, settings, quick)
            if not quick:
                figures["cold"] = _cold_start(assistant.library.home)
                if size == min(sizes):
                    figures |= _ingest_rates(papers[:_SAMPLE], settings, assistant.library.embedder)
            yield f"{len(papers):,} papers", figures


@contextmanager
def _opened(settings: Settings, size: int) -> Iterator[Assistant]:
    """Open an assistant over the library of this size, which is built once."""
    name = COLLECTIONS[size]
    suite = Suite(name, (), name, None if name == COLLECTIONS[278] else beir.read_papers(DATA / name))
    with corpora.opened(settings, [suite]) as assistants:
        yield assistants[suite.library]


def _finder(assistant: Assistant) -> Callable[[str], object]:
    """Return a search that ranks papers and reads none of them, as the other pipeline does."""
    return lambda text: assistant.find(Query(text, text), assistant.library.fresh())


def _pair_reading(assistant: Assistant, papers: Sequence[Paper]) -> Callable[[str], object]:
    """Return a reading of a question beside 24 texts, so long that each pair has about 80 word pieces."""
    texts = [" ".join(paper.abstract.split()[:_WORDS_OF_A_PAIR]) for paper in papers[:_PAIRS]]
    return lambda question: list(assistant.reader.read([(question, [text]) for text in texts]))


def _latencies(assistant: Assistant, papers: Sequence[Paper], settings: Settings, quick: bool) -> Json:
    """Measure every kind of search, and unless `quick` whole answers, in turn."""
    from eval.bench import baselines

    library = assistant.library
    peer_folder = settings.home / "eval" / "peers" / library.home.name
    without_reranking = Assistant(library, settings.model_copy(update={"reranker": "none"}), assistant.reader)
    with _llama_index(peer_folder, library.embedder, papers) as peer:
        calls: dict[str, Callable[[str], object]] = {
            "search_ms": _finder(assistant),
            "llama_index_search_ms": peer.searcher(),
            "search_without_reranking_ms": _finder(without_reranking),
            "search_with_passages_ms": assistant.search,
            "exact_numpy_search_ms": baselines.exact_searcher(len(papers), library.embedder),
            "embed_question_ms": lambda text: library.embedder.encode_queries([text]),
            "read_24_pairs_ms": _pair_reading(assistant, papers),
        }
        figures: Json = dict(measure_alternating(calls if quick else calls | {"ask_ms": assistant.ask}, _questions()))
        peer_size = _megabytes(peer_folder)
    peer_median = figures["llama_index_search_ms"]["p50"]
    return figures | {
        "search_over_llama_index": figures["search_ms"]["p50"] / peer_median,
        "search_without_reranking_over_llama_index": figures["search_without_reranking_ms"]["p50"] / peer_median,
        "read_24_pairs_over_embed_question": figures["read_24_pairs_ms"]["p50"] / figures["embed_question_ms"]["p50"],
        "index_mb": _megabytes(library.home),
        "llama_index_mb": peer_size,
    }


def _questions() -> list[str]:
    return [question.text for question in load(SEEDS / "single.jsonl", "dev")]


def _ingest_rates(papers: Sequence[Paper], settings: Settings, embedder: Embedder) -> Json:
    """Measure papers per second of embedding alone, of paperchat's ingestion and of llama-index's."""
    from eval.bench import baselines

    texts = [f"{paper.title or ''}\n{paper.abstract}" for paper in papers]
    tokens = [min(count, embedder.max_tokens) for count in embedder.count_tokens(texts)]
    embedding_s = measure_seconds(lambda: embedder.encode_documents(texts))
    with tempfile.TemporaryDirectory() as folder:
        sample_settings = settings.model_copy(update={"home": Path(folder)})
        ingest_s = measure_seconds(lambda: corpora.build("sample", papers, sample_settings, embedder).close())
    with tempfile.TemporaryDirectory() as folder:
        peer = baselines.LlamaIndexBaseline(Path(folder), embedder)
        peer_s = measure_seconds(lambda: peer.ingest(papers))
        peer.close()
    flop = sum(_FLOP_PER_TOKEN * count + _FLOP_PER_PAIR * count**2 for count in tokens)
    return {
        "ingest_papers_s": len(papers) / ingest_s,
        "embed_papers_s": len(papers) / embedding_s,
        "llama_index_ingest_papers_s": len(papers) / peer_s,
        "ingest_over_llama_index": peer_s / ingest_s,
        "embed_gflops": flop / embedding_s / 1e9,
    }


@contextmanager
def _llama_index(folder: Path, embedder: Embedder, papers: Sequence[Paper]) -> Iterator[Any]:
    """Open the llama-index baseline over the papers; it is indexed once and stored."""
    from eval.bench import baselines

    folder.mkdir(parents=True, exist_ok=True)
    peer = baselines.LlamaIndexBaseline(folder, embedder)
    with progress_bar("Indexing with llama-index"):
        peer.ingest(papers)
    try:
        yield peer
    finally:
        peer.close()


def _cold_start(home: Path) -> Json:
    """Measure a process from its start to its first answer, and its peak memory on Linux.

    The first process only warms up: it may still have to choose the fastest engine.
    """
    command = start.measured("--home", str(home), "ask", _questions()[0])
    start.run_process(command)
    figures = start.run_process(command)
    return {"first_answer_s": figures.pop("seconds"), **figures}


def _megabytes(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def _store(home: Path, figures: Json) -> None:
    file = home / "eval" / "bench" / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(figures, indent=1), encoding="utf-8")
