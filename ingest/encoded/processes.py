"""Workers that are processes of this machine."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from assistant.errors import ClusterError, ModelError, PaperchatError
from ingest.encoded.workers import Batch, BatchEncoder, EmbedderDescription, EncodedBatch, EncodingJob

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

# So many workers in a row may die before one has encoded anything.
_MAX_DEATHS = 3
_SPAWN = get_context("spawn")  # a forked process would share what native libraries have started


class ProcessWorkers:
    """Workers that each are a process. `count` is their number, by default that of this machine's processors."""

    def __init__(self, count: int | None = None) -> None:
        self.count = count or os.cpu_count() or 1

    def describe(self, job: EncodingJob) -> EmbedderDescription:
        """Open the embedder in a process, and return its description. Raises ModelError, ClusterError."""
        with _started(job, 1) as workers:
            description = _Loop(workers, job).receive()
        assert isinstance(description, EmbedderDescription)  # noqa: S101 - it is the first that a worker sends
        return description

    def encode(self, job: EncodingJob, batches: Iterable[Batch], total: int) -> Iterator[EncodedBatch]:
        """Yield the batches as they are encoded. Raises ModelError, ClusterError."""
        with _started(job, min(self.count, total)) as workers:
            yield from _Loop(workers, job).run(iter(batches))


@dataclass(eq=False, slots=True)
class _Worker:
    """A process with the connection to it, and the batch that it works on, if any."""

    process: SpawnProcess
    connection: Connection
    batch: Batch | None = None
    is_ready: bool = False

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.connection.close()


@dataclass(slots=True)
class _Loop:
    """Hands batches to the workers that are ready, and takes back what dead ones have left."""

    workers: list[_Worker]
    job: EncodingJob
    deaths: int = 0
    is_exhausted: bool = False
    returned: list[Batch] = field(default_factory=list)

    def run(self, batches: Iterator[Batch]) -> Iterator[EncodedBatch]:
        while True:
            for worker in self.workers:
                if worker.is_ready and worker.batch is None:
                    self._hand_over(worker, batches)
            if self.is_exhausted and not self.returned and not any(worker.batch for worker in self.workers):
                return
            message = self.receive()
            if isinstance(message, EncodedBatch):
                yield message

    def receive(self) -> EncodedBatch | EmbedderDescription | None:
        """Wait for a worker, and return what it sends; None where one has died instead."""
        (connection, *_) = wait([worker.connection for worker in self.workers])
        worker = next(worker for worker in self.workers if worker.connection is connection)
        try:
            message = worker.connection.recv()
        except (EOFError, OSError):
            self._replace(worker)
            return None
        if isinstance(message, PaperchatError):
            raise message
        if isinstance(message, EncodedBatch):
            worker.batch, self.deaths = None, 0
        worker.is_ready = True
        return message  # type: ignore[no-any-return]

    def _hand_over(self, worker: _Worker, batches: Iterator[Batch]) -> None:
        worker.batch = self.returned.pop() if self.returned else next(batches, None)
        if worker.batch is None:
            self.is_exhausted = True
        else:
            with suppress(OSError):  # a dead worker is noticed when it is read from
                worker.connection.send(worker.batch)

    def _replace(self, worker: _Worker) -> None:
        """Start a worker in the place of a dead one. Raises ClusterError where that has happened too often."""
        worker.stop()
        self.deaths += 1
        if worker.batch:
            self.returned.append(worker.batch)
        if self.deaths >= _MAX_DEATHS:
            code = worker.process.exitcode
            raise ClusterError(
                f"{self.deaths} worker processes ended one after the other (exit code {code}) and encoded nothing; "
                "there may be too little memory: try fewer --workers"
            )
        self.workers[self.workers.index(worker)] = _start(self.job)


@contextmanager
def _started(job: EncodingJob, count: int) -> Iterator[list[_Worker]]:
    workers = [_start(job) for _ in range(count)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.stop()


def _start(job: EncodingJob) -> _Worker:
    connection, other_end = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_work, args=(job, other_end), daemon=True)
    with _interrupts_held_back():
        process.start()
    other_end.close()  # so that the connection ends with the process
    return _Worker(process, connection)


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Hold Ctrl+C back for a moment; a process that is started meanwhile never gets one: who started it stops it.

    Were it to ignore them by itself, it would die of one with a traceback before it comes to that.
    """
    resource_tracker.ensure_running()  # it lets them through again when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(job: EncodingJob, connection: Connection) -> None:
    """Encode what comes over the connection, until it ends."""
    with suppress(EOFError, OSError), connection:
        try:
            encoder = BatchEncoder(job)
            connection.send(encoder.description)
            while True:
                connection.send(encoder.encode(connection.recv()))
        except PaperchatError as error:
            connection.send(ModelError(str(error)))
