"""How fast it is, beside the plain llama-index pipeline and the machine's own limits, all in one run. Not a test."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assistant.chat import Assistant
from assistant.protocols import Embedder
from assistant.schema import Paper
from assistant.settings import Settings
from eval import corpora, runs
from eval.bench.timing import milliseconds_each
from eval.suites import SEEDS, beir, load
from eval.suites.selection import Exam
from ingest.progress import progress_bar

# A folder with collections in the layouts of `eval.suites.beir`; nothing of it is part of paperchat.
DATA = Path(os.environ.get("EVAL_DATA", "data"))
SCIFACT, LARGE = "scifact", "ml_arxiv_2019"
_QUESTIONS = 40
_SAMPLE = 256
# Multiplications and additions of the packaged model for a token, twice the weights of its six layers, and for a pair
# of tokens of one text, by which attention compares and mixes them.
_FLOP_A_TOKEN, _FLOP_A_PAIR = 21.2e6, 4 * 6 * 384

_TELL_PEAK = (
    "import atexit, pathlib, sys; status = pathlib.Path('/proc/self/status'); "
    "atexit.register(lambda: status.exists() and print(status.read_text(), file=sys.stderr))"
)

Json = dict[str, Any]


def bench(settings: Settings, large: bool = False) -> Json:
    """Figures by part; milliseconds, papers a second and megabytes as the names say. Also kept as JSON below the home.

    `large` measures 80,753 papers too, whose first indexing takes more than an hour on two cores.
    """
    from eval.bench import baselines, component_benchmarks

    found: Json = {"versions": runs.versions(), "commit": runs.commit(), "matrix_peak_gflops": baselines.matrix_peak()}
    found["sizes"] = {label: figures for label, figures in _sizes(settings, large)}
    if (DATA / SCIFACT).is_dir():
        found["lexical engines"] = component_benchmarks.lexical_engines(DATA / SCIFACT)
        found["sentence boundaries"] = component_benchmarks.sentence_boundaries(DATA / SCIFACT)
    else:
        found["left out"] = f"{SCIFACT} is not in {DATA}: set EVAL_DATA to the folder that holds it"
    _keep(settings.home, found)
    return found


def _sizes(settings: Settings, large: bool) -> Iterator[tuple[str, Json]]:
    """The same measures over libraries of several sizes, the smallest first."""
    suites = [Exam("seeds", ())]
    suites += [
        Exam(name, (), name, beir.read_papers(DATA / name))
        for name in (SCIFACT, *([LARGE] if large else []))
        if (DATA / name).is_dir()
    ]
    for suite in suites:
        with corpora.opened(settings, [suite]) as opened:
            assistant = opened[suite.library]
            papers = list(assistant.library.catalog.papers.all())
            yield f"{len(papers):,} papers", _figures(assistant, papers, settings, suite is suites[0])


def _figures(assistant: Assistant, papers: Sequence[Paper], settings: Settings, smallest: bool) -> Json:
    from eval.bench import baselines

    questions = [question.text for question in load(SEEDS / "single.jsonl", "dev")][:_QUESTIONS]
    library = assistant.library
    embed = milliseconds_each(lambda text: library.embedder.encode_queries([text]), questions)
    with _peer(settings.home / "eval" / "peers" / library.home.name, library.embedder, papers) as peer:
        peer_search = milliseconds_each(peer.searcher(), questions)
        peer_size = _megabytes(settings.home / "eval" / "peers" / library.home.name)
    plain = Assistant(library, settings.model_copy(update={"reranker": "none"}))
    search, unranked = milliseconds_each(assistant.search, questions), milliseconds_each(plain.search, questions)
    figures: Json = {
        "embed_question_ms": embed,
        "search_ms": search,
        "search_without_reranking_ms": unranked,
        "ask_ms": milliseconds_each(assistant.ask, questions),
        "llama_index_search_ms": peer_search,
        "exact_numpy_search_ms": milliseconds_each(baselines.exact_searcher(len(papers), library.embedder), questions),
        "search_over_llama_index": search["p50"] / peer_search["p50"],
        "search_without_reranking_over_llama_index": unranked["p50"] / peer_search["p50"],
        "index_mb": _megabytes(library.home),
        "llama_index_mb": peer_size,
        "cold": [_cold(library.home, questions[0]) for _ in range(2)][-1],  # the first of all finds the fastest engine
    }
    return figures | (_ingest_rates(papers[:_SAMPLE], settings, library.embedder) if smallest else {})


def _ingest_rates(papers: Sequence[Paper], settings: Settings, embedder: Embedder) -> Json:
    """Papers a second: embedding alone, paperchat's whole ingest and the peer's, of the same abstracts."""
    from eval.bench import baselines

    texts = [f"{paper.title or ''}\n{paper.abstract}" for paper in papers]
    tokens = [min(count, embedder.max_tokens) for count in embedder.count_tokens(texts)]
    embed = _seconds(lambda: embedder.encode_documents(texts))
    with tempfile.TemporaryDirectory() as folder:
        own = settings.model_copy(update={"home": Path(folder)})
        whole = _seconds(lambda: corpora.build("sample", papers, own, embedder).close())
    with tempfile.TemporaryDirectory() as folder:
        peer = baselines.LlamaIndexPeer(Path(folder), embedder)
        theirs = _seconds(lambda: peer.ingest(papers))
        peer.close()
    return {
        "ingest_papers_s": len(papers) / whole,
        "embed_papers_s": len(papers) / embed,
        "llama_index_ingest_papers_s": len(papers) / theirs,
        "ingest_over_llama_index": theirs / whole,
        "embed_gflops": sum(_FLOP_A_TOKEN * count + _FLOP_A_PAIR * count**2 for count in tokens) / embed / 1e9,
    }


@contextmanager
def _peer(folder: Path, embedder: Embedder, papers: Sequence[Paper]) -> Iterator[Any]:
    from eval.bench import baselines

    folder.mkdir(parents=True, exist_ok=True)
    peer = baselines.LlamaIndexPeer(folder, embedder)
    with progress_bar("Indexing by llama-index"):
        peer.ingest(papers)
    yield peer
    peer.close()


def _cold(home: Path, question: str) -> Json:
    """A new process from its start to its first answer, and the most memory that it held (told on Linux only)."""
    command = "from ui.cli import main; main()"
    started = time.perf_counter()
    # Its own peak, which it writes when it ends: what the system tells of a child has the parent's in it.
    run = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", f"{_TELL_PEAK}; {command}", "--home", str(home), "ask", question],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    taken = time.perf_counter() - started
    peak = re.search(r"VmHWM:\s+(\d+) kB", run.stderr)
    return {"first_answer_s": taken} | ({"peak_memory_mb": int(peak[1]) / 1024} if peak else {})


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _megabytes(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def _keep(home: Path, found: Json) -> None:
    file = home / "eval" / "bench" / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found, indent=1), encoding="utf-8")
