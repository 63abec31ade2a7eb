"""Measure components of paperchat next to their alternatives, on SciFact."""

from __future__ import annotations

import gzip
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import bm25s
import ir_measures
import Stemmer
from ir_measures import nDCG

from assistant.schema import Paper
from assistant.storage.lexicon import TantivyLexicon
from assistant.text.sentences import spans
from eval.bench.timing import measure_latency
from eval.suites import beir

_ABSTRACTS = 1500

Search = Callable[[str], Sequence[tuple[str, float]]]


def lexical_engines(folder: Path) -> dict[str, dict[str, float]]:
    """Measure nDCG@10, seconds to build and median milliseconds per query of tantivy and bm25s."""
    scifact = beir.read(folder, "dev")
    claims = {question.id: question.text for question in scifact.questions}
    judgements = [
        ir_measures.Qrel(question.id, paper, 1) for question in scifact.questions for paper in question.papers
    ]
    figures = {}
    with tempfile.TemporaryDirectory() as index_folder:
        for name, build in (("tantivy", _tantivy), ("bm25s", _bm25s)):
            started = time.perf_counter()
            search = build(scifact.papers, Path(index_folder))
            build_s = time.perf_counter() - started
            query_ms = measure_latency(search, list(claims.values()))["p50"]
            results = [
                ir_measures.ScoredDoc(claim, paper, score) for claim in claims for paper, score in search(claims[claim])
            ]
            quality = ir_measures.calc_aggregate([nDCG @ 10], judgements, results)[nDCG @ 10]
            figures[name] = {"nDCG@10": quality, "build_s": build_s, "query_ms": query_ms}
    return figures


def _tantivy(papers: Sequence[Paper], folder: Path) -> Search:
    lexicon = TantivyLexicon(folder / "lexicon")
    lexicon.replace(papers)
    return lambda text: [(hit.paper_id, hit.score) for hit in lexicon.search(text, 100)]


def _bm25s(papers: Sequence[Paper], _: Path) -> Search:
    stemmer = Stemmer.Stemmer("english")

    def tokens(texts: list[str]) -> Any:
        return bm25s.tokenize(texts, stopwords="en", stemmer=stemmer, show_progress=False)

    engine = bm25s.BM25(k1=0.9, b=0.4)
    engine.index(tokens([f"{paper.title or ''}\n{paper.abstract}" for paper in papers]), show_progress=False)

    def search(text: str) -> list[tuple[str, float]]:
        rows, scores = engine.retrieve(tokens([text]), k=100, show_progress=False)
        return [(papers[row].id, float(score)) for row, score in zip(rows[0], scores[0], strict=True)]

    return search


def sentence_boundaries(folder: Path) -> dict[str, float]:
    """Measure precision and recall of sentence ends against SciFact's own sentences."""
    predicted = correct = expected = 0
    for row in _rows(folder / "corpus.jsonl.gz")[:_ABSTRACTS]:
        gold = _sentence_ends(row["abstract"], row["sentences"])
        ends = {end for _, end in spans(row["abstract"])}
        predicted, correct, expected = predicted + len(ends), correct + len(ends & gold), expected + len(gold)
    return {"precision": correct / predicted, "recall": correct / expected, "sentences": expected}


def _sentence_ends(abstract: str, sentences: Sequence[str]) -> set[int]:
    ends: set[int] = set()
    end = 0
    for sentence in map(str.strip, sentences):
        end = abstract.index(sentence, end) + len(sentence)
        ends.add(end)
    return ends


def _rows(file: Path) -> list[dict[str, Any]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
