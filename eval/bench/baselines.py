"""Baselines of speed: the plain llama-index pipeline over Chroma, exact search, and matrix products."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import chromadb
import numpy as np
import torch
from llama_index.core import Document, StorageContext, VectorStoreIndex
from llama_index.core.embeddings import BaseEmbedding
from llama_index.vector_stores.chroma import ChromaVectorStore
from sentence_transformers import SentenceTransformer

from assistant.embedding.packaged_model import locate
from assistant.protocols import Embedder
from assistant.schema import Paper

_MATRIX = 2048
_REPEATS = 7


class _PlainModel(BaseEmbedding):
    """The embedder as llama-index's own adapter of sentence-transformers runs it, ten texts at a time.

    It has paperchat's limit of word-pieces, so that both embed the same text.
    """

    _model: Any

    def __init__(self, embedder: Embedder, verified: Path) -> None:
        super().__init__(model_name=embedder.name)
        location, local = locate(embedder.name, verified)
        self._model = SentenceTransformer(location, local_files_only=local)
        self._model.max_seq_length = embedder.max_tokens

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._model.encode(texts, batch_size=len(texts), show_progress_bar=False).tolist()
        return vectors


class LlamaIndexBaseline:
    """`VectorStoreIndex` over `ChromaVectorStore` with default settings, stored in a folder."""

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        self._client: Any = chromadb.PersistentClient(path=str(folder))
        self._collection = self._client.get_or_create_collection("peer", embedding_function=None)
        self._store = ChromaVectorStore(chroma_collection=self._collection)
        self._model = _PlainModel(embedder, folder / "embedder.verified")

    def ingest(self, papers: Sequence[Paper]) -> None:
        """Index the papers, unless that many nodes are stored already."""
        if self._collection.count() >= len(papers):
            return
        documents = [
            Document(text=paper.abstract, doc_id=paper.id, metadata={"title": paper.title or ""}) for paper in papers
        ]
        context = StorageContext.from_defaults(vector_store=self._store)
        VectorStoreIndex.from_documents(documents, storage_context=context, embed_model=self._model)

    def searcher(self, limit: int = 10) -> Callable[[str], object]:
        """Return a function that retrieves the `limit` nodes nearest to a question."""
        index = VectorStoreIndex.from_vector_store(self._store, embed_model=self._model)
        return index.as_retriever(similarity_top_k=limit).retrieve

    def close(self) -> None:
        """Release the files."""
        self._client.close()


def exact_searcher(papers: int, embedder: Embedder, limit: int = 10) -> Callable[[str], object]:
    """Return a function that embeds a question and searches this many vectors by one matrix product.

    The vectors are random: the time does not depend on their values.
    """
    vectors = np.random.default_rng(0).standard_normal((papers, embedder.dimension), dtype=np.float32)

    def search(question: str) -> object:
        scores = vectors @ embedder.encode_queries([question])[0].vector
        return np.argpartition(-scores, min(limit, len(scores) - 1))[:limit]

    return search


def matrix_peak() -> float:
    """Measure the single-precision matrix products of this machine in GFLOP/s, with the faster kernels."""
    return max(_matrix_products(precision) for precision in ("highest", "medium"))


def _matrix_products(precision: str) -> float:
    default = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    left, right = torch.rand(_MATRIX, _MATRIX), torch.rand(_MATRIX, _MATRIX)
    times = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        torch.mm(left, right)
        times.append(time.perf_counter() - started)
    torch.set_float32_matmul_precision(default)
    return 2 * _MATRIX**3 / median(times) / 1e9
