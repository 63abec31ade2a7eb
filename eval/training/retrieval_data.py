"""Papers and texts to train and measure retrieval on: vectors as the indexes hold them, and prepared questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assistant.embedding.content_words import encode_query
from assistant.protocols import Embedder
from assistant.settings import Settings
from assistant.storage.library import Library
from eval import corpora
from eval.suites import ABSTRACTS, SEEDS, beir, load
from eval.training.examples import AnnotatedAbstract

if TYPE_CHECKING:
    from assistant.encodings import Vectors

# Papers that each index contributes to a search (`Settings.candidates`).
CANDIDATES = 100


@dataclass(frozen=True, slots=True)
class SearchText:
    """A question or claim, the ids of the papers that answer it, and its part and group for the figures."""

    text: str
    papers: tuple[str, ...]
    part: str
    group: str


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A text ready to search with: the characters of its content words, their shares of the idf, its BM25 shares.

    `starts`, shape (words,), are the words' offsets, `weights` their shares. `lexical`, shape (papers,), is 0 for a
    paper that BM25 does not return. `relevant` are rows of the collection.
    """

    source: SearchText
    starts: tuple[int, ...]
    weights: Vectors
    lexical: Vectors
    relevant: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PaperVectors:
    """Papers: pooled `vectors`, shape (papers, dimension), and the signs of the words of each, -1 or 1, in int8."""

    ids: tuple[str, ...]
    vectors: Vectors
    signs: tuple[NDArray[np.int8], ...]
    texts: tuple[Prepared, ...]


def annotated_texts(annotated: Sequence[AnnotatedAbstract]) -> list[SearchText]:
    """Return the questions of annotated abstracts and, of the training part, the paraphrased claims that are true."""
    texts = [SearchText(q["text"], (p.id,), p.part, q["level"]) for p in annotated for q in p.questions]
    return texts + [
        SearchText(claim["text"], (paper.id,), paper.part, "claim")
        for paper in annotated
        if paper.part == "train"
        for claim in paper.claims
        if claim["label"] == "supported" and claim["wording"] == "paraphrased"
    ]


def over_annotated(texts: Sequence[SearchText], settings: Settings, embedder: Embedder) -> PaperVectors:
    """Return the annotated abstracts with these texts."""
    return _prepare(corpora.build("abstracts", beir.read_papers(ABSTRACTS, "papers"), settings, embedder), texts)


def over_seeds(settings: Settings, embedder: Embedder) -> PaperVectors:
    """Return the seeds with their single questions and those that need several papers."""
    texts = [
        SearchText(question.text, tuple(sorted(question.papers)), question.split, group or question.group)
        for suite, group in (("single", ""), ("multi", "multi"))
        for question in load(SEEDS / f"{suite}.jsonl")
    ]
    return _prepare(corpora.build("seeds", None, settings, embedder), texts)


def over_scifact(folder: Path, settings: Settings, embedder: Embedder) -> PaperVectors:
    """Return SciFact's abstracts with its judged claims. Raises InputError."""
    collection = beir.read(folder)
    texts = [SearchText(q.text, tuple(sorted(q.papers)), q.split, "claim") for q in collection.questions]
    return _prepare(corpora.build("scifact", collection.papers, settings, embedder), texts)


def _prepare(library: Library, texts: Sequence[SearchText]) -> PaperVectors:
    indexes = library.fresh()
    ids = tuple(sorted(indexes.words.paper_ids()))
    rows = {paper_id: row for row, paper_id in enumerate(ids)}
    vectors, words = indexes.store.vectors(ids), indexes.words.get(ids)
    prepared = []
    for text, encoded in zip(texts, library.embedder.encode_queries([text.text for text in texts]), strict=True):
        plain = encode_query(text.text, encoded, indexes.lexicon)
        lexical = np.zeros(len(ids), dtype=np.float32)
        for hit in indexes.lexicon.search(text.text, CANDIDATES):
            lexical[rows[hit.paper_id]] = hit.score / indexes.lexicon.max_score(text.text)
        relevant = tuple(rows[paper_id] for paper_id in text.papers)
        prepared.append(Prepared(text, plain.starts, plain.weights, lexical, relevant))
    library.close()
    signs = tuple(np.unpackbits(words[i].bits, axis=1).astype(np.int8) * np.int8(2) - np.int8(1) for i in ids)
    return PaperVectors(ids, np.stack([vectors[i][0] for i in ids]), signs, tuple(prepared))
