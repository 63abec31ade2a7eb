"""Parts of paperchat beside what could stand in their place, on SciFact where its folder is at hand (see README.md)."""

from __future__ import annotations

import gzip
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ir_measures
from ir_measures import nDCG

from assistant.schema import Paper
from assistant.storage.lexicon import TantivyLexicon
from assistant.text.sentences import spans
from eval.bench.timing import milliseconds_each
from eval.suites import beir

_ABSTRACTS = 1500

Search = Callable[[str], Sequence[tuple[str, float]]]


def lexical_engines(folder: Path) -> dict[str, dict[str, float]]:
    """nDCG@10, seconds to build and median milliseconds a query of tantivy and bm25s over the same abstracts."""
    scifact = beir.read(folder, "dev")
    papers, questions = scifact.papers, scifact.questions
    claims = {question.id: question.text for question in questions}
    judgements = [ir_measures.Qrel(question.id, paper, 1) for question in questions for paper in question.papers]
    found = {}
    with tempfile.TemporaryDirectory() as folder_name:
        for name, prepare in (("tantivy", _tantivy), ("bm25s", _bm25s)):
            started = time.perf_counter()
            search = prepare(papers, Path(folder_name))
            built = time.perf_counter() - started
            took = milliseconds_each(search, list(claims.values()))["p50"]
            results = [
                ir_measures.ScoredDoc(claim, paper, score) for claim in claims for paper, score in search(claims[claim])
            ]
            quality = ir_measures.calc_aggregate([nDCG @ 10], judgements, results)[nDCG @ 10]
            found[name] = {"nDCG@10": quality, "build_s": built, "query_ms": took}
    return found


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


def sentence_boundaries(folder: Path) -> dict[str, float]:
    """Precision and recall of sentence ends against SciFact's own sentences."""
    found = right = wanted = 0
    for row in _rows(folder / "corpus.jsonl.gz")[:_ABSTRACTS]:
        gold, at = set(), 0
        for sentence in map(str.strip, row["sentences"]):
            at = row["abstract"].index(sentence, at) + len(sentence)
            gold.add(at)
        ours = {end for _, end in spans(row["abstract"])}
        found, right, wanted = found + len(ours), right + len(ours & gold), wanted + len(gold)
    return {"precision": right / found, "recall": right / wanted, "sentences": wanted}


def _rows(file: Path) -> list[dict[str, Any]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
