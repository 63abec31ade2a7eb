"""What encodes papers: workers, each with a model of its own, that take batches in any order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from assistant import factory
from assistant.embedding.content_words import word_vectors
from assistant.encodings import EncodedPaper
from assistant.errors import ModelError
from assistant.protocols import Embedder
from assistant.schema import Paper, Recipe
from assistant.settings import Settings
from assistant.storage.lexicon import EnglishAnalyzer
from ingest.chunks import chunk_papers
from ingest.encoded import parquet
from ingest.encoded.texts import text_digest
from ingest.indexing import encode_chunks

# As many as an ingest encodes together; an interruption costs a worker at most these.
BATCH_SIZE = 256


@dataclass(frozen=True, slots=True)
class EncodingJob:
    """What a worker needs to begin: the settings without secrets, and the function that opens the embedder.

    Worker processes import the function by its name. `recipe` is what all workers must agree in, once it is known.
    """

    settings: Settings
    open_embedder: Callable[[Settings], Embedder]
    recipe: Recipe | None = None


@dataclass(frozen=True, slots=True)
class EmbedderDescription:
    """The recipe of what a worker encodes, and the longest text in tokens that its embedder reads whole."""

    recipe: Recipe
    max_tokens: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Papers that one worker encodes together, with a number that names the batch."""

    number: int
    papers: tuple[Paper, ...]


@dataclass(frozen=True, slots=True)
class EncodedBatch:
    """The encodings of a batch as a Parquet file."""

    number: int
    data: bytes


class Workers(Protocol):
    """Workers of one kind. Every method raises ModelError where an embedder fails, ClusterError where a worker does.

    `count` is how many of them run.
    """

    count: int

    def describe(self, job: EncodingJob) -> EmbedderDescription:
        """Open the embedder where the workers run, and return its description."""
        ...

    def encode(self, job: EncodingJob, batches: Iterable[Batch], total: int) -> Iterator[EncodedBatch]:
        """Yield the batches as they are encoded, in any order; `total` is their number.

        A worker that dies is replaced, and its batch encoded by another.
        """
        ...


def encoding_job(settings: Settings, recipe: Recipe | None = None) -> EncodingJob:
    """Return the job of these settings, by the engine of the recipe where there is one already."""
    changes = {"store_token": None} | ({"engine": recipe.engine} if recipe else {})
    return EncodingJob(settings.model_copy(update=changes), factory.open_embedder, recipe)


class BatchEncoder:
    """The part of a worker that encodes: one embedder, which computes with one thread unless OMP_NUM_THREADS says more.

    Raises ModelError where the embedder cannot be opened, or is another one than the job's recipe tells.
    """

    def __init__(self, job: EncodingJob) -> None:
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        self._embedder = job.open_embedder(job.settings)
        self._analyzer = EnglishAnalyzer()
        self.recipe = factory.index_recipe(job.settings, self._embedder)
        expected = job.recipe or self.recipe
        if self.recipe != expected or self.recipe.engine != expected.engine:
            raise ModelError(
                f"a worker would encode by {self.recipe}, the others by {expected}: install the same version there"
            )

    @property
    def description(self) -> EmbedderDescription:
        """Return the description of the embedder."""
        return EmbedderDescription(self.recipe, self._embedder.max_tokens)

    def encode(self, batch: Batch) -> EncodedBatch:
        """Encode a batch. Raises ModelError."""
        encodings = self._encode(batch.papers)
        by_digest = {text_digest(paper): encodings[paper.id] for paper in batch.papers}
        return EncodedBatch(batch.number, parquet.encodings_data(by_digest, self.recipe.dimension))

    def _encode(self, papers: Sequence[Paper]) -> dict[str, EncodedPaper]:
        import numpy as np

        chunks = chunk_papers(papers, self._embedder, self.recipe.chunk_tokens)
        encoded = encode_chunks(chunks, self._embedder)
        words = word_vectors(papers, chunks, encoded, self._analyzer)
        vectors = {paper.id: [np.empty((0, self.recipe.dimension), np.float32)] for paper in papers}
        for chunk, text in zip(chunks, encoded, strict=True):
            vectors[chunk.paper_id].append(text.vector[np.newaxis])
        return {paper.id: EncodedPaper(np.concatenate(vectors[paper.id]), words[paper.id]) for paper in papers}
