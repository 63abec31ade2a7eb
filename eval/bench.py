"""What the parts cost beside what could stand in their place. Prints ratios of one run; nothing here is a test.

Lexical engines and sentence boundaries are compared on SciFact, where its folder is at hand (see README.md).
"""

from __future__ import annotations

import gzip
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ir_measures
from ir_measures import nDCG

from assistant.chat import Assistant
from assistant.lexicon import TantivyLexicon
from assistant.schema import Paper
from assistant.sentences import spans
from assistant.settings import Settings
from eval import collection
from eval.libraries import over_seeds
from eval.suites import SEEDS, load

# A folder with a sub-folder `scifact`; nothing of it is part of paperchat.
DATA = Path(os.environ.get("EVAL_DATA", "data"))
_QUESTIONS = 40
_ABSTRACTS = 1500

Search = Callable[[str], Sequence[tuple[str, float]]]


def bench(settings: Settings) -> str:
    """A report in plain text."""
    scifact = DATA / "scifact"
    parts = [_latency(over_seeds(settings))]
    if scifact.is_dir():
        parts += [_lexical(scifact), _boundaries(scifact)]
    else:
        parts.append(f"SciFact is not in {scifact}: set EVAL_DATA to the folder that holds it.")
    return "\n\n".join(parts)


def _latency(assistant: Assistant) -> str:
    """Median search and answer times, beside the time to embed the question alone."""
    questions = [question.text for question in load(SEEDS / "single.jsonl", "dev")][:_QUESTIONS]
    embed = _median(lambda text: assistant.library.embedder.embed_queries([text]), questions)
    search = _median(assistant.search, questions)
    ask = _median(assistant.ask, questions)
    return (
        f"warm, {assistant.library.catalog.count()} papers, medians of {len(questions)} questions:\n"
        f"  embedding a question {embed:.1f} ms, search {search / embed:.1f} times that, an answer {ask / embed:.1f}"
    )


def _lexical(folder: Path) -> str:
    """nDCG@10 and time a query of tantivy and bm25s over the same abstracts and claims."""
    scifact = collection.read(folder, "dev")
    papers, questions = scifact.papers, scifact.questions
    claims = {question.id: question.text for question in questions}
    judgements = [ir_measures.Qrel(question.id, paper, 1) for question in questions for paper in question.papers]
    lines = [f"lexical engines, {len(papers)} abstracts, {len(claims)} claims:"]
    with tempfile.TemporaryDirectory() as folder_name:
        for name, prepare in (("tantivy", _tantivy), ("bm25s", _bm25s)):
            started = time.perf_counter()
            search = prepare(papers, Path(folder_name))
            built = time.perf_counter() - started
            took = _median(search, list(claims.values()))
            results = [
                ir_measures.ScoredDoc(claim, paper, score) for claim in claims for paper, score in search(claims[claim])
            ]
            quality = ir_measures.calc_aggregate([nDCG @ 10], judgements, results)[nDCG @ 10]
            lines.append(f"  {name:8} nDCG@10 {quality:.3f}, built in {built:.2f} s, {took:.2f} ms a query")
    return "\n".join(lines)


def _tantivy(papers: Sequence[Paper], folder: Path) -> Search:
    lexicon = TantivyLexicon(folder / "lexicon")
    lexicon.replace(papers)
    return lambda text: [(each.paper_id, each.score) for each in lexicon.search(text, 100)]


def _bm25s(papers: Sequence[Paper], _: Path) -> Search:
    import bm25s
    import Stemmer

    stemmer = Stemmer.Stemmer("english")

    def tokens(texts: list[str]) -> Any:
        return bm25s.tokenize(texts, stopwords="en", stemmer=stemmer, show_progress=False)

    engine = bm25s.BM25(k1=0.9, b=0.4)
    engine.index(tokens([f"{paper.title or ''}\n{paper.abstract}" for paper in papers]), show_progress=False)

    def search(text: str) -> list[tuple[str, float]]:
        places, scores = engine.retrieve(tokens([text]), k=100, show_progress=False)
        return [(papers[place].id, float(score)) for place, score in zip(places[0], scores[0], strict=True)]

    return search


def _boundaries(folder: Path) -> str:
    """Precision and recall of sentence ends against SciFact's own sentences."""
    found = right = wanted = 0
    for row in _rows(folder / "corpus.jsonl.gz")[:_ABSTRACTS]:
        gold, at = set(), 0
        for sentence in map(str.strip, row["sentences"]):
            at = row["abstract"].index(sentence, at) + len(sentence)
            gold.add(at)
        ours = {end for _, end in spans(row["abstract"])}
        found, right, wanted = found + len(ours), right + len(ours & gold), wanted + len(gold)
    return f"sentence boundaries, SciFact: precision {right / found:.4f}, recall {right / wanted:.4f} of {wanted}"


def _rows(file: Path) -> list[dict[str, Any]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _median(work: Callable[[str], Any], texts: Sequence[str]) -> float:
    """Milliseconds, the median over the texts, after one to warm up."""
    work(texts[0])
    times = []
    for text in texts:
        started = time.perf_counter()
        work(text)
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)
