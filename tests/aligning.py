"""Alignments and readings of questions with papers that need not be in the library."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from assistant.embedding import content_words
from assistant.protocols import Embedder
from assistant.question import terms
from assistant.question.understand import understand
from assistant.retrieval import reading
from assistant.retrieval.alignment import align
from assistant.retrieval.late_interaction import Interactions
from assistant.retrieval.search import Found
from assistant.schema import Hit
from assistant.storage.library import Library
from assistant.storage.word_vectors import SqliteWordVectors
from ingest.chunks import chunk_papers
from tests.fakes import WordOverlapReader


def search_result(question: str, hits: Sequence[Hit], library: Library, embedder: Embedder | None = None) -> Found:
    """Return the result of a search with these hits, read; their word vectors are put into a temporary index."""
    embedder = embedder or library.embedder
    encoded = content_words.encode_query(question, embedder.encode_queries([question])[0], library.lexicon)
    papers = [hit.paper for hit in hits]
    chunks = chunk_papers(papers, embedder, 10_000)
    encodings = embedder.encode_documents([chunk.text for chunk in chunks])
    analyzed = terms.analyze(question, library.lexicon)
    with TemporaryDirectory() as folder, closing(SqliteWordVectors(Path(folder) / "words.db")) as index:
        index.replace(content_words.word_vectors(papers, chunks, encodings, library.lexicon))
        interactions = Interactions(encoded, index)
        interactions.load([paper.id for paper in papers])
    alignments = tuple(align(analyzed, paper, interactions) for paper in papers)
    return reading.read(Found(understand(question), analyzed, tuple(hits), alignments), WordOverlapReader())
