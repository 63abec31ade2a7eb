"""Questions laid beside papers, be these in the library or not."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from assistant.embedding import content_words
from assistant.protocols import Embedder
from assistant.retrieval.alignment import Alignment, align
from assistant.schema import Hit
from assistant.storage.library import Library
from assistant.storage.word_vectors import SqliteWordVectors
from ingest.chunks import chunk_papers


def aligned(question: str, hits: Sequence[Hit], library: Library, embedder: Embedder | None = None) -> list[Alignment]:
    """The question against the hits, whose words are put into an index of their own."""
    embedder = embedder or library.embedder
    asked = content_words.encode_query(question, embedder.encode_queries([question])[0], library.lexicon)
    papers = [hit.paper for hit in hits]
    chunks = chunk_papers(papers, embedder, 10_000)
    readings = embedder.encode_documents([each.text for each in chunks])
    with TemporaryDirectory() as folder, closing(SqliteWordVectors(Path(folder) / "words.db")) as index:
        index.replace(content_words.word_vectors(papers, chunks, readings, library.lexicon))
        return align(asked, hits, index, library.lexicon)
