"""Directories of encoded papers for tests: encoded in this process, or by embedders that fail as told."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from assistant.encodings import EncodedText
from assistant.errors import ModelError
from assistant.settings import Settings
from ingest.encoded.embed import EmbedReport, embed
from ingest.encoded.workers import Batch, BatchEncoder, EmbedderDescription, EncodedBatch, EncodingJob
from tests.fakes import WordHashEmbedder, open_word_hash


class InlineWorkers:
    """Workers that encode in this process by the word-hash embedder, and stop after `stop_after` batches."""

    count = 1

    def __init__(self, stop_after: int | None = None) -> None:
        self.stop_after = stop_after
        self.encoded: list[str] = []

    def describe(self, job: EncodingJob) -> EmbedderDescription:
        return self._encoder(job).description

    def encode(self, job: EncodingJob, batches: Iterable[Batch], total: int) -> Iterator[EncodedBatch]:
        encoder = self._encoder(job)
        for number, batch in enumerate(batches):
            if number == self.stop_after:
                raise KeyboardInterrupt
            self.encoded += [paper.id for paper in batch.papers]
            yield encoder.encode(batch)

    def _encoder(self, job: EncodingJob) -> BatchEncoder:
        return BatchEncoder(EncodingJob(job.settings, open_word_hash, job.recipe))


def encode(inputs: Path | Sequence[Path], folder: Path, settings: Settings) -> EmbedReport:
    """Encode the papers of files into a directory."""
    return embed([inputs] if isinstance(inputs, Path) else inputs, folder, word_hash(settings), InlineWorkers())


def word_hash(settings: Settings) -> Settings:
    """Return the settings with the name of the word-hash embedder."""
    return settings.model_copy(update={"embedder": WordHashEmbedder.name})


class _KilledOnce(WordHashEmbedder):
    """Kills its process when it is to encode, unless a file says that it has done so before."""

    def __init__(self, marker: Path) -> None:
        super().__init__()
        self._marker = marker

    def encode_documents(self, texts: Sequence[str]) -> list[EncodedText]:
        if not self._marker.exists():
            self._marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().encode_documents(texts)


def open_killed_once(settings: Settings) -> WordHashEmbedder:
    """Open an embedder that kills one worker."""
    settings.home.mkdir(parents=True, exist_ok=True)
    return _KilledOnce(settings.home / "killed")


def open_always_killed(_: Settings) -> WordHashEmbedder:
    """Kill every worker."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def open_missing(_: Settings) -> WordHashEmbedder:
    """Fail as where a model is not installed."""
    raise ModelError("there is no such model")
